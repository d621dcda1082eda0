using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>Tunnel packets for a network that this node does not have.</summary>
internal sealed class UnknownVni() : LintCheck(
    "unknown-vni",
    LintSeverity.Risk,
    "whoever sends them waits in vain: this node drops them",
    "Another node holds an entry for a task that is no longer here: restart docker there")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        HashSet<uint> known = [.. subject.Networks.Select(network => network.Topology.Vni?.Value).OfType<uint>()];
        foreach (((uint vni, Ipv4Address node), long frame) in subject.Capture?.Vnis ?? [])
        {
            if (node == subject.SelfAddress && known.Count > 0 && !known.Contains(vni))
            {
                yield return Found(
                    $"VXLAN for {node} has VNI {vni} (frame {frame}); this node has {string.Join(", ", known.Order())}",
                        new DumpPlace(subject.Capture!.Name, 0));
            }
        }
    }
}
