namespace FastPathLb.Topology;

/// <summary>The swarm as one node knows it: nodes, networks with their services and tasks, published ports.</summary>
/// <remarks>Immutable. What Docker's inspects say, and where they are silent or absent, what the kernel's tables say.</remarks>
public sealed record SwarmTopology
{
    /// <summary>Folder the node's files were read from.</summary>
    public required string Origin { get; init; }

    /// <summary>Nodes, the one whose files these are first.</summary>
    public required IReadOnlyList<TopologyNode> Nodes { get; init; }

    /// <summary>Networks, the routing mesh's first, the bridge to the host last.</summary>
    public required IReadOnlyList<TopologyNetwork> Networks { get; init; }

    /// <summary>Ports that services publish.</summary>
    public required IReadOnlyList<PublishedPort> Ports { get; init; }

    /// <summary>What is not known, one sentence each.</summary>
    public required IReadOnlyList<string> Notes { get; init; }
}
