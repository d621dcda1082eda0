namespace FastPathLb.Topology;

/// <summary>IPVS without connection tracking: its packets escape the SNAT rule.</summary>
internal sealed class ConntrackOff() : LintCheck(
    "vs-conntrack-off",
    LintSeverity.Fault,
    "connections hang: tasks see the client's own address and answer past the load balancer",
    "sysctl -w net.ipv4.vs.conntrack=1 in the load balancer's namespace; docker sets it with the first service")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        const string Setting = "net.ipv4.vs.conntrack";
        foreach (LintNetwork network in subject.Networks)
        {
            if (network.Balancer is { } space && !network.Topology.IsDirectReturn && space.IpvsServices.Count > 0
                && space.GetSysctl(Setting, 1) == 0)
            {
                yield return Found($"{space.Name} has {Setting} = 0", subject.Places.At(space.Name, "sysctl", Setting));
            }
        }
    }
}
