using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>One address that two of a network have.</summary>
internal sealed class DuplicateAddress() : LintCheck(
    "duplicate-address",
    LintSeverity.Fault,
    "connections to this address reach one or the other by chance",
    "Remove one of the two (docker service update --force, or docker network disconnect), and restart docker on the "
        + "manager that gave the address twice")
{
    /// <inheritdoc/>
    public override IEnumerable<LintFinding> Find(LintSubject subject)
    {
        foreach (LintNetwork network in subject.Networks)
        {
            List<(Ipv4Address Address, string Owner)> owners = [];
            foreach (DockerEndpoint endpoint in network.Docker?.Endpoints ?? [])
            {
                owners.Add((endpoint.Address, TaskNames.Short(endpoint.Name)));
            }

            foreach (DockerNetworkTask task in (network.Docker?.Services ?? []).SelectMany(service => service.Tasks))
            {
                owners.Add((task.Address, TaskNames.Short(task.Name)));
            }

            foreach (TopologyService service in network.Topology.Services.Where(service => service.VirtualAddress is not null))
            {
                owners.Add((service.VirtualAddress!.Value, $"the VIP of {service.Name}"));
            }

            if (network.Topology.Gateway is { } gateway)
            {
                owners.Add((gateway, "the bridge"));
            }

            foreach (IGrouping<Ipv4Address, (Ipv4Address Address, string Owner)> address in owners.Distinct().GroupBy(item => item.Address))
            {
                if (address.Count() > 1)
                {
                    yield return Found(
                        $"network {network.Topology.Name}: {address.Key} is {string.Join(" and ", address.Select(item => item.Owner))}",
                        subject.Places.InDocker("network-inspect", address.Key.ToString()));
                }
            }
        }
    }
}
