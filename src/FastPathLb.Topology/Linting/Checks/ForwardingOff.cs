using FastPathLb.NodeState;

namespace FastPathLb.Topology;

/// <summary>A load balancer or host that forwards no packets.</summary>
internal sealed class ForwardingOff() : LintCheck(
    "ip-forward-off",
    LintSeverity.Fault,
    "connections hang: requests reach the tasks, but their replies end at the load balancer (moby#38723)",
    "sysctl -w net.ipv4.ip_forward=1 on the host before docker starts, so that namespaces inherit it; in a running "
        + "one, by nsenter")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        const string Setting = "net.ipv4.ip_forward";
        IEnumerable<NamespaceState?> spaces = subject.Networks.Select(network => network.Balancer).Append(subject.Host);
        foreach (NamespaceState space in spaces.OfType<NamespaceState>())
        {
            if (space.GetSysctl(Setting, 1) == 0)
            {
                yield return Found($"{space.Name} has {Setting} = 0", subject.Places.At(space.Name, "sysctl", Setting));
            }
        }
    }
}
