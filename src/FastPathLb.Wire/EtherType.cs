namespace FastPathLb.Wire;

/// <summary>What an Ethernet frame carries (IEEE 802 numbers). Below 0x0600 the field is an 802.3 length instead.</summary>
public enum EtherType : ushort
{
    /// <summary>IPv4 (RFC 894).</summary>
    Ipv4 = 0x0800,

    /// <summary>ARP (RFC 826).</summary>
    Arp = 0x0806,

    /// <summary>Transparent Ethernet bridging: an Ethernet frame inside GRE (RFC 1701).</summary>
    TransparentEthernet = 0x6558,

    /// <summary>802.1Q tag.</summary>
    Vlan = 0x8100,

    /// <summary>IPv6 (RFC 2464).</summary>
    Ipv6 = 0x86DD,

    /// <summary>MPLS unicast (RFC 3032).</summary>
    Mpls = 0x8847,

    /// <summary>PPPoE discovery (RFC 2516).</summary>
    PppoeDiscovery = 0x8863,

    /// <summary>PPPoE session (RFC 2516).</summary>
    PppoeSession = 0x8864,

    /// <summary>802.1X authentication.</summary>
    Eapol = 0x888E,

    /// <summary>802.1ad service tag (QinQ).</summary>
    QinQ = 0x88A8,

    /// <summary>LLDP (802.1AB).</summary>
    Lldp = 0x88CC,

    /// <summary>Loopback test (802.3 configuration testing).</summary>
    Loopback = 0x9000,
}
