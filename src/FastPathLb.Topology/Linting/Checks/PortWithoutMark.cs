namespace FastPathLb.Topology;

/// <summary>A published port that the ingress sandbox does not mark.</summary>
internal sealed class PortWithoutMark() : LintCheck(
    "port-without-mark",
    LintSeverity.Fault,
    "connections to the published port are refused by this node: the ingress sandbox takes them for its own",
    "Restart docker on this node; check mangle PREROUTING in the ingress sandbox")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        if (!subject.Node.Namespaces.ContainsKey("ingress"))
        {
            yield break;
        }

        foreach (PublishedPort port in subject.Swarm.Ports.Where(port => port.Mode == "ingress" && port.Fwmark is null))
        {
            yield return Found(
                $"port {port.Published}/{port.Protocol.ToString().ToLowerInvariant()} of service {port.Service} gets no mark in the "
                    + $"ingress sandbox",
                subject.Places.At("ingress", "iptables-save"));
        }
    }
}
