using System.Numerics;

namespace FastPathLb.Balancer.Ipvs.Scheduling;

/// <summary>
/// mh (ip_vs_mh.c): Maglev's table as the kernel builds it, 4,093 entries, HalfSipHash's place taken by SipHash-1-3 with the
/// kernel's fixed keys. A server of weight 0 keeps its entries; <c>mh-fallback</c> passes over it, <c>mh-port</c> hashes the port too.
/// </summary>
public sealed class MaglevScheduler : Scheduler
{
    private const int TableSize = 4093;
    private const int TableWeightBits = 6;
    private const ulong FirstKey = 2654435761;
    private const ulong SecondKey = 2654446892;

    private readonly RealServer?[] _table = new RealServer?[TableSize];
    private readonly bool _usesPort;
    private readonly bool _fallsBack;

    internal MaglevScheduler(VirtualService service, bool usesPort, bool fallsBack)
        : base(service)
    {
        _usesPort = usesPort;
        _fallsBack = fallsBack;
        Fill();
    }

    /// <inheritdoc/>
    public override RealServer? Pick(uint client, ushort clientPort, uint called)
    {
        ushort port = _usesPort ? clientPort : (ushort)0;
        uint hash = Hash(client, port, FirstKey, 0) % TableSize;
        RealServer? server = _table[hash];
        if (server is null || server.CanTake || !_fallsBack)
        {
            return server is { CanTake: true } ? server : null;
        }

        for (uint step = 0; step < TableSize; step++)
        {
            uint offset = (step + hash) % TableSize;
            RealServer? other = _table[Hash(client, port, FirstKey, offset) % TableSize];
            if (other is null)
            {
                break;
            }

            if (other.CanTake)
            {
                return other;
            }
        }

        return null;
    }

    internal override void ServersChanged(RealServer? removed, int removedIndex) => Fill();

    private static uint Hash(uint address, ushort port, ulong key, uint offset) =>
        (uint)SipHash13(unchecked(offset + port + address), key);

    /// <summary>hsiphash_1u32 of a 64-bit kernel: SipHash with one and three rounds over four bytes.</summary>
    private static ulong SipHash13(uint value, ulong key)
    {
        ulong v0 = 0x736f6d6570736575 ^ key;
        ulong v1 = 0x646f72616e646f6d ^ key;
        ulong v2 = 0x6c7967656e657261 ^ key;
        ulong v3 = 0x7465646279746573 ^ key;
        ulong block = (4ul << 56) | value;
        v3 ^= block;
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= block;
        v2 ^= 0xff;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        return v0 ^ v1 ^ v2 ^ v3;
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        unchecked
        {
            v0 += v1;
            v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
            v0 = BitOperations.RotateLeft(v0, 32);
            v2 += v3;
            v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
            v0 += v3;
            v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
            v2 += v1;
            v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
            v2 = BitOperations.RotateLeft(v2, 32);
        }
    }

    private void Fill()
    {
        ReadOnlySpan<RealServer> servers = Service.Walked;
        int divisor = 0;
        int highest = 0;
        for (int index = 0; index < servers.Length; index++)
        {
            int weight = servers[index].LastWeight;
            if (weight > 0)
            {
                divisor = divisor > 0 ? GreatestCommonDivisor(weight, divisor) : weight;
                highest = Math.Max(highest, weight);
            }
        }

        if (divisor < 1)
        {
            Array.Clear(_table);
            return;
        }

        // Huge weights are shifted down, so that one turn does not take a good part of the table.
        int shift = Math.Max(32 - BitOperations.LeadingZeroCount((uint)(highest / divisor)) - TableWeightBits, 0);
        uint[] permutation = new uint[servers.Length];
        uint[] skip = new uint[servers.Length];
        int[] turns = new int[servers.Length];
        for (int index = 0; index < servers.Length; index++)
        {
            RealServer server = servers[index];
            permutation[index] = Hash(server.Address, server.Port, FirstKey, 0) % TableSize;
            skip[index] = (Hash(server.Address, server.Port, SecondKey, 0) % (TableSize - 1)) + 1;
            int turn = (server.LastWeight / divisor) >> shift;
            turns[index] = turn != 0 ? turn : server.LastWeight != 0 ? 1 : 0;
        }

        Populate(servers, permutation, skip, turns);
    }

    private void Populate(ReadOnlySpan<RealServer> servers, uint[] permutation, uint[] skip, int[] turns)
    {
        bool[] isTaken = new bool[TableSize];
        int filled = 0;
        int taken = 0;
        while (true)
        {
            int index = 0;
            while (index < servers.Length)
            {
                if (turns[index] < 1)
                {
                    index++;
                    continue;
                }

                while (isTaken[permutation[index]])
                {
                    permutation[index] += skip[index];
                    if (permutation[index] >= TableSize)
                    {
                        permutation[index] -= TableSize;
                    }
                }

                isTaken[permutation[index]] = true;
                _table[permutation[index]] = servers[index];
                if (++filled == TableSize)
                {
                    return;
                }

                if (++taken >= turns[index])
                {
                    taken = 0;
                    index++;
                }
            }
        }
    }
}
