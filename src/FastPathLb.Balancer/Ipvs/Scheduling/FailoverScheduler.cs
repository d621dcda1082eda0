namespace FastPathLb.Balancer.Ipvs.Scheduling;

/// <summary>
/// fo and ovf (ip_vs_fo.c, ip_vs_ovf.c): the highest weight; ovf passes over servers that have more active connections than weight.
/// </summary>
public sealed class FailoverScheduler : Scheduler
{
    private readonly bool _overflows;

    internal FailoverScheduler(VirtualService service, bool overflows)
        : base(service) => _overflows = overflows;

    /// <inheritdoc/>
    public override RealServer? Pick(uint client, ushort clientPort, uint called)
    {
        RealServer? highest = null;
        ReadOnlySpan<RealServer> servers = Service.Walked;
        for (int index = 0; index < servers.Length; index++)
        {
            RealServer server = servers[index];
            if (server.CanTake && (!_overflows || server.ActiveConnections <= server.Weight)
                && (highest is null || server.Weight > highest.Weight))
            {
                highest = server;
            }
        }

        return highest;
    }
}
