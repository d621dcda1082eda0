using System.Buffers.Binary;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;
using static FastPathLb.Balancer.Tests.Paths.PathStep;
using static FastPathLb.Balancer.Tests.Paths.Traffic;

namespace FastPathLb.Balancer.Tests.Paths;

/// <summary>VXLAN in, VXLAN out.</summary>
internal static class UnderlayCases
{
    private const byte EcnCapable0 = 2;
    private const byte EcnCapable1 = 1;
    private const byte EcnCongestion = 3;

    private static readonly SmallSwarm s_swarm = new() { AttachPoint = AttachPoint.Underlay };

    private static readonly Envelope s_toNode2 = new()
    {
        DestinationMac = SmallSwarm.Node2Mac,
        SourceMac = SmallSwarm.Node1Mac,
        Source = SmallSwarm.Node1,
        Destination = SmallSwarm.Node2 + ":4789",
        Vxlan = Envelope.HeaderOf(SmallSwarm.Vni),
    };

    private static readonly byte[] s_inner = SmallSwarm.ToBalancer(Syn).Build();
    private static readonly byte[] s_sent = SmallSwarm.FromBalancer(SynSent).Build();

    public static IReadOnlyList<PathCase> All { get; } =
    [
        new(
            "an answer to ARP ends at the tunnel, which answers by proxy itself",
            s_swarm,
            In(SmallSwarm.FromNode2.Wrap(PacketBuilder.Arp(MacAddress.Broadcast, new ArpFields(
                ArpOperation.Request, MacAddress.FromDocker(Ipv4Address.Parse(SmallSwarm.Client)), Ipv4Address.Parse(SmallSwarm.Client), default,
                Ipv4Address.Parse(SmallSwarm.Vip))))).Drops(DropReason.ArpAtTunnel)),
        Case("VXLAN in, VXLAN out", Tunnel(SmallSwarm.FromNode2, s_inner).Ends(Verdict.Forwarded, DropReason.None).WithTunneled(s_toNode2, s_sent)),
        Case(
            "an outer sum of zero is none",
            Tunnel(SmallSwarm.FromNode2 with { Checksum = ChecksumKind.Zero }, s_inner)
                .Ends(Verdict.Forwarded, DropReason.None).WithTunneled(s_toNode2, s_sent)),
        Case(
            "an outer sum that the sending node's network card had still to finish is taken for right",
            Tunnel(SmallSwarm.FromNode2 with { Checksum = ChecksumKind.Partial }, s_inner)
                .Ends(Verdict.Forwarded, DropReason.None).WithTunneled(s_toNode2, s_sent)),
        Case("a wrong outer sum", Tunnel(SmallSwarm.FromNode2 with { Checksum = ChecksumKind.Wrong }, s_inner).Drops(DropReason.OuterUdpChecksumWrong)),
        Case("no I flag", Tunnel(SmallSwarm.FromNode2 with { Vxlan = Envelope.HeaderOf(SmallSwarm.Vni) & 0x00FF_FFFF_FFFF_FFFF }, s_inner)
            .Drops(DropReason.VxlanFlagsInvalid)),
        Case("another VNI", Tunnel(SmallSwarm.FromNode2 with { Vxlan = Envelope.HeaderOf(4098) }, s_inner).Drops(DropReason.VxlanUnknownVni)),
        Case("another VNI with reserved bits", Tunnel(SmallSwarm.FromNode2 with { Vxlan = Envelope.HeaderOf(4098) | 1 }, s_inner)
            .Drops(DropReason.VxlanUnknownVni)),
        Case("a reserved bit behind the VNI", Tunnel(SmallSwarm.FromNode2 with { Vxlan = Envelope.HeaderOf(SmallSwarm.Vni) | 1 }, s_inner)
            .Drops(DropReason.VxlanReservedBitsSet)),
        Case("group policy bits", Tunnel(SmallSwarm.FromNode2 with { Vxlan = Envelope.HeaderOf(SmallSwarm.Vni) | (0x80ul << 56) }, s_inner)
            .Drops(DropReason.VxlanReservedBitsSet)),
        Case("another port", Tunnel(SmallSwarm.FromNode2 with { Destination = SmallSwarm.Node1 + ":4790" }, s_inner).Drops(DropReason.OuterNotVxlan)),
        Case("another protocol", Tunnel(SmallSwarm.FromNode2 with { Protocol = IpProtocol.Tcp }, s_inner).Drops(DropReason.OuterNotVxlan)),
        Case("another host's frame", Tunnel(SmallSwarm.FromNode2 with { DestinationMac = SmallSwarm.Node2Mac }, s_inner).Drops(DropReason.OuterNotForNode)),
        Case("another host's address", Tunnel(SmallSwarm.FromNode2 with { Destination = "172.19.177.15:4789" }, s_inner).Drops(DropReason.OuterNotForNode)),
        Case("an outer fragment", Tunnel(SmallSwarm.FromNode2 with { MoreFragments = true }, s_inner).Drops(DropReason.OuterFragment)),
        Case("a wrong outer header sum", Tunnel(SmallSwarm.FromNode2 with { Ipv4ChecksumError = 1 }, s_inner).Drops(DropReason.OuterIpv4ChecksumWrong)),
        Case("an outer UDP length beyond the packet", Tunnel(SmallSwarm.FromNode2 with { UdpLengthError = 1, Checksum = ChecksumKind.Zero }, s_inner)
            .Drops(DropReason.OuterUdpMalformed)),
        Case("an outer UDP length below the header's", Tunnel(SmallSwarm.FromNode2 with { UdpLengthError = -100, Checksum = ChecksumKind.Zero }, s_inner)
            .Drops(DropReason.OuterUdpMalformed)),
        Case("outer IPv6", Tunnel(SmallSwarm.FromNode2 with { EtherType = EtherType.Ipv6 }, s_inner).Drops(DropReason.OuterIpv6Unserved)),
        Case("an outer VLAN tag", Tunnel(SmallSwarm.FromNode2 with { EtherType = EtherType.Vlan }, s_inner).Drops(DropReason.VlanTagged)),
        Case("outer ARP", Tunnel(SmallSwarm.FromNode2 with { EtherType = EtherType.Arp }, s_inner).Drops(DropReason.OuterNotVxlan)),
        Case("no outer frame", In(SmallSwarm.FromNode2.Wrap(s_inner)[..13]).Drops(DropReason.FrameTooShort)),
        Case("no outer packet", In(SmallSwarm.FromNode2.Wrap(s_inner)[..33]).Drops(DropReason.OuterIpv4Malformed)),
        Case("an outer packet that is cut", In(SmallSwarm.FromNode2.Wrap(s_inner)[..60]).Drops(DropReason.OuterIpv4Malformed)),
        Case("an outer version of 6", In(Changed(SmallSwarm.FromNode2.Wrap(s_inner), 14, 0x65)).Drops(DropReason.OuterIpv4Malformed)),
        Case("an outer header length of 16", In(Changed(SmallSwarm.FromNode2.Wrap(s_inner), 14, 0x44)).Drops(DropReason.OuterIpv4Malformed)),
        Case("an inner frame of 13 bytes", Tunnel(SmallSwarm.FromNode2, s_inner[..13]).Drops(DropReason.VxlanInnerTooShort)),
        Case("no VXLAN header", In(WithoutVxlan()).Drops(DropReason.VxlanInnerTooShort)),
        Case("a frame that the capture cut before the inner one", In(SmallSwarm.FromNode2.Wrap(s_inner)[..55], SmallSwarm.FromNode2.Wrap(s_inner).Length)
            .Drops(DropReason.FrameTruncatedByCapture)),
        Case("an inner frame from the tunnel's own MAC", Inner(Syn with { SourceMac = SmallSwarm.TunnelMac }).Drops(DropReason.VxlanInnerSourceInvalid)),
        Case("an inner frame from a group", Inner(Syn with { SourceMac = MacAddress.Parse("01:00:5e:00:00:01") }).Drops(DropReason.VxlanInnerSourceInvalid)),
        Case("an inner frame from nobody", Inner(Syn with { SourceMac = default }).Drops(DropReason.VxlanInnerSourceInvalid)),
        Case(
            "a known MAC from another node",
            Tunnel(SmallSwarm.FromNode2 with { Source = "172.19.188.99:45678" }, s_inner).Drops(DropReason.VxlanSourceMoved)),
        new(
            "a device that does not learn does not mind",
            s_swarm with { OverlaySettings = ["learning: false"] },
            Tunnel(SmallSwarm.FromNode2 with { Source = "172.19.188.99:45678" }, s_inner)
                .Ends(Verdict.Forwarded, DropReason.None).WithTunneled(s_toNode2, s_sent)),
        Case("an inner frame for another host", Tunnel(SmallSwarm.FromNode2, Syn.Build()).Drops(DropReason.BridgeNotForLoadBalancer)),
        Case(
            "a server behind no known node",
            Run("bridge fdb del 02:42:0a:00:01:04 dev vxlan0"),
            Tunnel(SmallSwarm.FromNode2, s_inner).Drops(DropReason.FdbMiss)),
        new(
            "a node whose MAC nobody knows",
            s_swarm with { OverlaySettings = ["learning: false"] },
            Run("bridge fdb replace 02:42:0a:00:01:04 dev vxlan0 dst 172.19.188.200 self permanent"),
            Tunnel(SmallSwarm.FromNode2, s_inner).Drops(DropReason.NeighborUnresolved)),
        Case(
            "an answer to the client goes through the tunnel",
            Inner(PacketBuilder.Icmp(SmallSwarm.Client, SmallSwarm.Vip, IcmpType.Echo, rest: 1, payload: Text("ping")))
                .Ends(Verdict.Answered, DropReason.None)
                .WithTunneled(s_toNode2, SmallSwarm.FromBalancer(
                    PacketBuilder.Icmp(SmallSwarm.Vip, SmallSwarm.Client, IcmpType.EchoReply, rest: 1, payload: Text("ping")) with
                    {
                        DontFragment = false,
                        Identification = 1,
                    }).Build())),
        Ecn("no mark outside, none inside", 0, 0, 0),
        Ecn("no mark outside, capable inside", 0, EcnCapable0, EcnCapable0),
        Ecn("congestion outside, ECT(0) inside", EcnCongestion, EcnCapable0, EcnCongestion),
        Ecn("congestion outside, ECT(1) inside", EcnCongestion, EcnCapable1, EcnCongestion),
        Ecn("ECT(1) outside, ECT(0) inside", EcnCapable1, EcnCapable0, EcnCapable1),
        Ecn("ECT(0) outside, ECT(1) inside", EcnCapable0, EcnCapable1, EcnCapable1),
        Ecn("congestion on both", EcnCongestion, EcnCongestion, EcnCongestion),
        Ecn("capable outside, incapable inside", EcnCapable0, 0, 0),
        Case(
            "congestion outside on a packet that cannot carry it",
            Tunnel(SmallSwarm.FromNode2 with { TypeOfService = EcnCongestion }, s_inner).Drops(DropReason.VxlanEcnInvalid)),
    ];

