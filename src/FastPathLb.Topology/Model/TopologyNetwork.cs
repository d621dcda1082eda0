using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A network with what is on it.</summary>
public sealed record TopologyNetwork
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Identifier; empty where no inspect tells it.</summary>
    public string Id { get; init; } = "";

    /// <summary><c>overlay</c> or <c>bridge</c>.</summary>
    public required string Driver { get; init; }

    /// <summary>VXLAN identifier.</summary>
    public Vni? Vni { get; init; }

    /// <summary>UDP port of its VXLAN.</summary>
    public int? VxlanPort { get; init; }

    /// <summary>Subnet.</summary>
    public Ipv4Prefix? Subnet { get; init; }

    /// <summary>The bridge's own address.</summary>
    public Ipv4Address? Gateway { get; init; }

    /// <summary>Largest packet, in bytes.</summary>
    public int? MtuBytes { get; init; }

    /// <summary>Whether it is the routing mesh's.</summary>
    public bool IsIngress { get; init; }

    /// <summary>Whether its VXLAN is encrypted.</summary>
    public bool IsEncrypted { get; init; }

    /// <summary>Whether its load balancers forward without translation.</summary>
    public bool IsDirectReturn { get; init; }

    /// <summary>Load balancers' endpoints, one a node.</summary>
    public IReadOnlyList<BalancerEndpoint> Balancers { get; init; } = [];

    /// <summary>Services.</summary>
    public IReadOnlyList<TopologyService> Services { get; init; } = [];

    /// <summary>Endpoints of no service: containers that were attached, ends on the host's bridge.</summary>
    public IReadOnlyList<TopologyTask> Others { get; init; } = [];

    /// <summary>Tunnel endpoints of other nodes, with what lies behind each by the forwarding database.</summary>
    public IReadOnlyList<TopologyVtep> Vteps { get; init; } = [];
}

/// <summary>A load balancer's endpoint on a network.</summary>
/// <param name="Node">Its node.</param>
/// <param name="Address">Its address, which real servers see as their client's.</param>
/// <param name="Mac">Its MAC.</param>
/// <param name="IsSelf">Whether it is this node's.</param>
public sealed record BalancerEndpoint(string Node, Ipv4Address Address, MacAddress Mac, bool IsSelf);

/// <summary>A tunnel endpoint.</summary>
/// <param name="Address">Underlay address.</param>
/// <param name="Node">Its node.</param>
/// <param name="Endpoints">What frames are sent there for.</param>
public sealed record TopologyVtep(Ipv4Address Address, string Node, IReadOnlyList<VtepEndpoint> Endpoints);

/// <summary>An endpoint behind a tunnel endpoint.</summary>
/// <param name="Mac">MAC in the forwarding database.</param>
/// <param name="Address">Address that neighbours resolve to it; null where none does.</param>
public sealed record VtepEndpoint(MacAddress Mac, Ipv4Address? Address);
