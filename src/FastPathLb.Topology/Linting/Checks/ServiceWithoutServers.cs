using FastPathLb.NodeState;

namespace FastPathLb.Topology;

/// <summary>An IPVS service that has no server.</summary>
internal sealed class ServiceWithoutServers() : LintCheck(
    "service-without-servers",
    LintSeverity.Fault,
    "connections to the service are refused at once: there is no task to send them to",
    "Look whether the service has running tasks (docker service ps); if it has, docker service update --force "
        + "SERVICE")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks.Where(item => item.Balancer is not null))
        {
            foreach (IpvsServiceState service in network.Balancer!.IpvsServices.Where(service => service.Servers.Count == 0))
            {
                yield return Found(
                    service.Fwmark == 0
                        ? $"{network.Balancer.Name} has an IPVS service at {service.Address}:{service.Port} without a server"
                        : $"{network.Balancer.Name} has an IPVS service for mark 0x{service.Fwmark:x} without a server",
                    subject.Places.At(network.Balancer.Name, "ipvsadm-save"));
            }
        }
    }
}
