using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A virtual address that another device than the load balancer's claims in ARP.</summary>
internal sealed class VipAnsweredElsewhere() : LintCheck(
    "arp-for-vip",
    LintSeverity.Fault,
    "calls of the service reach whoever answers first, not the load balancer",
    "Find the container with this MAC: one with the VIP on its own device (old Docker, or direct return without "
        + "arp_ignore=1)")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks.Where(_ => subject.Capture is not null))
        {
            HashSet<MacAddress> own = [.. network.Topology.Balancers.Select(balancer => balancer.Mac)];
            foreach (Ipv4Address vip in network.Topology.Services.Select(service => service.VirtualAddress).OfType<Ipv4Address>())
            {
                foreach (((Ipv4Address address, MacAddress mac), long frame) in subject.Capture!.Claims)
                {
                    if (address == vip && own.Count > 0 && !own.Contains(mac))
                    {
                        yield return Found(
                            $"{mac} claims VIP {vip} of network {network.Topology.Name} (frame {frame})",
                                new DumpPlace(subject.Capture.Name, 0));
                    }
                }
            }
        }
    }
}
