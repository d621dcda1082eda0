namespace FastPathLb.Topology;

/// <summary>A node that is down while its tasks are still balanced to.</summary>
internal sealed class NodeDown() : LintCheck(
    "node-down",
    LintSeverity.Fault,
    "the share of connections that goes to its tasks times out until the manager moves them",
    "Bring the node back, or docker node update --availability drain, and docker node rm once it is gone for good")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (TopologyNode node in subject.Swarm.Nodes.Where(node => node.Status == "Down"))
        {
            string[] tasks =
            [
                .. subject.Swarm.Networks.SelectMany(network => network.Services).SelectMany(service => service.Tasks)
                    .Where(task => task.Node == node.Name && task.Weight > 0).Select(task => task.Name).Distinct(),
            ];
            if (tasks.Length > 0)
            {
                yield return Found(
                    $"node {node.Name} is down, and connections go to its {string.Join(", ", tasks)}",
                        subject.Places.Find("node-ls.txt", node.Name));
            }
        }
    }
}
