using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>The short form of a configuration: one network's load balancer, its bridge, and the node below.</summary>
internal sealed record LbConfig
{
    public NodeSection? Node { get; init; }

    public OverlaySection? Overlay { get; init; }

    public BalancerSection? Balancer { get; init; }

    public IReadOnlyList<ServiceSection> Services { get; init; } = [];

    public IReadOnlyList<VtepSection> Vteps { get; init; } = [];

    public IReadOnlyDictionary<string, string> Sysctls { get; init; } = new Dictionary<string, string>();

    public IpvsTimeouts? Timeouts { get; init; }

    /// <summary>Further lines of iptables-save, by table.</summary>
    public IReadOnlyList<(string Table, IReadOnlyList<DumpLine> Lines)> Rules { get; init; } = [];
}

/// <summary>The node's own card.</summary>
internal sealed record NodeSection
{
    public required Ipv4Prefix Address { get; init; }

    public string Device { get; init; } = "eth0";

    public MacAddress? Mac { get; init; }

    public int Mtu { get; init; } = SwarmDevices.UnderlayMtu;

    public Ipv4Address? Gateway { get; init; }
}

/// <summary>The network's bridge and tunnel.</summary>
internal sealed record OverlaySection
{
    public required VxlanState Vxlan { get; init; }

    public Ipv4Prefix? Gateway { get; init; }

    public MacAddress? Mac { get; init; }

    public MacAddress? VxlanMac { get; init; }
}

/// <summary>The load balancer's endpoint.</summary>
internal sealed record BalancerSection
{
    public required Ipv4Prefix Address { get; init; }

    public string Device { get; init; } = "eth0";

    public MacAddress? Mac { get; init; }

    public int Mtu { get; init; } = SwarmDevices.OverlayMtu;

    public Ipv4Address? Gateway { get; init; }

    /// <summary>Neighbours; null: those that the rest tells.</summary>
    public IReadOnlyList<NeighborState>? Neighbors { get; init; }
}

/// <summary>A service with its VIP.</summary>
/// <param name="Name">Name, for people.</param>
/// <param name="Address">VIP that the mark is for, and the balancer's further address.</param>
/// <param name="Service">The IPVS service.</param>
internal sealed record ServiceSection(string? Name, Ipv4Address? Address, IpvsServiceState Service);

/// <summary>Another node with what is behind it.</summary>
/// <param name="Address">Underlay address.</param>
/// <param name="Mac">Its MAC on the underlay.</param>
/// <param name="Endpoints">Overlay addresses with their MACs.</param>
internal sealed record VtepSection(Ipv4Address Address, MacAddress? Mac, IReadOnlyList<(Ipv4Address Address, MacAddress Mac)> Endpoints);

/// <summary>What is said of one namespace in full; a part that is null is left to the short form.</summary>
internal sealed record NamespaceSection
{
    public required string Name { get; init; }

    public IReadOnlyList<InterfaceState>? Interfaces { get; init; }

    public IReadOnlyList<NeighborState>? Neighbors { get; init; }

    public IReadOnlyList<RouteState>? Routes { get; init; }

    public IReadOnlyList<FdbEntryState>? Fdb { get; init; }

    public IReadOnlyList<TableState> Tables { get; init; } = [];

    public IReadOnlyList<IpvsServiceState>? Services { get; init; }

    public bool? IsOrderKnown { get; init; }

    public IpvsTimeouts? Timeouts { get; init; }

    public IReadOnlyDictionary<string, string>? Sysctls { get; init; }
}
