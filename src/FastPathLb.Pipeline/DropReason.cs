namespace FastPathLb.Pipeline;

/// <summary>
/// Why a frame went no further. One numbered list for the data path, counters, explanations and metrics:
/// numbers are never reused, names come from <see cref="DropReasonText"/>.
/// </summary>
public enum DropReason : byte
{
    /// <summary>Not dropped.</summary>
    None = 0,

    // Link layer and tunnel.
    /// <summary>Shorter than an Ethernet header.</summary>
    FrameTooShort = 1,

    /// <summary>Cut by the capture's snap length, so the rest cannot be sent.</summary>
    FrameTruncatedByCapture = 2,

    /// <summary>Carries an 802.1Q tag; the interface has no such VLAN.</summary>
    VlanTagged = 3,

    /// <summary>Neither IPv4 nor ARP.</summary>
    EtherTypeUnserved = 4,

    /// <summary>Addressed to another host's MAC.</summary>
    OtherHost = 5,

    /// <summary>Outer frame is not addressed to the node.</summary>
    OuterNotForNode = 6,

    /// <summary>Outer IPv4 header is malformed or truncated.</summary>
    OuterIpv4Malformed = 7,

    /// <summary>Outer IPv4 header checksum is wrong.</summary>
    OuterIpv4ChecksumWrong = 8,

    /// <summary>Outer datagram is a fragment that was never completed.</summary>
    OuterFragment = 9,

    /// <summary>Not UDP to the VXLAN port.</summary>
    OuterNotVxlan = 10,

    /// <summary>Outer UDP length does not fit.</summary>
    OuterUdpMalformed = 11,

    /// <summary>Outer UDP checksum is wrong.</summary>
    OuterUdpChecksumWrong = 12,

    /// <summary>VXLAN header without the I flag.</summary>
    VxlanFlagsInvalid = 13,

    /// <summary>VXLAN header with reserved bits set (GPE, GBP), which Linux drops.</summary>
    VxlanReservedBitsSet = 14,

    /// <summary>No VXLAN device has this VNI.</summary>
    VxlanUnknownVni = 15,

    /// <summary>VXLAN payload is shorter than an Ethernet header.</summary>
    VxlanInnerTooShort = 16,

    /// <summary>Inner source MAC is multicast, zero or the device's own.</summary>
    VxlanInnerSourceInvalid = 17,

    /// <summary>Outer CE over an inner packet that is not ECN capable.</summary>
    VxlanEcnInvalid = 18,

    /// <summary>Inner destination MAC is not the load balancer's: the bridge sends it elsewhere.</summary>
    BridgeNotForLoadBalancer = 19,

    /// <summary>No FDB entry says which VTEP has the destination MAC.</summary>
    FdbMiss = 20,

    /// <summary>IPv6 underlay is not served.</summary>
    OuterIpv6Unserved = 21,

    /// <summary>The inner source MAC is known for good behind another VTEP.</summary>
    VxlanSourceMoved = 22,

    /// <summary>An encrypted packet between nodes (ESP).</summary>
    OuterEncrypted = 23,

    // IPv4 input.
    /// <summary>IPv4 version, header length or total length is wrong.</summary>
    Ipv4Malformed = 30,

    /// <summary>IPv4 header checksum is wrong.</summary>
    Ipv4ChecksumWrong = 31,

    /// <summary>IPv4 total length is beyond the frame's end.</summary>
    Ipv4Truncated = 32,

    /// <summary>IPv6: Swarm's load balancer serves IPv4 alone.</summary>
    Ipv6Unserved = 33,

    /// <summary>Source address cannot be (own, broadcast, multicast or loopback).</summary>
    MartianSource = 34,

    /// <summary>Destination address cannot be (zero, loopback).</summary>
    MartianDestination = 35,

    /// <summary>No route to the destination.</summary>
    NoRoute = 36,

    /// <summary>Ip_forward is 0 (moby#38723).</summary>
    ForwardingDisabled = 37,

    /// <summary>Multicast group not joined.</summary>
    MulticastUnserved = 38,

    /// <summary>Broadcast or multicast frame, not to be forwarded.</summary>
    NotUnicastToUs = 39,

    /// <summary>IPv4 options are malformed or source-routed.</summary>
    Ipv4OptionsInvalid = 40,

    // ARP.
    /// <summary>Malformed ARP.</summary>
    ArpMalformed = 45,

