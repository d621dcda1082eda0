using FastPathLb.NodeState;

namespace FastPathLb.Topology;

/// <summary>A network whose packets do not fit into the underlay's once VXLAN is around them.</summary>
internal sealed class MtuAboveUnderlay() : LintCheck(
    "mtu-above-underlay",
    LintSeverity.Fault,
    "small answers come, large ones hang: outer packets are fragmented, and clouds and VPNs drop fragments "
        + "(moby#43673)",
    "docker network create -o com.docker.network.driver.mtu=N, with N the underlay's MTU less 50, less 76 where the "
        + "network is encrypted")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        const int VxlanBytes = 50;
        const int EncryptionBytes = 26;
        if (subject.Uplink is not { } uplink)
        {
            yield break;
        }

        foreach (LintNetwork network in subject.Networks)
        {
            int overhead = VxlanBytes + (network.Topology.IsEncrypted ? EncryptionBytes : 0);
            foreach (NamespaceState space in new[] { network.Bridge, network.Balancer }.OfType<NamespaceState>())
            {
                InterfaceState? device = space.Interfaces.FirstOrDefault(item =>
                    item.Mtu + overhead > uplink.Mtu
                    && (item.Vxlan is not null
                        || item.Addresses.Any(address => network.Topology.Subnet?.Contains(address.Address) == true)));
                if (device is not null)
                {
                    yield return Found(
                        $"{device.Name} of {space.Name} has MTU {device.Mtu}; with {overhead} bytes of tunnel that is more than "
                            + $"{uplink.Name}'s {uplink.Mtu}",
                        subject.Places.At(space.Name, "ip-addr", device.Name, "mtu"));
                }
            }
        }
    }
}
