using FastPathLb.NodeState;

namespace FastPathLb.Topology;

/// <summary>A device of the way that is down.</summary>
internal sealed class DeviceDown() : LintCheck(
    "device-down",
    LintSeverity.Fault,
    "nothing that goes by this device arrives",
    "Bring it up (ip link set DEVICE up in its namespace), or restart docker on this node")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks)
        {
            foreach (NamespaceState space in new[] { network.Bridge, network.Balancer }.OfType<NamespaceState>())
            {
                foreach (InterfaceState device in space.Interfaces.Where(device => !device.IsUp && device.Kind != "loopback"))
                {
                    yield return Found(
                        $"{device.Name} of {space.Name} is down", subject.Places.At(space.Name, "ip-addr", device.Name, "mtu"));
                }
            }
        }

        if (subject.Uplink is { IsUp: false } uplink)
        {
            yield return Found($"{uplink.Name} of the host is down", subject.Places.At("host", "ip-addr", uplink.Name, "mtu"));
        }
    }
}
