using FastPathLb.Wire;

namespace FastPathLb.Balancer.Ipvs;

/// <summary>What names a virtual service: a firewall mark, or protocol, address and port.</summary>
/// <param name="Fwmark">The mark; 0 where the service is named by address.</param>
/// <param name="Protocol">Protocol of a service named by address.</param>
/// <param name="Address">Address of a service named by address.</param>
/// <param name="Port">Port of a service named by address; 0 for all.</param>
public readonly record struct ServiceKey(uint Fwmark, IpProtocol Protocol, uint Address, ushort Port)
{
    /// <summary>A service named by a mark.</summary>
    public static ServiceKey OfFwmark(uint fwmark) => new(fwmark, IpProtocol.Ip, 0, 0);
}
