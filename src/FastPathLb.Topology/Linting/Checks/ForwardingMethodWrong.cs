using FastPathLb.NodeState;

namespace FastPathLb.Topology;

/// <summary>Servers that IPVS reaches otherwise than the network's option says.</summary>
internal sealed class ForwardingMethodWrong() : LintCheck(
    "forwarding-method",
    LintSeverity.Fault,
    "connections to some tasks hang: a task without the VIP on its lo drops what comes for it, and one with it answers past a load "
        + "balancer that translates",
    "The option dsr counts when a network is made: recreate it, or remove and add the server in the load balancer's namespace "
        + "(ipvsadm -d, then -a with -g on a network with --opt dsr, -m elsewhere)")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks.Where(item => item is { Docker: not null, Balancer: not null }))
        {
            IpvsForwarding right = network.Docker!.IsDirectReturn ? IpvsForwarding.Route : IpvsForwarding.Masq;
            foreach (IpvsServiceState service in network.Balancer!.IpvsServices.Where(service => service.Fwmark != 0))
            {
                foreach (IpvsServerState server in service.Servers.Where(server => server.Forwarding != right))
                {
                    yield return Found(
                        $"server {server.Address} of mark 0x{service.Fwmark:x} in {network.Balancer.Name} is reached by {server.Forwarding}, but "
                            + $"network {network.Topology.Name} was made {(network.Docker.IsDirectReturn ? "with" : "without")} --opt dsr",
                        subject.Places.At(network.Balancer.Name, "ipvsadm-save", server.Address.ToString()));
                }
            }
        }
    }
}
