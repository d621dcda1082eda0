using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>Tunnel packets that are cut up between nodes.</summary>
internal sealed class OuterFragments() : LintCheck(
    "outer-fragments",
    LintSeverity.Fault,
    "large answers are slow or hang: each lost fragment loses the whole packet, and clouds and VPNs drop fragments",
    "Lower the network's MTU (see mtu-above-underlay), or raise the underlay's")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        HashSet<Ipv4Address> nodes = [.. subject.Swarm.Nodes.Select(node => node.Address).OfType<Ipv4Address>()];
        foreach (((Ipv4Address from, Ipv4Address to), (long count, long first)) in subject.Capture?.UdpFragments ?? [])
        {
            if (nodes.Contains(from) && nodes.Contains(to))
            {
                yield return Found(
                    $"{count} fragments of UDP from {from} to {to} (first: frame {first})", new DumpPlace(subject.Capture!.Name, 0));
            }
        }
    }
}
