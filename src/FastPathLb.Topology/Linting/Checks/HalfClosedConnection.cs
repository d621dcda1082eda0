using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A connection that one side closed, and whose other side was silent for longer than IPVS waits for it.</summary>
internal sealed class HalfClosedConnection() : LintCheck(
    "half-closed-connection",
    LintSeverity.Fault,
    "the answer to a request that ends with the client's FIN is cut off by a reset when it takes too long (moby#29655)",
    "Keep the client's side open until the answer is there; 60 s after a client's FIN cannot be changed, 120 s after a server's can: "
        + "ipvsadm --set 0 SECONDS 0 in the load balancer's namespace")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        const long Second = 1_000_000_000;
        const int CloseWaitSeconds = 60;
        foreach (LintNetwork network in subject.Networks.Where(item => subject.Capture is not null && item.Balancer is not null))
        {
            int finWait = network.Balancer!.IpvsTimeouts?.TcpFinSeconds is { } set and > 0 ? set : IpvsTimeouts.Default.TcpFinSeconds;
            HashSet<Ipv4Address> vips = [.. network.Topology.Services.Select(service => service.VirtualAddress).OfType<Ipv4Address>()];
            foreach ((CensusFlow flow, FlowRecord record) in subject.Capture!.Flows)
            {
                int timeout = record.IsHalfClosedByClient ? CloseWaitSeconds : finWait;
                if (flow.Protocol == IpProtocol.Tcp && vips.Contains(flow.Destination) && record.HalfClosedNanoseconds > timeout * Second)
                {
                    yield return Found(
                        $"{flow.Source}:{flow.SourcePort} to VIP {flow.Destination}:{flow.DestinationPort} was silent for "
                            + $"{record.HalfClosedNanoseconds / Second} s before frame {record.HalfClosedFrame}, after the "
                            + $"{(record.IsHalfClosedByClient ? "client" : "server")} had closed its side; IPVS forgets after {timeout} s",
                        new DumpPlace(subject.Capture.Name, 0));
                }
            }
        }
    }
}
