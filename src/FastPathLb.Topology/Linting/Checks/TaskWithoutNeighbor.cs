namespace FastPathLb.Topology;

/// <summary>A task on another node whose address nobody answers ARP for: the tunnel has no neighbour entry.</summary>
internal sealed class TaskWithoutNeighbor() : LintCheck(
    "task-without-neighbor",
    LintSeverity.Fault,
    "connections to this task fail with no route to host after three seconds: ARP for it ends at the tunnel, which "
        + "has no answer",
    "As for task-without-fdb: have the task announced again; the entry is 'ip neigh add ADDRESS lladdr MAC dev "
        + "vxlan0 nud permanent' in the network's namespace")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks)
        {
            if (network.Bridge?.Interfaces.FirstOrDefault(device => device.Vxlan is not null) is not { Vxlan.Proxy: true } tunnel)
            {
                continue;
            }

            foreach (TopologyTask task in network.RemoteTasks())
            {
                if (!network.Bridge.Neighbors.Any(neighbor =>
                    neighbor.Address == task.Address && neighbor.Device == tunnel.Name && neighbor.Mac is not null
                        && neighbor.State != "FAILED"))
                {
                    yield return Found(
                        $"task {task.Name} ({task.Address}) of network {network.Topology.Name} has no neighbour entry at {tunnel.Name}",
                        subject.Places.At(network.Bridge.Name, "ip-neigh"));
                }
            }
        }
    }
}
