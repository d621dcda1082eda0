using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A running task that IPVS does not know.</summary>
internal sealed class TaskWithoutServer() : LintCheck(
    "task-without-server",
    LintSeverity.Fault,
    "the task gets no connections from this node",
    "Have docker announce it again: docker service update --force SERVICE")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks)
        {
            if (network.Docker is not { IsVerbose: true } docker || network.Balancer is null)
            {
                continue;
            }

            HashSet<Ipv4Address> servers = [.. network.Balancer.IpvsServices.SelectMany(service => service.Servers)
                .Select(server => server.Address)];
            foreach (
                DockerNetworkTask task in docker.Services.Where(service => service.VirtualAddress is not null)
                    .SelectMany(service => service.Tasks))
            {
                if (!servers.Contains(task.Address))
                {
                    yield return Found(
                        $"task {TaskNames.Short(task.Name)} ({task.Address}) of network {network.Topology.Name} is no server in "
                            + $"{network.Balancer.Name}",
                        subject.Places.At(network.Balancer.Name, "ipvsadm-save"));
                }
            }
        }
    }
}
