using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>A service in one network.</summary>
public sealed record TopologyService
{
    /// <summary>Name; the virtual address where no inspect tells the name.</summary>
    public required string Name { get; init; }

    /// <summary>Virtual address; null in endpoint mode dnsrr.</summary>
    public Ipv4Address? VirtualAddress { get; init; }

    /// <summary>Mark on this node; null where this node balances no load for it.</summary>
    public uint? Fwmark { get; init; }

    /// <summary><c>vip</c> or <c>dnsrr</c>.</summary>
    public string EndpointMode { get; init; } = "vip";

    /// <summary>IPVS's scheduler; null where this node balances no load for it.</summary>
    public string? Scheduler { get; init; }

    /// <summary>Tasks.</summary>
    public IReadOnlyList<TopologyTask> Tasks { get; init; } = [];
}

/// <summary>A task's (or another container's) endpoint in a network.</summary>
public sealed record TopologyTask
{
    /// <summary>Name, <c>web.1</c>; the address where no inspect tells the name.</summary>
    public required string Name { get; init; }

    /// <summary>Address.</summary>
    public required Ipv4Address Address { get; init; }

    /// <summary>MAC; null where it is not known.</summary>
    public MacAddress? Mac { get; init; }

    /// <summary>Its node; null where it is not known.</summary>
    public string? Node { get; init; }

    /// <summary>Whether it runs on this node.</summary>
    public bool IsLocal { get; init; }

    /// <summary>Its weight in IPVS; null where it is no real server there.</summary>
    public int? Weight { get; init; }
}

/// <summary>A port that a service publishes.</summary>
/// <param name="Protocol">Protocol.</param>
/// <param name="Published">Port on the nodes.</param>
/// <param name="Target">Port in the task.</param>
/// <param name="Mode"><c>ingress</c>: on all nodes, by the routing mesh; <c>host</c>: on the node of each task.</param>
/// <param name="Service">The service.</param>
/// <param name="Fwmark">Mark that the ingress sandbox gives its packets; null where it gives none.</param>
/// <param name="Sandbox">Address that the host sends its packets to; null where no rule of it does.</param>
public sealed record PublishedPort(
    IpProtocol Protocol, ushort Published, ushort Target, string Mode, string Service, uint? Fwmark, Ipv4Address? Sandbox);
