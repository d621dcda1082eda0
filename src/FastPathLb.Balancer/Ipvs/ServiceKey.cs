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

    /// <summary>The key in one word: of a mark the mark alone.</summary>
    internal ulong Word => Fwmark != 0 ? MarkBit | Fwmark : ((ulong)Protocol << 48) | ((ulong)Address << 16) | Port;

    // Above all that a protocol, an address and a port take.
    private const ulong MarkBit = 1UL << 63;
}
