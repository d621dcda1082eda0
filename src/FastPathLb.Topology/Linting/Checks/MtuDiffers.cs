using FastPathLb.NodeState;

namespace FastPathLb.Topology;

/// <summary>Devices of one network that do not agree how large a packet is.</summary>
internal sealed class MtuDiffers() : LintCheck(
    "mtu-differs",
    LintSeverity.Risk,
    "large packets are dropped at the bridge without a word where the smaller MTU is",
    "Set the MTU by the network's option com.docker.network.driver.mtu, not at devices; recreate the network")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks)
        {
            InterfaceState? tunnel = network.Bridge?.Interfaces.FirstOrDefault(device => device.Vxlan is not null);
            InterfaceState? end = network.Addresses()
                .FirstOrDefault(item => network.Topology.Subnet?.Contains(item.Address.Address) == true).Device;
            if (tunnel is not null && end is not null && tunnel.Mtu != end.Mtu)
            {
                yield return Found(
                    $"network {network.Topology.Name}: {tunnel.Name} has MTU {tunnel.Mtu}, {end.Name} of {network.Balancer!.Name} has "
                        + $"{end.Mtu}",
                    subject.Places.At(network.Balancer.Name, "ip-addr", end.Name, "mtu"));
            }
        }
    }
}