    /// <summary>ARP for an address that is not the load balancer's.</summary>
    ArpNotForUs = 46,

    /// <summary>The next hop's MAC is unknown.</summary>
    NeighborUnresolved = 47,

    /// <summary>ARP ends at the VXLAN device, which answers by proxy and sends none.</summary>
    ArpAtTunnel = 48,

    // Fragments.
    /// <summary>Fragment waits for the rest of its datagram.</summary>
    FragmentHeld = 50,

    /// <summary>Fragment with an impossible offset or length.</summary>
    FragmentInvalid = 51,

    /// <summary>Overlapping fragments: the datagram is given up.</summary>
    FragmentOverlap = 52,

    /// <summary>The datagram's other fragments did not come in time.</summary>
    ReassemblyTimeout = 53,

    /// <summary>Too much memory held by incomplete datagrams.</summary>
    ReassemblyLimit = 54,

    // Netfilter.
    /// <summary>A filter rule or policy drops it.</summary>
    FilterRule = 60,

    /// <summary>Conntrack table is full.</summary>
    ConntrackTableFull = 61,

    /// <summary>Another connection took the tuple first.</summary>
    ConntrackClash = 62,

    /// <summary>Conntrack could not reopen the connection.</summary>
    ConntrackReopenRefused = 63,

    /// <summary>ICMP redirect for a translated connection.</summary>
    NatRedirectOfTranslated = 64,

    /// <summary>ICMP error whose embedded datagram cannot be translated.</summary>
    NatIcmpMalformed = 65,

    // IPVS.
    /// <summary>The service has no server to take a new connection.</summary>
    IpvsNoServer = 70,

    /// <summary>The connection's server was removed.</summary>
    IpvsServerGone = 71,

    /// <summary>SYN for a connection to be rescheduled; conntrack still holds the old one, the retransmission will pass.</summary>
    IpvsReschedule = 72,

    /// <summary>Too short to have ports.</summary>
    IpvsPortsMissing = 73,

    /// <summary>Connection table is full.</summary>
    IpvsTableFull = 74,

    /// <summary>Drop_packet sheds load.</summary>
    IpvsLoadShedding = 75,

    /// <summary>ICMP error with a wrong checksum.</summary>
    IpvsIcmpChecksumWrong = 76,

    /// <summary>Too short to be translated.</summary>
    IpvsNatFailed = 77,

    /// <summary>ICMP error too short to be translated.</summary>
    IpvsIcmpTruncated = 78,

    /// <summary>The marked packet has no IPVS service.</summary>
    IpvsServiceMissing = 79,

    // Forwarding and output.
    /// <summary>TTL ran out here.</summary>
    TimeToLiveExceeded = 80,

    /// <summary>Larger than the MTU and not to be fragmented (DF).</summary>
    FragmentationNeeded = 81,

    /// <summary>Rate limit.</summary>
    SourceQuotaExceeded = 82,

    /// <summary>Larger than the device can send.</summary>
    FrameTooLargeForDevice = 83,

    /// <summary>It leaves by an interface that is not replayed.</summary>
    InterfaceNotReplayed = 84,

    /// <summary>Its connection belongs to another worker, and nobody lent it: frames of one table came to workers that were not joined.</summary>
    OtherWorker = 85,

    // The load balancer's own stack.
    /// <summary>No socket listens there.</summary>
    LocalNoListener = 90,

    /// <summary>The load balancer's stack has no such protocol.</summary>
    LocalProtocolUnserved = 91,

    /// <summary>ICMP message the load balancer's stack does not act on.</summary>
    LocalIcmpUnserved = 92,

    /// <summary>Transport header is malformed.</summary>
    LocalTransportMalformed = 93,

    /// <summary>Transport checksum is wrong.</summary>
    LocalChecksumWrong = 94,

    /// <summary>Taken by the load balancer's own stack.</summary>
    LocalDeliveredToStack = 95,

    // Capture.
    /// <summary>Sent by the load balancer itself: the recording has both directions.</summary>
    SentByLoadBalancer = 100,

    /// <summary>The capture's link type holds no such packet.</summary>
    LinkTypeUnserved = 101,

    /// <summary>The device leads nowhere here.</summary>
    DeviceUnplugged = 102,

    /// <summary>More frames wait between namespaces than there is room for.</summary>
    BacklogFull = 103,
}
