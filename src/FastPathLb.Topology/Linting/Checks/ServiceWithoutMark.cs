using FastPathLb.NodeState;

namespace FastPathLb.Topology;

/// <summary>An IPVS service that no packet can reach.</summary>
internal sealed class ServiceWithoutMark() : LintCheck(
    "service-without-mark",
    LintSeverity.Fault,
    "the service gets no connections: no rule gives a packet its mark",
    "Have docker set the rules anew: docker service update --force SERVICE")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks.Where(item => item.Balancer is not null))
        {
            HashSet<uint> given = [.. network.MarkRules().Select(rule => rule.MarkAction!.Value)];
            foreach (
                IpvsServiceState service in network.Balancer!.IpvsServices.Where(
                    service => service.Fwmark != 0 && !given.Contains(service.Fwmark)))
            {
                yield return Found(
                    $"{network.Balancer.Name} has an IPVS service for mark {service.Fwmark} (0x{service.Fwmark:x}), which no rule gives",
                    subject.Places.At(
                        network.Balancer.Name, "ipvsadm-save", service.Fwmark.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            }
        }
    }
}
