using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A task whose frames are sent to a node that does not run it.</summary>
internal sealed class TaskAtOtherNode() : LintCheck(
    "fdb-wrong-node",
    LintSeverity.Fault,
    "connections to this task time out or are reset: its frames go to a node where it is not",
    "Remove the stale task (docker service update --force), and restart docker on this node if the entry stays")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks.Where(item => item.Bridge is not null))
        {
            foreach (DockerNetworkTask task in (network.Docker?.Services ?? []).SelectMany(service => service.Tasks))
            {
                MacAddress mac = LintNetwork.MacOf(new TopologyTask { Name = task.Name, Address = task.Address });
                FdbEntryState? entry = network.Bridge!.Fdb.FirstOrDefault(item => item.Mac == mac && item.Destination is not null);
                if (entry is not null && task.HostAddress is { } host && entry.Destination != host)
                {
                    yield return Found(
                        $"task {TaskNames.Short(task.Name)} ({task.Address}) of network {network.Topology.Name} runs at {host}, its "
                            + $"frames go to {entry.Destination}",
                        subject.Places.At(network.Bridge.Name, "bridge-fdb", mac.ToString(), "dst"));
                }
            }
        }
    }
}
