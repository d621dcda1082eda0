using FastPathLb.NodeState;

namespace FastPathLb.Topology;

/// <summary>A published port whose packets the host does not forward.</summary>
internal sealed class PortNotAccepted() : LintCheck(
    "port-not-accepted",
    LintSeverity.Fault,
    "the published port hangs on this node: filter FORWARD drops what nat sends to the ingress sandbox",
    "Restart docker on this node; check which firewall sets the policy of FORWARD and removed DOCKER-INGRESS")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        if (subject.Host?.Iptables.Filter is not { } filter || filter.FindChain("FORWARD") is not { Policy: "DROP" })
        {
            yield break;
        }

        foreach (PublishedPort port in subject.Swarm.Ports.Where(port => port is { Mode: "ingress", Sandbox: not null }))
        {
            bool isAccepted = filter.Chains.SelectMany(chain => chain.Rules).Any(rule =>
                rule.TargetKind == RuleTarget.Accept
                && rule.Protocol is { IsNegated: false } match && match.Protocol == port.Protocol
                && rule.DestinationPorts?.Accepts(port.Published) == true);
            if (!isAccepted)
            {
                yield return Found(
                    $"the host's FORWARD drops, and no rule accepts port {port.Published}/{port.Protocol.ToString().ToLowerInvariant()}",
                    subject.Places.At("host", "iptables-save", "FORWARD", "DROP"));
            }
        }
    }
}
