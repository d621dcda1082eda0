using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>One device as <c>ip -d addr</c> shows it.</summary>
public sealed record InterfaceState
{
    /// <summary>Number of the device in its namespace.</summary>
    public required int Index { get; init; }

    /// <summary>Name, for example <c>eth0</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Index of the other end (<c>eth0@if4</c>), in that end's namespace.</summary>
    public int? PeerIndex { get; init; }

    /// <summary>Whether the UP flag is set.</summary>
    public bool IsUp { get; init; } = true;

    /// <summary>Ethernet address; zero for devices that have none.</summary>
    public MacAddress Mac { get; init; }

    /// <summary>Largest IP packet in bytes.</summary>
    public int Mtu { get; init; } = 1500;

    /// <summary><c>loopback</c>, <c>ether</c> (a network card), <c>veth</c>, <c>bridge</c>, <c>vxlan</c>, <c>dummy</c> …</summary>
    public string Kind { get; init; } = "ether";

    /// <summary>Bridge that the device is a port of.</summary>
    public string? Master { get; init; }

    /// <summary>IPv4 addresses, the primary first.</summary>
    public IReadOnlyList<InterfaceAddress> Addresses { get; init; } = [];

    /// <summary>Tunnel settings of a VXLAN device.</summary>
    public VxlanState? Vxlan { get; init; }
}

/// <summary>One IPv4 address of a device.</summary>
/// <param name="Address">The address.</param>
/// <param name="PrefixLength">Length of its subnet's prefix, 32 for a VIP.</param>
/// <param name="Scope"><c>global</c>, <c>link</c> or <c>host</c>.</param>
public sealed record InterfaceAddress(Ipv4Address Address, int PrefixLength, string Scope);

/// <summary>Settings of a VXLAN device.</summary>
public sealed record VxlanState
{
    /// <summary>UDP port that Docker uses unless told otherwise.</summary>
    public const int DefaultPort = 4789;

    /// <summary>Network identifier.</summary>
    public required Vni Vni { get; init; }

    /// <summary>Underlay source address; null: the host's route decides.</summary>
    public Ipv4Address? Local { get; init; }

    /// <summary>UDP port sent to and listened on.</summary>
    public int DestinationPort { get; init; } = DefaultPort;

    /// <summary>Whether the device answers ARP from its permanent neighbours and sends none out.</summary>
    public bool Proxy { get; init; } = true;

    /// <summary>Whether source addresses of received frames are learnt.</summary>
    public bool Learning { get; init; } = true;

    /// <summary>Whether a destination without FDB entry is reported to user space.</summary>
    public bool L2Miss { get; init; } = true;

    /// <summary>Whether an address without neighbour entry is reported to user space.</summary>
    public bool L3Miss { get; init; } = true;

    /// <summary>Whether outer UDP checksums are computed (<c>udpcsum</c>; the kernel's default).</summary>
    public bool UdpChecksum { get; init; } = true;

    /// <summary>Life of a learnt entry; 0: for ever.</summary>
    public int AgeingSeconds { get; init; } = 300;

    /// <summary>First source port; 0 with <see cref="SourcePortHigh"/> 0: the host's local port range.</summary>
    public int SourcePortLow { get; init; }

    /// <summary>One past the last source port.</summary>
    public int SourcePortHigh { get; init; }
}
