using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>One MAC that two addresses of a network have.</summary>
internal sealed class DuplicateMac() : LintCheck(
    "duplicate-mac",
    LintSeverity.Fault,
    "frames for one of the two arrive at the other, or go back and forth between nodes",
    "Give containers no MAC of their own (--mac-address), or different ones")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks)
        {
            List<(MacAddress Mac, Ipv4Address Address)> owners = [];
            owners.AddRange((network.Docker?.Endpoints ?? []).Select(endpoint => (endpoint.Mac, endpoint.Address)));
            owners.AddRange(
                (network.Bridge?.Neighbors ?? []).Where(item => item.Mac is not null).Select(item => (item.Mac!.Value, item.Address)));
            foreach (IGrouping<MacAddress, (MacAddress Mac, Ipv4Address Address)> mac in owners.Distinct().GroupBy(item => item.Mac))
            {
                if (mac.Count() > 1)
                {
                    yield return Found(
                        $"network {network.Topology.Name}: {string.Join(" and ", mac.Select(item => item.Address).Order())} have the "
                            + $"MAC {mac.Key}",
                        network.Bridge is null
                            ? subject.Places.InDocker("network-inspect", mac.Key.ToString())
                            : subject.Places.At(network.Bridge.Name, "ip-neigh", mac.Key.ToString()));
                }
            }
        }
    }
}
