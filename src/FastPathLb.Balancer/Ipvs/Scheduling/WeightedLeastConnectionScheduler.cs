namespace FastPathLb.Balancer.Ipvs.Scheduling;

/// <summary>
/// wlc and sed (ip_vs_wlc.c, ip_vs_sed.c): least overhead for its weight. wlc's overhead is lc's; sed's is the active connections
/// and the one to come.
/// </summary>
public sealed class WeightedLeastConnectionScheduler : Scheduler
{
    private readonly bool _expectsDelay;

    internal WeightedLeastConnectionScheduler(VirtualService service, bool expectsDelay)
        : base(service) => _expectsDelay = expectsDelay;

    /// <inheritdoc/>
    public override RealServer? Pick(uint client, ushort clientPort, uint called)
    {
        RealServer? least = null;
        long leastOverhead = 0;
        ReadOnlySpan<RealServer> servers = Service.Walked;
        for (int index = 0; index < servers.Length; index++)
        {
            RealServer server = servers[index];
            if (server.IsOverloaded || (least is null && server.Weight <= 0))
            {
                continue;
            }

            // A weight of 0 makes the left side 0, so that such a server never wins.
            long overhead = _expectsDelay ? server.ActiveConnections + 1 : LeastConnectionScheduler.Overhead(server);
            if (least is null || leastOverhead * server.Weight > overhead * least.Weight)
            {
                least = server;
                leastOverhead = overhead;
            }
        }

        return least;
    }
}
