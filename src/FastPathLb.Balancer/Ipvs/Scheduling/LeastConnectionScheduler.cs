namespace FastPathLb.Balancer.Ipvs.Scheduling;

/// <summary>lc (ip_vs_lc.c): fewest connections, an active one counting as 256; the first in the list wins ties.</summary>
public sealed class LeastConnectionScheduler : Scheduler
{
    internal LeastConnectionScheduler(VirtualService service)
        : base(service)
    {
    }

    /// <inheritdoc/>
    public override RealServer? Pick(uint client, ushort clientPort, uint called)
    {
        RealServer? least = null;
        ReadOnlySpan<RealServer> servers = Service.Walked;
        for (int index = 0; index < servers.Length; index++)
        {
            RealServer server = servers[index];
            if (server.CanTake && (least is null || Overhead(server) < Overhead(least)))
            {
                least = server;
            }
        }

        return least;
    }

    internal static int Overhead(RealServer server) => (server.ActiveConnections << 8) + server.InactiveConnections;
}
