using FastPathLb.NodeState;

namespace FastPathLb.Discovery;

/// <summary>
/// The network of a hand-written configuration: Docker's files tell of none, and its services' names are all the names there are.
/// </summary>
internal static class ConfiguredNetwork
{
    /// <summary>Its name, as in <c>web.lb</c>: that of the section that has the load balancer.</summary>
    private const string Name = "lb";

    /// <summary>Docker's files of a state; where they have no overlay network, with that of its configuration.</summary>
    public static DockerState AddTo(NodeState.NodeState state)
    {
        if (state.NamedServices.Count == 0 || state.Docker.Networks.Any(network => network is { IsOverlay: true, IsIngress: false }))
        {
            return state.Docker;
        }

        DockerNetwork network = new()
        {
            Name = Name,
            Driver = "overlay",
            Services =
            [
                .. state.NamedServices.Select(service => new DockerNetworkService(
                    service.Name, service.Address, [], 0,
                    [.. service.Servers.Select(server => new DockerNetworkTask("", "", server, null))])),
            ],
        };
        return state.Docker with { Networks = [.. state.Docker.Networks, network] };
    }
}
