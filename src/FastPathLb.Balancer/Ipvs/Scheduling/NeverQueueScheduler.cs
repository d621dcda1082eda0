namespace FastPathLb.Balancer.Ipvs.Scheduling;

/// <summary>nq (ip_vs_nq.c): the first idle server, else as sed.</summary>
public sealed class NeverQueueScheduler : Scheduler
{
    internal NeverQueueScheduler(VirtualService service)
        : base(service)
    {
    }

    /// <inheritdoc/>
    public override RealServer? Pick(uint client, ushort clientPort, uint called)
    {
        RealServer? least = null;
        long leastOverhead = 0;
        ReadOnlySpan<RealServer> servers = Service.Walked;
        for (int index = 0; index < servers.Length; index++)
        {
            RealServer server = servers[index];
            if (server.IsOverloaded || server.Weight == 0)
            {
                continue;
            }

            if (server.ActiveConnections == 0)
            {
                return server;
            }

            long overhead = server.ActiveConnections + 1;
            if (least is null || leastOverhead * server.Weight > overhead * least.Weight)
            {
                least = server;
                leastOverhead = overhead;
            }
        }

        return least;
    }
}
