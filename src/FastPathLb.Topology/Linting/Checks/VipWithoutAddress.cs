using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A virtual address that the load balancer does not have.</summary>
internal sealed class VipWithoutAddress() : LintCheck(
    "vip-without-address",
    LintSeverity.Fault,
    "calls of the service fail with no route to host: nobody answers ARP for its virtual address",
    "Have docker set the load balancer up anew: docker service update --force SERVICE, or restart docker on this "
        + "node")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks.Where(item => item.Balancer is not null))
        {
            HashSet<Ipv4Address> own = [.. network.Addresses().Select(item => item.Address.Address)];
            foreach (TopologyService service in network.Topology.Services)
            {
                if (service.VirtualAddress is { } vip && service.Tasks.Count > 0 && !own.Contains(vip))
                {
                    yield return Found(
                        $"service {service.Name} has VIP {vip} in network {network.Topology.Name}, but no device of "
                            + $"{network.Balancer!.Name} has it",
                        subject.Places.At(network.Balancer.Name, "ip-addr"));
                }
            }
        }
    }
}
