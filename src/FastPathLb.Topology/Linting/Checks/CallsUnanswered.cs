using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>Calls of a virtual address that were repeated and never answered.</summary>
internal sealed class CallsUnanswered() : LintCheck(
    "calls-unanswered",
    LintSeverity.Fault,
    "the client waits until it gives up",
    "See what else is found here; fastpathlb show CAPTURE says what the load balancer makes of each frame")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        const int RepeatedTimes = 3;
        foreach (LintNetwork network in subject.Networks.Where(_ => subject.Capture is not null))
        {
            HashSet<Ipv4Address> vips = [.. network.Topology.Services.Select(service => service.VirtualAddress).OfType<Ipv4Address>()];
            foreach ((CensusFlow flow, FlowRecord record) in subject.Capture!.Flows)
            {
                if (vips.Contains(flow.Destination) && record.Requests >= RepeatedTimes && record.Replies == 0)
                {
                    yield return Found(
                        $"{flow.Source}:{flow.SourcePort} called VIP {flow.Destination}:{flow.DestinationPort} {record.Requests} times "
                            + $"without an answer "
                        + $"(first: frame {record.FirstFrame})",
                        new DumpPlace(subject.Capture.Name, 0));
                }
            }
        }
    }
}
