using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>One address that two devices claim in ARP.</summary>
internal sealed class AddressClaimedTwice() : LintCheck(
    "arp-claimed-twice",
    LintSeverity.Fault,
    "connections to this address reach one or the other by chance",
    "Find both by their MACs, and remove one")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (IGrouping<Ipv4Address, KeyValuePair<(Ipv4Address Address, MacAddress Mac), long>> address in
            (subject.Capture?.Claims ?? []).GroupBy(claim => claim.Key.Address))
        {
            if (address.Count() > 1)
            {
                yield return Found(
                    $"{address.Key} is claimed by "
                        + $"{string.Join(" and ", address.Select(claim => $"{claim.Key.Mac} (frame {claim.Value})"))}",
                    new DumpPlace(subject.Capture!.Name, 0));
            }
        }
    }
}
