using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A server whose address no task has.</summary>
internal sealed class ServerWithoutTask() : LintCheck(
    "server-without-task",
    LintSeverity.Fault,
    "the share of connections that goes to this address times out: its task is gone",
    "Have docker clean up: docker service update --force SERVICE; until then ipvsadm -d -f MARK -r SERVER:0 in the "
        + "namespace")
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

            HashSet<Ipv4Address> tasks = [.. docker.Services.SelectMany(service => service.Tasks).Select(task => task.Address)];
            foreach (IpvsServerState server in network.Balancer.IpvsServices.SelectMany(service => service.Servers))
            {
                if (!tasks.Contains(server.Address))
                {
                    yield return Found(
                        $"{network.Balancer.Name} balances to {server.Address}, which no task of network {network.Topology.Name} has",
                        subject.Places.At(network.Balancer.Name, "ipvsadm-save", server.Address.ToString()));
                }
            }
        }
    }
}
