using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A node of the swarm.</summary>
public sealed record TopologyNode
{
    /// <summary>Host name; its underlay address where the name is not known.</summary>
    public required string Name { get; init; }

    /// <summary>Identifier; empty where it is not known.</summary>
    public string Id { get; init; } = "";

    /// <summary>Underlay address, to which frames for its tasks are sent; null where it is not known.</summary>
    public Ipv4Address? Address { get; init; }

    /// <summary>Whether the files are this node's.</summary>
    public bool IsSelf { get; init; }

    /// <summary><c>Ready</c> or <c>Down</c>; empty where it is not known.</summary>
    public string Status { get; init; } = "";

    /// <summary><c>Active</c>, <c>Pause</c> or <c>Drain</c>.</summary>
    public string Availability { get; init; } = "";

    /// <summary><c>Leader</c>, <c>Reachable</c>, or empty for a worker.</summary>
    public string ManagerStatus { get; init; } = "";

    /// <summary>Docker's version.</summary>
    public string EngineVersion { get; init; } = "";
}
