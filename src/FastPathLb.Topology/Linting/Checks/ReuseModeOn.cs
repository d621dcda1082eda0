namespace FastPathLb.Topology;

/// <summary>A load balancer that drops the first SYN of a client port used again.</summary>
internal sealed class ReuseModeOn() : LintCheck(
    "conn-reuse-mode",
    LintSeverity.Risk,
    "some connections take a second longer under load: the first SYN from a port that was used before is dropped "
        + "(moby#35082)",
    "sysctl -w net.ipv4.vs.conn_reuse_mode=0 in the load balancer's namespace; docker sets it with each server")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        const string Setting = "net.ipv4.vs.conn_reuse_mode";
        foreach (LintNetwork network in subject.Networks)
        {
            if (network.Balancer is { } space && space.IpvsServices.Count > 0 && space.GetSysctl(Setting, 0) != 0)
            {
                yield return Found(
                    $"{space.Name} has {Setting} = {space.GetSysctl(Setting, 0)}", subject.Places.At(space.Name, "sysctl", Setting));
            }
        }
    }
}
