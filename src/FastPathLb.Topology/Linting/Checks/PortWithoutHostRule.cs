namespace FastPathLb.Topology;

/// <summary>A published port that the host sends nowhere.</summary>
internal sealed class PortWithoutHostRule() : LintCheck(
    "port-without-host-rule",
    LintSeverity.Fault,
    "the published port hangs on this node: docker listens there, but nothing sends its packets to the ingress "
        + "sandbox",
    "Restart docker on this node; check that no firewall reload removed nat DOCKER-INGRESS")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        if (subject.Host is null || !subject.Places.Has("host", "iptables-save"))
        {
            yield break;
        }

        foreach (PublishedPort port in subject.Swarm.Ports.Where(port => port.Mode == "ingress" && port.Sandbox is null))
        {
            yield return Found(
                $"port {port.Published}/{port.Protocol.ToString().ToLowerInvariant()} of service {port.Service} has no DNAT rule in the "
                    + $"host's nat table",
                subject.Places.At("host", "iptables-save"));
        }
    }
}
