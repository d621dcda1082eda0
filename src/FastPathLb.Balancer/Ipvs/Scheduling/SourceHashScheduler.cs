namespace FastPathLb.Balancer.Ipvs.Scheduling;

/// <summary>
/// sh (ip_vs_sh.c): a table of 256 buckets filled with the servers by weight, entered by a hash of the client's address and, with
/// <c>sh-port</c>, port. With <c>sh-fallback</c> an unavailable server's clients are spread over the others.
/// </summary>
public sealed class SourceHashScheduler : Scheduler
{
    private const int TableBits = 8;
    private const int TableSize = 1 << TableBits;

    private readonly RealServer?[] _table = new RealServer?[TableSize];
    private readonly bool _usesPort;
    private readonly bool _fallsBack;

    internal SourceHashScheduler(VirtualService service, bool usesPort, bool fallsBack)
        : base(service)
    {
        _usesPort = usesPort;
        _fallsBack = fallsBack;
        Fill();
    }

    /// <inheritdoc/>
    public override RealServer? Pick(uint client, ushort clientPort, uint called)
    {
        uint hash = MultiplicativeHash.Compute32(unchecked(client + (_usesPort ? clientPort : 0u)), TableBits);
        RealServer? server = _table[hash];
        if (server is null || server.CanTake || !_fallsBack)
        {
            return server is { CanTake: true } ? server : null;
        }

        for (uint step = 0; step < TableSize; step++)
        {
            uint offset = (step + hash) % TableSize;
            RealServer? other = _table[(offset + hash) % TableSize];
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

    private void Fill()
    {
        ReadOnlySpan<RealServer> servers = Service.Walked;
        int index = 0;
        int taken = 0;
        for (int bucket = 0; bucket < TableSize; bucket++)
        {
            if (servers.Length == 0)
            {
                _table[bucket] = null;
                continue;
            }

            index %= servers.Length;
            _table[bucket] = servers[index];
            if (++taken >= servers[index].Weight)
            {
                index++;
                taken = 0;
            }
        }
    }
}
