using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A virtual address whose packets get no mark.</summary>
internal sealed class VipWithoutMark() : LintCheck(
    "vip-without-mark",
    LintSeverity.Fault,
    "connections to the virtual address are refused: without a mark the load balancer takes the packets for its "
        + "own, and nobody listens there",
    "Have docker set the rules anew: docker service update --force SERVICE; check that nothing flushes mangle in "
        + "the load balancer's namespace")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks.Where(item => item.Balancer is not null))
        {
            HashSet<Ipv4Address> marked = [.. network.MarkedAddresses().Select(item => item.Address)];
            HashSet<Ipv4Address> served = [.. network.Balancer!.IpvsServices.Where(service => service.Fwmark == 0)
                .Select(service => service.Address)];
            foreach ((InterfaceState device, InterfaceAddress address) in network.Addresses())
            {
                if (address.PrefixLength == Ipv4Prefix.LengthMax && !marked.Contains(address.Address) && !served.Contains(address.Address))
                {
                    yield return Found(
                        $"{device.Name} of {network.Balancer.Name} has VIP {address.Address}, which no mangle rule marks",
                        subject.Places.At(network.Balancer.Name, "ip-addr", address.Address.ToString()));
                }
            }
        }
    }
}
