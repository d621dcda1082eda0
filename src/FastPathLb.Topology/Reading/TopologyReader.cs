using FastPathLb.NodeState;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Topology;

/// <summary>Puts a node's files together into one picture of the swarm. Begin here.</summary>
public static class TopologyReader
{
    private const string GatewayBridge = "docker_gwbridge";

    /// <summary>The swarm as the node knows it.</summary>
    public static SwarmTopology Read(NodeDump node)
    {
        NodeDirectory directory = new(node);
        List<string> notes = [.. node.Inferred];
        List<TopologyNetwork> networks = [];
        foreach (OverlaySource source in OverlaySource.Of(node))
        {
            networks.Add(new NetworkReader(node, directory, source).Read());
        }

        if (node.Docker.FindNetwork(GatewayBridge) is { } bridge)
        {
            networks.Add(ReadBridge(bridge, node, directory));
        }

        foreach (TopologyNetwork network in networks.Where(network => network is { Driver: "overlay", Balancers.Count: 0 }))
        {
            notes.Add($"No file tells the address of network {network.Name}'s load balancer.");
        }

        return new SwarmTopology
        {
            Origin = node.Origin,
            Nodes = directory.Nodes,
            Networks = networks,
            Ports = [.. PortReader.Read(node)],
            Notes = notes,
        };
    }

    // The host's own bridge: the ingress sandbox and the tasks reach the world by it.
    private static TopologyNetwork ReadBridge(DockerNetwork network, NodeDump node, NodeDirectory directory) => new()
    {
        Name = network.Name,
        Id = network.Id,
        Driver = network.Driver,
        Subnet = network.Subnets is [DockerSubnet subnet, ..] ? subnet.Subnet : null,
        Gateway = network.Subnets is [DockerSubnet first, ..] ? first.Gateway : null,
        MtuBytes = node.Namespaces.GetValueOrDefault("host")?.FindInterface(network.Name)?.Mtu ?? network.Mtu,
        Others =
        [
            .. network.Endpoints.Select(endpoint => new TopologyTask
            {
                Name = ContainerName(node.Docker, endpoint),
                Address = endpoint.Address,
                Mac = endpoint.Mac,
                Node = directory.NameOf(null),
                IsLocal = true,
            }).OrderBy(endpoint => endpoint.Address),
        ],
    };

    private static string ContainerName(DockerState docker, DockerEndpoint endpoint) =>
        docker.Containers.FirstOrDefault(container => container.Id == endpoint.ContainerId) is { } container
            ? TaskNames.Short(container.Name)
            : endpoint.ContainerId == "ingress-sbox" ? "ingress sandbox" : endpoint.Name;
}
