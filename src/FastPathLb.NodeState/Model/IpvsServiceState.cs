using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>How IPVS sends to a real server.</summary>
public enum IpvsForwarding
{
    /// <summary>Network address translation (<c>-m</c>).</summary>
    Masq,

    /// <summary>Direct return: the frame is sent on unchanged (<c>-g</c>).</summary>
    Route,

    /// <summary>IP in IP (<c>-i</c>).</summary>
    Tunnel,

    /// <summary>The server is the node itself.</summary>
    Local,
}

/// <summary>One IPVS virtual service.</summary>
public sealed record IpvsServiceState
{
    /// <summary>Firewall mark that selects it; 0: it is selected by protocol, address and port.</summary>
    public uint Fwmark { get; init; }

    /// <summary>Protocol; of no meaning with a mark.</summary>
    public IpProtocol Protocol { get; init; }

    /// <summary>Virtual address; of no meaning with a mark.</summary>
    public Ipv4Address Address { get; init; }

    /// <summary>Virtual port; 0: any.</summary>
    public ushort Port { get; init; }

    /// <summary>Scheduler's name, <c>rr</c> for example.</summary>
    public required string Scheduler { get; init; }

    /// <summary>Scheduler's flags: <c>sh-port</c>, <c>sh-fallback</c>, <c>mh-port</c>, <c>mh-fallback</c>, <c>flag-1</c> …</summary>
    public IReadOnlyList<string> SchedulerFlags { get; init; } = [];

    /// <summary>Time a client sticks to its server; 0: not persistent.</summary>
    public int PersistenceSeconds { get; init; }

    /// <summary>Clients alike under this mask stick together.</summary>
    public Ipv4Address Netmask { get; init; } = AllOnes;

    /// <summary>Whether each datagram is scheduled anew (<c>--ops</c>).</summary>
    public bool OnePacket { get; init; }

    /// <summary>Real servers in the order listed.</summary>
    public IReadOnlyList<IpvsServerState> Servers { get; init; } = [];

    /// <summary>The mask 255.255.255.255.</summary>
    public static Ipv4Address AllOnes => IpvsKey.AllOnes;

    /// <summary>What tells the service from others.</summary>
    public IpvsKey Key => new(Fwmark, Fwmark == 0 ? Protocol : default, Fwmark == 0 ? Address : default, Fwmark == 0 ? Port : (ushort)0);
}

/// <summary>One real server of an IPVS service.</summary>
/// <param name="Address">Its address.</param>
/// <param name="Port">Its port; 0: the port that the client called.</param>
/// <param name="Forwarding">How it is reached.</param>
/// <param name="Weight">Its weight; 0: no new connections.</param>
/// <param name="UpperThreshold">Connections from which it counts as overloaded; 0: never.</param>
/// <param name="LowerThreshold">Connections below which it no longer does.</param>
public sealed record IpvsServerState(
    Ipv4Address Address,
    ushort Port,
    IpvsForwarding Forwarding = IpvsForwarding.Masq,
    int Weight = 1,
    int UpperThreshold = 0,
    int LowerThreshold = 0);

/// <summary>IPVS timeouts as <c>ipvsadm --set tcp tcpfin udp</c> takes them; 0: leave as it is.</summary>
/// <param name="TcpSeconds">TCP, established.</param>
/// <param name="TcpFinSeconds">TCP, after a FIN.</param>
/// <param name="UdpSeconds">UDP.</param>
public sealed record IpvsTimeouts(int TcpSeconds, int TcpFinSeconds, int UdpSeconds)
{
    /// <summary>The kernel's own.</summary>
    public static IpvsTimeouts Default { get; } = new(900, 120, 300);
}

/// <summary>What tells one IPVS service from another: a mark, or protocol, address and port.</summary>
/// <param name="Fwmark">Mark; 0: the rest counts.</param>
/// <param name="Protocol">Protocol.</param>
/// <param name="Address">Virtual address.</param>
/// <param name="Port">Virtual port.</param>
public readonly record struct IpvsKey(uint Fwmark, IpProtocol Protocol, Ipv4Address Address, ushort Port)
{
    internal static Ipv4Address AllOnes { get; } = Ipv4Address.Parse("255.255.255.255");

    /// <summary>Whether both are the same service's. By the values themselves: comparers for their types would be compiled as the program starts.</summary>
    public bool Equals(IpvsKey other) =>
        Fwmark == other.Fwmark && Protocol == other.Protocol && Address.Value == other.Address.Value && Port == other.Port;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Fwmark, (uint)Protocol, Address.Value, (uint)Port);
}
