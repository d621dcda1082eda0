using FastPathLb.NodeState;

namespace FastPathLb.Topology;

/// <summary>A mark that no IPVS service takes.</summary>
internal sealed class MarkWithoutService() : LintCheck(
    "mark-without-service",
    LintSeverity.Fault,
    "connections to the service are refused: its packets are marked, but IPVS has no service for the mark",
    "Have docker set the load balancer up anew: docker service update --force SERVICE; check that the kernel has "
        + "ip_vs and ip_vs_rr")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks.Where(item => item.Balancer is not null))
        {
            HashSet<uint> served = [.. network.Balancer!.IpvsServices.Select(service => service.Fwmark)];
            foreach (RuleState rule in network.MarkRules().Where(rule => !served.Contains(rule.MarkAction!.Value)))
            {
                yield return Found(
                    $"{network.Balancer.Name} gives mark 0x{rule.MarkAction!.Value:x}, which no IPVS service has",
                    subject.Places.At(network.Balancer.Name, "iptables-save", $"0x{rule.MarkAction.Value:x}"));
            }
        }
    }
}
