using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A server left at weight 0: it gets no new connections though its task runs.</summary>
internal sealed class WeightZero() : LintCheck(
    "weight-zero",
    LintSeverity.Fault,
    "the task idles while others get its share; if all servers of a service are at 0, connections are refused",
    "A task that was drained and came back keeps weight 0: remove and add the server (docker service update --force "
        + "SERVICE), or ipvsadm -e -f MARK -r SERVER:0 -m -w 1 in the namespace")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks.Where(item => item.Balancer is not null))
        {
            HashSet<Ipv4Address>? running = network.Docker is { IsVerbose: true } docker
                ? [.. docker.Services.SelectMany(service => service.Tasks).Select(task => task.Address)]
                : null;
            foreach (IpvsServiceState service in network.Balancer!.IpvsServices)
            {
                foreach (IpvsServerState server in service.Servers.Where(server => server.Weight == 0))
                {
                    if (running?.Contains(server.Address) ?? service.Servers.All(other => other.Weight == 0))
                    {
                        yield return Found(
                            $"server {server.Address} of mark 0x{service.Fwmark:x} in {network.Balancer.Name} has weight 0, and its "
                                + $"task is there",
                            subject.Places.At(network.Balancer.Name, "ipvsadm-save", server.Address.ToString()));
                    }
                }
            }
        }
    }
}
