namespace FastPathLb.Wire;

/// <summary>What an IP datagram carries (IANA protocol numbers). Any byte may occur; these have names here.</summary>
public enum IpProtocol : byte
{
    /// <summary>Number 0: IPv6 hop-by-hop options, and "any protocol" in the kernel's tables.</summary>
    Ip = 0,

    /// <summary>ICMP (RFC 792).</summary>
    Icmp = 1,

    /// <summary>IGMP (RFC 3376).</summary>
    Igmp = 2,

    /// <summary>IPv4 in IP (RFC 2003).</summary>
    IpInIp = 4,

    /// <summary>TCP (RFC 9293).</summary>
    Tcp = 6,

    /// <summary>UDP (RFC 768).</summary>
    Udp = 17,

    /// <summary>IPv6 in IP (RFC 4213).</summary>
    Ipv6 = 41,

    /// <summary>IPv6 routing extension header (RFC 8200).</summary>
    Ipv6Routing = 43,

    /// <summary>IPv6 fragment extension header (RFC 8200).</summary>
    Ipv6Fragment = 44,

    /// <summary>GRE (RFC 2784).</summary>
    Gre = 47,

    /// <summary>Encapsulating security payload (RFC 4303).</summary>
    Esp = 50,

    /// <summary>Authentication header (RFC 4302).</summary>
    Ah = 51,

    /// <summary>ICMPv6 (RFC 4443).</summary>
    Icmpv6 = 58,

    /// <summary>IPv6: nothing follows (RFC 8200).</summary>
    Ipv6NoNext = 59,

    /// <summary>IPv6 destination options extension header (RFC 8200).</summary>
    Ipv6Options = 60,

    /// <summary>OSPF (RFC 2328).</summary>
    Ospf = 89,

    /// <summary>VRRP (RFC 9568).</summary>
    Vrrp = 112,

    /// <summary>SCTP (RFC 9260).</summary>
    Sctp = 132,

    /// <summary>UDP-Lite (RFC 3828).</summary>
    UdpLite = 136,
}
