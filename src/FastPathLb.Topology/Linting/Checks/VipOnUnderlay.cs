namespace FastPathLb.Topology;

/// <summary>A virtual address inside of VXLAN: it should have been a task's by then.</summary>
internal sealed class VipOnUnderlay() : LintCheck(
    "vip-on-underlay",
    LintSeverity.Risk,
    "calls cross to another node before they are balanced: there the load balancer answers, or nobody",
    "Look at the client's node: its load balancer should have the VIP; a network made with --opt dsr is different, "
        + "and right")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (
            LintNetwork network in subject.Networks.Where(
                item => subject.Capture is not null && !item.Topology.IsDirectReturn && item.Docker is not null))
        {
            foreach (TopologyService service in network.Topology.Services)
            {
                if (service.VirtualAddress is { } vip && network.Topology.Vni is { } vni
                    && subject.Capture!.TunnelDestinations.TryGetValue((vni.Value, vip), out long frame))
                {
                    yield return Found(
                        $"VXLAN of network {network.Topology.Name} carries packets to VIP {vip} of {service.Name} (frame {frame})",
                        new DumpPlace(subject.Capture.Name, 0));
                }
            }
        }
    }
}
