using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Docker's own view, from its inspects; each list is empty where there was none.</summary>
public sealed record DockerState
{
    /// <summary>Nothing known.</summary>
    public static DockerState Empty { get; } = new();

    /// <summary>Networks (<c>docker network inspect [-v]</c>).</summary>
    public IReadOnlyList<DockerNetwork> Networks { get; init; } = [];

    /// <summary>Services (<c>docker service inspect</c>).</summary>
    public IReadOnlyList<DockerService> Services { get; init; } = [];

    /// <summary>Containers of this node (<c>docker inspect</c>).</summary>
    public IReadOnlyList<DockerContainer> Containers { get; init; } = [];

    /// <summary>Tasks of the whole swarm (<c>docker inspect</c> of tasks).</summary>
    public IReadOnlyList<DockerTask> Tasks { get; init; } = [];

    /// <summary>Tasks as <c>docker service ps</c> lists them, with the node that each is on.</summary>
    public IReadOnlyList<DockerListedTask> ListedTasks { get; init; } = [];

    /// <summary>Nodes (<c>docker node ls</c>).</summary>
    public IReadOnlyList<DockerNode> Nodes { get; init; } = [];

    /// <summary>What Docker says of itself (<c>docker info</c>); null where it was not asked.</summary>
    public DockerInfo? Info { get; init; }

    /// <summary>The network of that name or identifier, or null.</summary>
    public DockerNetwork? FindNetwork(string nameOrId)
    {
        foreach (DockerNetwork network in Networks)
        {
            if (network.Name == nameOrId || network.Id == nameOrId)
            {
                return network;
            }
        }

        return null;
    }

    /// <summary>
    /// The network of a device by its address: the one with an endpoint of that address and MAC, else the one whose
    /// subnet holds it.
    /// </summary>
    public DockerNetwork? FindNetworkOf(Ipv4Address address, MacAddress mac)
    {
        DockerNetwork? bySubnet = null;
        foreach (DockerNetwork network in Networks)
        {
            foreach (DockerEndpoint endpoint in network.Endpoints)
            {
                if (endpoint.Address == address && endpoint.Mac == mac)
                {
                    return network;
                }
            }

            bySubnet ??= network.Contains(address) ? network : null;
        }

        return bySubnet;
    }
}

/// <summary>What <c>docker info</c> says of the swarm.</summary>
/// <param name="NodeId">The node's identifier, as <c>docker node ls</c> has it; empty where not told.</param>
/// <param name="NodeAddress">The node's own underlay address; null where it is in no swarm.</param>
/// <param name="DataPathPort">UDP port of VXLAN (<c>--data-path-port</c>), which managers alone know; null where not told.</param>
public sealed record DockerInfo(string NodeId, Ipv4Address? NodeAddress, int? DataPathPort);

/// <summary>A node of the swarm, one line of <c>docker node ls</c>.</summary>
/// <param name="Id">Identifier.</param>
/// <param name="HostName">Name.</param>
/// <param name="IsSelf">Whether it is the node that was asked (<c>*</c>).</param>
/// <param name="Status"><c>Ready</c> or <c>Down</c>.</param>
/// <param name="Availability"><c>Active</c>, <c>Pause</c> or <c>Drain</c>.</param>
/// <param name="ManagerStatus"><c>Leader</c>, <c>Reachable</c>, or empty for a worker.</param>
/// <param name="EngineVersion">Docker's version there.</param>
public sealed record DockerNode(
    string Id,
    string HostName,
    bool IsSelf,
    string Status,
    string Availability,
    string ManagerStatus,
    string EngineVersion);

/// <summary>A task, one line of <c>docker service ps</c>.</summary>
/// <param name="Id">First letters of its identifier.</param>
/// <param name="Name">Service and number, <c>web.1</c>.</param>
/// <param name="NodeName">Name of its node; empty while it has none.</param>
/// <param name="DesiredState"><c>Running</c>, <c>Shutdown</c> …</param>
public sealed record DockerListedTask(string Id, string Name, string NodeName, string DesiredState);
