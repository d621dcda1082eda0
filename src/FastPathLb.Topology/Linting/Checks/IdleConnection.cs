using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A connection that was silent for longer than IPVS remembers it.</summary>
internal sealed class IdleConnection() : LintCheck(
    "idle-connection",
    LintSeverity.Fault,
    "the next data on the connection is answered with a reset (moby#31208, #37822)",
    "Have the client or server send keepalives more often (tcp_keepalive_time below 900 s), or ipvsadm --set in the "
        + "load balancer's namespace")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        const long Second = 1_000_000_000;
        foreach (LintNetwork network in subject.Networks.Where(item => subject.Capture is not null && item.Balancer is not null))
        {
            int timeout = network.Balancer!.IpvsTimeouts?.TcpSeconds is { } set and > 0 ? set : IpvsTimeouts.Default.TcpSeconds;
            HashSet<Ipv4Address> vips = [.. network.Topology.Services.Select(service => service.VirtualAddress).OfType<Ipv4Address>()];
            foreach ((CensusFlow flow, FlowRecord record) in subject.Capture!.Flows)
            {
                if (flow.Protocol == IpProtocol.Tcp && vips.Contains(flow.Destination) && record.IdleNanoseconds > timeout * Second)
                {
                    yield return Found(
                        $"{flow.Source}:{flow.SourcePort} to VIP {flow.Destination}:{flow.DestinationPort} was silent for "
                            + $"{record.IdleNanoseconds / Second} s before "
                        + $"frame {record.IdleFrame}; IPVS forgets after {timeout} s",
                        new DumpPlace(subject.Capture.Name, 0));
                }
            }
        }
    }
}
