using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A node that is sent to and never heard.</summary>
internal sealed class TunnelOneWay() : LintCheck(
    "tunnel-one-way",
    LintSeverity.Risk,
    "tasks of one node cannot be reached from the other: something between them takes the tunnel's UDP port (a firewall, or NSX, which uses "
        + "4789 itself), or the capture is of one direction",
    "Capture at both nodes and compare; let UDP 4789 through, or make the swarm anew with docker swarm init --data-path-port")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        // A handshake repeats its first packet three times before most callers give up.
        const int PacketsMin = 4;
        foreach (((Ipv4Address from, Ipv4Address to), TunnelRecord tunnel) in subject.Capture?.Tunnels ?? [])
        {
            if (tunnel.Count >= PacketsMin && !subject.Capture!.Tunnels.ContainsKey((to, from)))
            {
                yield return Found(
                    $"{tunnel.Count} packets of VXLAN from {from} to {to}, and none back (first: frame {tunnel.FirstFrame})",
                    new DumpPlace(subject.Capture.Name, 0));
            }
        }
    }
}
