using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A load balancer that does not put its own address in for the client's.</summary>
internal sealed class SourceNatMissing() : LintCheck(
    "snat-missing",
    LintSeverity.Fault,
    "connections hang: tasks see the client's own address and answer past the load balancer, and the client drops "
        + "what it did not ask for",
    "Have docker set the rule anew by a restart: nat POSTROUTING -d SUBNET -m ipvs --ipvs -j SNAT --to-source "
        + "ADDRESS of the load balancer")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks.Where(item => item.Balancer is not null && !item.Topology.IsDirectReturn))
        {
            HashSet<Ipv4Address> own = [.. network.Addresses().Select(item => item.Address.Address)];
            RuleState[] rules =
            [
                .. (network.Balancer!.Iptables.Nat.FindChain("POSTROUTING")?.Rules ?? [])
                    .Where(rule => rule is { IpvsMatch: true, TargetKind: RuleTarget.SourceNat }),
            ];
            bool isServing = network.Balancer.IpvsServices.Any(service =>
                service.Fwmark != 0 && service.Servers.Any(server => server.Forwarding == IpvsForwarding.Masq));
            if (isServing && rules.Length == 0)
            {
                yield return Found(
                    $"{network.Balancer.Name} has no SNAT rule for what IPVS sends",
                        subject.Places.At(network.Balancer.Name, "iptables-save"));
            }

            foreach (RuleState rule in rules)
            {
                if (rule.NatAction?.FirstAddress is { } address && !own.Contains(address))
                {
                    yield return Found(
                        $"{network.Balancer.Name} translates to {address}, which is no address of its own",
                        subject.Places.At(network.Balancer.Name, "iptables-save", "SNAT", address.ToString()));
                }
            }
        }
    }
}
