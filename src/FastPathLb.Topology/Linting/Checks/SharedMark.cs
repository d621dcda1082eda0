using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>Two virtual addresses with one mark: two services that get each other's connections.</summary>
internal sealed class SharedMark() : LintCheck(
    "shared-mark",
    LintSeverity.Fault,
    "calls of one service arrive at the tasks of another",
    "Remove the stale rule, or have docker number its marks anew by a restart")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks.Where(item => item.Balancer is not null))
        {
            foreach (
                IGrouping<uint, (Ipv4Address Address, uint Mark)> mark in network.MarkedAddresses().Distinct().GroupBy(item => item.Mark))
            {
                Ipv4Address[] addresses = [.. mark.Select(item => item.Address)];
                if (addresses.Length > 1)
                {
                    yield return Found(
                        $"{network.Balancer!.Name} gives mark 0x{mark.Key:x} to {string.Join(" and ", addresses)}",
                        subject.Places.At(network.Balancer.Name, "iptables-save", addresses[1].ToString(), $"0x{mark.Key:x}"));
                }
            }
        }
    }
}
