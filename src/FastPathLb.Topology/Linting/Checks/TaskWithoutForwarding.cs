using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A task on another node that no frame is sent to: its MAC is not in the forwarding database.</summary>
internal sealed class TaskWithoutForwarding() : LintCheck(
    "task-without-fdb",
    LintSeverity.Fault,
    "the share of connections that goes to this task times out: its frames are dropped at the tunnel, and nobody is "
        + "told",
    "Restart the task's container or docker on its node, so that it is announced again; check that UDP and TCP 7946 "
        + "pass between the nodes")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks)
        {
            foreach (TopologyTask task in network.RemoteTasks())
            {
                MacAddress mac = LintNetwork.MacOf(task);
                if (!network.Bridge!.Fdb.Any(entry => entry.Mac == mac && entry.Destination is not null))
                {
                    yield return Found(
                        $"task {task.Name} ({task.Address}) of network {network.Topology.Name} has no entry for {mac} that names its node",
                        subject.Places.At(network.Bridge.Name, "bridge-fdb"));
                }
            }
        }
    }
}
