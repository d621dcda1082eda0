using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastPathLb.Wire;

namespace FastPathLb.Conntrack;

/// <summary>
/// One direction of a flow as it is seen on the wire: the key under which a connection is found. 16 bytes, compared as two words.
/// </summary>
/// <remarks>
/// <code>
/// byte  0        4        8          10         12         13      14
///      | source | target | src port | dst port | protocol | kind  | network |
/// </code>
/// All numbers are in host order. ICMP queries put their identifier into the source port and type and code into the target port,
/// as nf_conntrack_tuple does. <see cref="Network"/> tells namespaces apart that share a table.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = 16)]
public struct FlowKey
{
    /// <summary>Source address.</summary>
    public uint Source;

    /// <summary>Destination address.</summary>
    public uint Destination;

    /// <summary>Source port, or the ICMP identifier.</summary>
    public ushort SourcePort;

    /// <summary>Destination port, or ICMP type (high byte) and code.</summary>
    public ushort DestinationPort;

    /// <summary>IP protocol.</summary>
    public IpProtocol Protocol;

    /// <summary>What the key stands for: an ordinary flow or a persistence template.</summary>
    public FlowKind Kind;

    /// <summary>Namespace the flow is in.</summary>
    public ushort Network;

    /// <summary>The key from its two words, as they lie in memory on a little-endian machine.</summary>
    /// <param name="addresses">Source in the lower, destination in the upper half.</param>
    /// <param name="rest">Source port, destination port, protocol, kind and network, from the lowest bits on.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FlowKey FromWords(ulong addresses, ulong rest)
    {
        Unsafe.SkipInit(out FlowKey key);
        ref ulong words = ref Unsafe.As<FlowKey, ulong>(ref key);
        words = addresses;
        Unsafe.Add(ref words, 1) = rest;
        return key;
    }

    /// <summary>The opposite direction.</summary>
    public readonly FlowKey Reverse() => new()
    {
        Source = Destination,
        Destination = Source,
        SourcePort = DestinationPort,
        DestinationPort = SourcePort,
        Protocol = Protocol,
        Kind = Kind,
        Network = Network,
    };

    /// <summary>Whether both keys are the same flow in the same direction.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Matches(in FlowKey other)
    {
        ref ulong left = ref Unsafe.As<FlowKey, ulong>(ref Unsafe.AsRef(in this));
        ref ulong right = ref Unsafe.As<FlowKey, ulong>(ref Unsafe.AsRef(in other));
        return ((left ^ right) | (Unsafe.Add(ref left, 1) ^ Unsafe.Add(ref right, 1))) == 0;
    }

    /// <summary>Whether the key consists of these words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Matches(ulong addresses, ulong rest)
    {
        ref ulong words = ref Unsafe.As<FlowKey, ulong>(ref Unsafe.AsRef(in this));
        return ((words ^ addresses) | (Unsafe.Add(ref words, 1) ^ rest)) == 0;
    }

    /// <summary>The seeded hash: two multiplications of 64 bits, so that nobody without the seed can aim at one bucket.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ulong Hash(ulong seed)
    {
        ref ulong words = ref Unsafe.As<FlowKey, ulong>(ref Unsafe.AsRef(in this));
        return Hash(words, Unsafe.Add(ref words, 1), seed);
    }

    /// <summary>The hash of a key's two words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Hash(ulong addresses, ulong rest, ulong seed)
    {
        ulong high = Math.BigMul(addresses ^ seed, rest ^ 0x9E3779B97F4A7C15, out ulong low);
        high = Math.BigMul(high ^ low ^ seed, 0xD6E8FEB86659FD93, out low);
        return high ^ low;
    }

    /// <inheritdoc/>
    public override readonly string ToString() =>
        $"{Protocol} {new Ipv4Address(Source)}:{SourcePort} > {new Ipv4Address(Destination)}:{DestinationPort}";
}
