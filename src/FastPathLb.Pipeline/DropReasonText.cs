namespace FastPathLb.Pipeline;

/// <summary>Public names and one-line texts of the drop reasons, for counters, explanations and metrics.</summary>
public static class DropReasonText
{
    /// <summary>One more than the highest number a reason has: the length of a counter array.</summary>
    public const int CountMax = 128;

    private static readonly string[] s_names = BuildNames();

    /// <summary>The reason's public kebab-case name, for example <c>vxlan-unknown-vni</c>.</summary>
    public static string Name(DropReason reason) => s_names[(int)reason];

    /// <summary>One sentence for people.</summary>
    public static string Describe(DropReason reason) => reason switch
    {
        DropReason.None => "not dropped",
        DropReason.FrameTooShort => "shorter than an Ethernet header",
        DropReason.FrameTruncatedByCapture => "cut by the capture's snap length, so the rest cannot be sent",
        DropReason.VlanTagged => "carries an 802.1Q tag; the interface has no such VLAN",
        DropReason.EtherTypeUnserved => "neither IPv4 nor ARP",
        DropReason.OtherHost => "addressed to another host's MAC",
        DropReason.OuterNotForNode => "outer frame is not addressed to the node",
        DropReason.OuterIpv4Malformed => "outer IPv4 header is malformed or truncated",
        DropReason.OuterIpv4ChecksumWrong => "outer IPv4 header checksum is wrong",
        DropReason.OuterFragment => "outer datagram is a fragment that was never completed",
        DropReason.OuterNotVxlan => "not UDP to the VXLAN port",
        DropReason.OuterUdpMalformed => "outer UDP length does not fit",
        DropReason.OuterUdpChecksumWrong => "outer UDP checksum is wrong",
        DropReason.VxlanFlagsInvalid => "VXLAN header without the I flag",
        DropReason.VxlanReservedBitsSet => "VXLAN header with reserved bits set (GPE, GBP), which Linux drops",
        DropReason.VxlanUnknownVni => "no VXLAN device has this VNI",
        DropReason.VxlanInnerTooShort => "VXLAN payload is shorter than an Ethernet header",
        DropReason.VxlanInnerSourceInvalid => "inner source MAC is multicast, zero or the device's own",
        DropReason.VxlanEcnInvalid => "outer CE over an inner packet that is not ECN capable",
        DropReason.BridgeNotForLoadBalancer => "inner destination MAC is not the load balancer's: the bridge sends it elsewhere",
        DropReason.FdbMiss => "no FDB entry says which VTEP has the destination MAC",
        DropReason.OuterIpv6Unserved => "IPv6 underlay is not served",
        DropReason.OuterEncrypted => "encrypted overlay network (ESP): nothing here can read it",
        DropReason.DeviceUnplugged => "goes out by a device that leads nowhere here",
        DropReason.BacklogFull => "more frames wait between namespaces than there is room for",
        DropReason.VxlanSourceMoved => "the inner source MAC is known for good behind another VTEP",
        DropReason.Ipv4Malformed => "IPv4 version, header length or total length is wrong",
        DropReason.Ipv4ChecksumWrong => "IPv4 header checksum is wrong",
        DropReason.Ipv4Truncated => "IPv4 total length is beyond the frame's end",
        DropReason.Ipv6Unserved => "IPv6: Swarm's load balancer serves IPv4 alone",
        DropReason.MartianSource => "source address cannot be (own, broadcast, multicast or loopback)",
        DropReason.MartianDestination => "destination address cannot be (zero, loopback)",
        DropReason.NoRoute => "no route to the destination",
        DropReason.ForwardingDisabled => "ip_forward is 0 (moby#38723)",
        DropReason.MulticastUnserved => "multicast group not joined",
        DropReason.NotUnicastToUs => "broadcast or multicast frame, not to be forwarded",
        DropReason.Ipv4OptionsInvalid => "IPv4 options are malformed or source-routed",
        DropReason.ArpMalformed => "malformed ARP",
        DropReason.ArpNotForUs => "ARP for an address that is not the load balancer's",
        DropReason.NeighborUnresolved => "the next hop's MAC is unknown",
        DropReason.ArpAtTunnel => "ARP ends at the VXLAN device, which answers by proxy and sends none",
        DropReason.FragmentHeld => "fragment waits for the rest of its datagram",
        DropReason.FragmentInvalid => "fragment with an impossible offset or length",
        DropReason.FragmentOverlap => "overlapping fragments: the datagram is given up",
        DropReason.ReassemblyTimeout => "the datagram's other fragments did not come in time",
        DropReason.ReassemblyLimit => "too much memory held by incomplete datagrams",
        DropReason.FilterRule => "a filter rule or policy drops it",
        DropReason.ConntrackTableFull => "conntrack table is full",
        DropReason.ConntrackClash => "another connection took the tuple first",
        DropReason.ConntrackReopenRefused => "conntrack could not reopen the connection",
        DropReason.NatRedirectOfTranslated => "ICMP redirect for a translated connection",
        DropReason.NatIcmpMalformed => "ICMP error whose embedded datagram cannot be translated",
        DropReason.IpvsNoServer => "the service has no server to take a new connection",
        DropReason.IpvsServerGone => "the connection's server was removed",
        DropReason.IpvsReschedule =>
            "SYN for a connection to be rescheduled; conntrack still holds the old one, the retransmission will pass",
        DropReason.IpvsPortsMissing => "too short to have ports",
        DropReason.IpvsTableFull => "connection table is full",
        DropReason.IpvsLoadShedding => "drop_packet sheds load",
        DropReason.IpvsIcmpChecksumWrong => "ICMP error with a wrong checksum",
        DropReason.IpvsNatFailed => "too short to be translated",
        DropReason.IpvsIcmpTruncated => "ICMP error too short to be translated",
        DropReason.IpvsServiceMissing => "the marked packet has no IPVS service",
        DropReason.TimeToLiveExceeded => "TTL ran out here",
        DropReason.FragmentationNeeded => "larger than the MTU and not to be fragmented (DF)",
        DropReason.SourceQuotaExceeded => "rate limit",
        DropReason.FrameTooLargeForDevice => "larger than the device can send",
        DropReason.InterfaceNotReplayed => "leaves by an interface that is not replayed",
        DropReason.OtherWorker => "its connection belongs to another worker",
        DropReason.LocalNoListener => "no socket listens there",
        DropReason.LocalProtocolUnserved => "the load balancer's stack has no such protocol",
        DropReason.LocalIcmpUnserved => "ICMP message the load balancer's stack does not act on",
        DropReason.LocalTransportMalformed => "transport header is malformed",
        DropReason.LocalChecksumWrong => "transport checksum is wrong",
        DropReason.LocalDeliveredToStack => "taken by the load balancer's own stack",
        DropReason.SentByLoadBalancer => "sent by the load balancer itself: the recording has both directions",
        DropReason.LinkTypeUnserved => "the capture's link type holds no such packet",
        _ => "unknown reason",
    };

    private static string[] BuildNames()
    {
        string[] names = new string[CountMax];
        Array.Fill(names, "unknown");
        foreach (DropReason reason in Enum.GetValues<DropReason>())
        {
            names[(int)reason] = ToKebabCase(reason.ToString());
        }

        return names;
    }

    private static string ToKebabCase(string name)
    {
        System.Text.StringBuilder text = new(name.Length + 8);
        for (int index = 0; index < name.Length; index++)
        {
            if (char.IsAsciiLetterUpper(name[index]) && index > 0)
            {
                text.Append('-');
            }

            text.Append(char.ToLowerInvariant(name[index]));
        }

        return text.ToString();
    }
}