    private static PathCase Case(string description, params PathStep[] steps) => new(description + " (underlay)", s_swarm, steps);

    private static PathStep Tunnel(Envelope envelope, byte[] inner) => In(envelope.Wrap(inner));

    private static PathStep Inner(PacketBuilder packet) => Tunnel(SmallSwarm.FromNode2, SmallSwarm.ToBalancer(packet).Build());

    // On the way out the inner packet's mark is on the outside too, but that congestion becomes ECT(0) there.
    private static PathCase Ecn(string description, byte outer, byte inner, byte merged) => Case(
        description,
        Tunnel(SmallSwarm.FromNode2 with { TypeOfService = outer }, SmallSwarm.ToBalancer(Syn with { TypeOfService = inner }).Build())
            .Ends(Verdict.Forwarded, DropReason.None)
            .WithTunneled(
                s_toNode2 with { TypeOfService = merged == EcnCongestion ? EcnCapable0 : merged },
                SmallSwarm.FromBalancer(SynSent with { TypeOfService = merged }).Build()));

    private static byte[] Changed(byte[] frame, int offset, byte value)
    {
        frame[offset] = value;
        return frame;
    }

    // A UDP datagram of eight bytes to the VXLAN port.
    private static byte[] WithoutVxlan()
    {
        byte[] frame = SmallSwarm.FromNode2.Wrap([])[..42];
        Span<byte> packet = frame.AsSpan(14);
        BinaryPrimitives.WriteUInt16BigEndian(packet[Ipv4Header.TotalLengthOffset..], 28);
        Ipv4Header.WriteChecksum(packet[..Ipv4Header.MinimumLengthBytes]);
        BinaryPrimitives.WriteUInt16BigEndian(packet[(20 + UdpHeader.LengthOffset)..], 8);
        BinaryPrimitives.WriteUInt16BigEndian(packet[(20 + UdpHeader.ChecksumOffset)..], 0);
        return frame;
    }
}
