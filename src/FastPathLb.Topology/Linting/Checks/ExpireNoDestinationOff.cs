namespace FastPathLb.Topology;

/// <summary>A load balancer whose connections outlive their server.</summary>
internal sealed class ExpireNoDestinationOff() : LintCheck(
    "expire-nodest-off",
    LintSeverity.Risk,
    "after a task is gone its clients hang until a timeout, UDP for up to five minutes (moby#36878)",
    "sysctl -w net.ipv4.vs.expire_nodest_conn=1 in the load balancer's namespace; docker sets it with each server")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        const string Setting = "net.ipv4.vs.expire_nodest_conn";
        foreach (LintNetwork network in subject.Networks)
        {
            if (network.Balancer is { } space && space.IpvsServices.Count > 0 && space.GetSysctl(Setting, 1) == 0)
            {
                yield return Found($"{space.Name} has {Setting} = 0", subject.Places.At(space.Name, "sysctl", Setting));
            }
        }
    }
}
