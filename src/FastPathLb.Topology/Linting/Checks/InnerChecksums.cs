using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>Another node whose card spoils what is inside of the tunnel.</summary>
internal sealed class InnerChecksums() : LintCheck(
    "inner-checksums",
    LintSeverity.Fault,
    "pings pass and connections hang: the receiving task drops what has a wrong sum (moby#41775: vmxnet3 and other cards that offload "
        + "checksums without knowing VXLAN)",
    "On the sending node: ethtool -K IF tx-checksum-ip-generic off (or tx off), for the underlay's card")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (((Ipv4Address from, Ipv4Address to), TunnelRecord tunnel) in subject.Capture?.Tunnels ?? [])
        {
            // What this node sends is seen before its own card finishes it.
            if (tunnel.WrongCount > 0 && from != subject.SelfAddress)
            {
                yield return Found(
                    $"{tunnel.WrongCount} of {tunnel.Count} packets in VXLAN from {from} to {to} have a wrong TCP or UDP checksum within "
                        + $"(first: frame {tunnel.WrongFrame})",
                    new DumpPlace(subject.Capture!.Name, 0));
            }
        }
    }
}
