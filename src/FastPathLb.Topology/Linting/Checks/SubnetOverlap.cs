using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>Two networks, or a network and the underlay, with addresses in common.</summary>
internal sealed class SubnetOverlap() : LintCheck(
    "subnet-overlap",
    LintSeverity.Fault,
    "some addresses cannot be reached from containers on both: the first route wins",
    "Recreate one of the two with docker network create --subnet, or choose docker swarm init --default-addr-pool "
        + "apart from the underlay")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        List<(string Name, Ipv4Prefix Subnet, DumpPlace Place)> subnets = [];
        foreach (LintNetwork network in subject.Networks.Where(item => item.Topology.Subnet is not null))
        {
            Ipv4Prefix subnet = network.Topology.Subnet!.Value;
            subnets.Add(($"network {network.Topology.Name}", subnet, subject.Places.InDocker("network-inspect", subnet.ToString())));
        }

        foreach (InterfaceState device in (subject.Host?.Interfaces ?? []).Where(device => device.Kind != "loopback"))
        {
            foreach (InterfaceAddress address in device.Addresses.Where(item => item.PrefixLength < Ipv4Prefix.LengthMax))
            {
                subnets.Add(
                    ($"the host's {device.Name}", new Ipv4Prefix(address.Address, address.PrefixLength),
                        subject.Places.At("host", "ip-addr", address.Address.ToString())));
            }
        }

        for (int one = 0; one < subnets.Count; one++)
        {
            for (int other = one + 1; other < subnets.Count; other++)
            {
                Ipv4Prefix wider = subnets[one].Subnet.Length <= subnets[other].Subnet.Length ? subnets[one].Subnet : subnets[other].Subnet;
                Ipv4Prefix narrower = wider == subnets[one].Subnet ? subnets[other].Subnet : subnets[one].Subnet;
                if (wider.Contains(narrower.Address))
                {
                    yield return Found(
                        $"{subnets[one].Name} ({subnets[one].Subnet}) and {subnets[other].Name} ({subnets[other].Subnet}) have "
                            + $"addresses in common",
                        subnets[other].Place);
                }
            }
        }
    }
}
