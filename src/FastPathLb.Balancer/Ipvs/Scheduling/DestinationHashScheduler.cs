namespace FastPathLb.Balancer.Ipvs.Scheduling;

/// <summary>dh (ip_vs_dh.c): a table of 256 buckets filled with the servers in turn, entered by a hash of the called address.</summary>
public sealed class DestinationHashScheduler : Scheduler
{
    private const int TableBits = 8;
    private const int TableSize = 1 << TableBits;

    private readonly RealServer?[] _table = new RealServer?[TableSize];

    internal DestinationHashScheduler(VirtualService service)
        : base(service) => Fill();

    /// <inheritdoc/>
    public override RealServer? Pick(uint client, ushort clientPort, uint called)
    {
        RealServer? server = _table[MultiplicativeHash.Compute32(called, TableBits)];
        return server is { CanTake: true, IsAvailable: true } ? server : null;
    }

    internal override void ServersChanged(RealServer? removed, int removedIndex) => Fill();

    private void Fill()
    {
        ReadOnlySpan<RealServer> servers = Service.Walked;
        for (int bucket = 0; bucket < TableSize; bucket++)
        {
            _table[bucket] = servers.Length == 0 ? null : servers[bucket % servers.Length];
        }
    }
}
