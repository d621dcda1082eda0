using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A published port that the host sends to an address that is not the ingress sandbox's.</summary>
internal sealed class PortToOtherAddress() : LintCheck(
    "port-to-other-address",
    LintSeverity.Fault,
    "the published port hangs on this node: its packets go to an address that nobody has, or to a container",
    "Restart docker on this node, so that the rule is made for the sandbox's present address")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        HashSet<Ipv4Address> sandbox =
        [
            .. (subject.Node.Namespaces.GetValueOrDefault("ingress")?.Interfaces ?? []).SelectMany(device => device.Addresses)
                .Select(item => item.Address),
        ];
        foreach (PublishedPort port in subject.Swarm.Ports.Where(port => port.Mode == "ingress" && sandbox.Count > 0))
        {
            if (port.Sandbox is { } address && !sandbox.Contains(address))
            {
                yield return Found(
                    $"port {port.Published}/{port.Protocol.ToString().ToLowerInvariant()} goes to {address}, the ingress sandbox has "
                        + $"{string.Join(", ", sandbox.Where(item => !item.IsLoopback))}",
                    subject.Places.At("host", "iptables-save", "DNAT", address.ToString()));
            }
        }
    }
}
