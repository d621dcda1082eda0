using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;
using static FastPathLb.Balancer.Tests.Paths.PathStep;
using static FastPathLb.Balancer.Tests.Paths.Traffic;

namespace FastPathLb.Balancer.Tests.Paths;

/// <summary>Ethernet, ARP and the validation of IPv4 headers, at the load balancer's own interface.</summary>
internal static class OverlayLinkCases
{
    private static readonly MacAddress s_clientMac = MacAddress.FromDocker(Ipv4Address.Parse(SmallSwarm.Client));
    private static readonly MacAddress s_group = MacAddress.Parse("01:00:5e:00:00:01");
    private static readonly Ipv4Address s_client = Ipv4Address.Parse(SmallSwarm.Client);

    public static IReadOnlyList<PathCase> All { get; } =
    [
        new("ARP for the virtual address is answered", In(Ask(SmallSwarm.Vip)).Answers(DropReason.None, Answer(SmallSwarm.Vip))),
        new("ARP for the load balancer's address is answered", In(Ask(SmallSwarm.Lb)).Answers(DropReason.None, Answer(SmallSwarm.Lb))),
        new(
            "ARP to the load balancer's MAC is answered too",
            In(Ask(SmallSwarm.Vip, SmallSwarm.LbMac)).Answers(DropReason.None, Answer(SmallSwarm.Vip))),
        new(
            "an address probe is answered",
            In(PacketBuilder.Arp(MacAddress.Broadcast, new ArpFields(
                ArpOperation.Request, s_clientMac, default, default, Ipv4Address.Parse(SmallSwarm.Vip))))
                .Answers(DropReason.None, PacketBuilder.Arp(s_clientMac, new ArpFields(
                    ArpOperation.Reply, SmallSwarm.LbMac, Ipv4Address.Parse(SmallSwarm.Vip), s_clientMac, default)))),
        new("ARP for somebody else is not", In(Ask("10.0.1.3")).Drops(DropReason.ArpNotForUs)),
        new("ARP to another host's MAC is not ours", In(Ask(SmallSwarm.Vip, s_clientMac)).Drops(DropReason.OtherHost)),
        new(
            "an ARP reply is taken in",
            In(PacketBuilder.Arp(SmallSwarm.LbMac, new ArpFields(
                ArpOperation.Reply, s_clientMac, s_client, SmallSwarm.LbMac, Ipv4Address.Parse(SmallSwarm.Lb))))
                .Ends(Verdict.Consumed, DropReason.LocalDeliveredToStack)),
        new(
            "a host whose MAC changed is answered at its new one",
            Open,
            In(PacketBuilder.Arp(SmallSwarm.LbMac, new ArpFields(
                ArpOperation.Request, MacAddress.Parse("02:00:00:00:00:99"), s_client, default, Ipv4Address.Parse(SmallSwarm.Lb))))
                .Answers(DropReason.None, PacketBuilder.Arp(MacAddress.Parse("02:00:00:00:00:99"), new ArpFields(
                    ArpOperation.Reply, SmallSwarm.LbMac, Ipv4Address.Parse(SmallSwarm.Lb), MacAddress.Parse("02:00:00:00:00:99"), s_client))),
            In(PacketBuilder.Tcp(Server, Lb, SynAck, 5000, 1001)).Becomes(
                PacketBuilder.Tcp(Vip, Client, SynAck, 5000, 1001) with
                {
                    TimeToLive = 63,
                    DestinationMac = MacAddress.Parse("02:00:00:00:00:99"),
                })),
        new("ARP that is cut is malformed", In(Ask(SmallSwarm.Vip)[..41]).Drops(DropReason.ArpMalformed)),
        new("ARP of other hardware is malformed", In(Changed(Ask(SmallSwarm.Vip), 15, 6)).Drops(DropReason.ArpMalformed)),
        new("ARP for other addresses is malformed", In(Changed(Ask(SmallSwarm.Vip), 16, 0x86)).Drops(DropReason.ArpMalformed)),
        new("ARP that neither asks nor answers is malformed", In(Changed(Ask(SmallSwarm.Vip), 21, 3)).Drops(DropReason.ArpMalformed)),
        new("ARP for a multicast address is malformed", In(Ask("224.0.0.1")).Drops(DropReason.ArpMalformed)),
        new("ARP for a loopback address is malformed", In(Ask("127.0.0.1")).Drops(DropReason.ArpMalformed)),

        new("thirteen bytes are no frame", In(Syn.Build()[..13]).Drops(DropReason.FrameTooShort)),
        new("no byte is no frame", In(Array.Empty<byte>()).Drops(DropReason.FrameTooShort)),
        new("another host's frame is not ours", In(Syn.Build()).Drops(DropReason.OtherHost)),
        new("a priority tag names no VLAN", In(Syn with { VlanTags = [0xE000] }).Becomes(SynSent)),
        new("a VLAN has no interface", In(Syn with { VlanTags = [5] }).Drops(DropReason.VlanTagged)),
        new("a priority tag before a VLAN has none either", In(Syn with { VlanTags = [0, 5] }).Drops(DropReason.VlanTagged)),
        new(
            "802.1ad is not served",
            In(PacketBuilder.Raw(SmallSwarm.LbMac, s_clientMac, EtherType.QinQ, Bytes(46))).Drops(DropReason.VlanTagged)),
        new(
            "a tag that is cut names nothing",
            In(PacketBuilder.Raw(SmallSwarm.LbMac, s_clientMac, EtherType.Vlan, Bytes(2))).Drops(DropReason.VlanTagged)),
        new("IPv6 is not served", In(PacketBuilder.Raw(SmallSwarm.LbMac, s_clientMac, EtherType.Ipv6, Bytes(46))).Drops(DropReason.Ipv6Unserved)),
        new(
            "other EtherTypes are not served",
            In(PacketBuilder.Raw(SmallSwarm.LbMac, s_clientMac, (EtherType)0x88CC, Bytes(46))).Drops(DropReason.EtherTypeUnserved)),
        new(
            "an 802.3 length is no EtherType",
            In(PacketBuilder.Raw(SmallSwarm.LbMac, s_clientMac, (EtherType)46, Bytes(46))).Drops(DropReason.EtherTypeUnserved)),

        new("an IPv4 header with a wrong sum is dropped", In(Changed(ToLb(Syn), 24, 0x55)).Drops(DropReason.Ipv4ChecksumWrong)),
        new("version 5 is malformed", In(Changed(ToLb(Syn), 14, 0x55)).Drops(DropReason.Ipv4Malformed)),
        new("a header length of 16 is malformed", In(Changed(ToLb(Syn), 14, 0x44)).Drops(DropReason.Ipv4Malformed)),
        new("a header length beyond the frame is malformed", In(Changed(ToLb(Syn), 14, 0x4F)[..50]).Drops(DropReason.Ipv4Malformed)),
        new("an empty packet is malformed", In(ToLb(Syn)[..14]).Drops(DropReason.Ipv4Malformed)),
        new("a total length below the header's is malformed", In(WithTotalLength(19)).Drops(DropReason.Ipv4Malformed)),
        new("a total length beyond the frame's end is truncation", In(WithTotalLength(41)).Drops(DropReason.Ipv4Truncated)),
        new(
            "a frame that the capture cut within the header cannot be judged",
            In(ToLb(Syn)[..30], wireLengthBytes: 54).Drops(DropReason.FrameTruncatedByCapture)),
        new(
            "a frame that the capture cut within its options cannot be judged",
            In(ToLb(Syn with { Ipv4Options = new byte[4] })[..36], wireLengthBytes: 58).Drops(DropReason.FrameTruncatedByCapture)),
        new(
            "a frame that the capture cut after the headers is sent on as far as it goes",
            In(ToLb(Syn with { Payload = Bytes(100) })[..80], wireLengthBytes: 154)
                .Becomes(SmallSwarm.FromBalancer(SynSent with { Payload = Bytes(100) }).Build()[..80])),
        new(
            "a source route is refused",
            In(Syn with { Ipv4Options = new byte[] { 131, 7, 4, 10, 0, 1, 3, 0 } }).Drops(DropReason.Ipv4OptionsInvalid)),
        new(
            "a strict source route is refused",
            In(Syn with { Ipv4Options = new byte[] { 137, 7, 4, 10, 0, 1, 3, 0 } }).Drops(DropReason.Ipv4OptionsInvalid)),
        Problem("an option without a length is told to the sender", [1, 1, 1, 7], 23),
        Problem("an option of length 1 is told to the sender", [7, 1, 4, 0], 20),
        Problem("an option beyond the header is told to the sender", [1, 7, 11, 4], 21),

        new("a multicast source is no sender", In(From("224.0.0.5")).Drops(DropReason.MartianSource)),
        new("a loopback source is no sender", In(From("127.0.0.1")).Drops(DropReason.MartianSource)),
        new("a source of zero is no sender", In(From("0.0.0.0")).Drops(DropReason.MartianSource)),
        new("the load balancer's own source is no sender", In(From(SmallSwarm.Lb)).Drops(DropReason.MartianSource)),
        new("the VIP as source is no sender", In(From(SmallSwarm.Vip)).Drops(DropReason.MartianSource)),
        new("a broadcast source is no sender", In(From("10.0.1.255")).Drops(DropReason.MartianSource)),
        new("a destination of zero is none", In(To("0.0.0.0")).Drops(DropReason.MartianDestination)),
        new("a loopback destination is none", In(To("127.0.0.1")).Drops(DropReason.MartianDestination)),
        new("a multicast group is not joined", In(To("224.0.0.5")).Drops(DropReason.MulticastUnserved)),
        new(
            "a packet for a host nobody has a route to",
            In(To("8.8.8.8")).Ends(Verdict.Answered, DropReason.NoRoute)
                .WithOwn(SmallSwarm.FromBalancer(ErrorAbout(
                    ToPacket("8.8.8.8").BuildPacket(), SmallSwarm.Lb, SmallSwarm.Client, IcmpType.DestinationUnreachable, 0)))),
        new(
            "a packet that leaves by an interface without a cable",
            new SmallSwarm
            {
                Namespaces =
                [
                    "lb: { interfaces: [{ name: eth0, index: 2, mac: 02:42:0a:00:01:05, mtu: 1450, addresses: [10.0.1.5/24, 10.0.1.2/32] }, "
                    + "{ name: eth1, index: 3, mac: 02:42:ac:12:00:02, mtu: 1500, addresses: [172.18.0.2/16] }], "
                    + "neighbors: [172.18.0.1 dev eth1 lladdr 02:42:ac:12:00:01 REACHABLE] }",
                ],
            },
            In(To("172.18.0.1")).Drops(DropReason.InterfaceNotReplayed)),
        new(
            "without ip_forward nothing is sent on",
            new SmallSwarm { Sysctls = new Dictionary<string, int> { ["net.ipv4.ip_forward"] = 0 } },
            In(To("10.0.1.3")).Drops(DropReason.ForwardingDisabled)),
        new(
            "a broadcast frame with a unicast packet for others is not sent on",
            In(WithDestination(To("10.0.1.3"), MacAddress.Broadcast)).Drops(DropReason.NotUnicastToUs)),
        new(
            "a multicast frame for the VIP is not balanced",
            In(WithDestination(ToLb(PacketBuilder.Udp(Client, Vip)), s_group)).Drops(DropReason.LocalNoListener)),
        new(
            "a broadcast datagram has no listener",
            In(WithDestination(ToLb(PacketBuilder.Udp(Client, "10.0.1.255:80")), MacAddress.Broadcast)).Drops(DropReason.LocalNoListener)),
        new(
            "a packet for another host of the network is sent on, and its sender told of the shorter way once it repeats",
            In(ToPacket("10.0.1.3")).Becomes(ToPacket("10.0.1.3") with { TimeToLive = 63 }),
            (In(ToPacket("10.0.1.3")) with { After = 0.1 }).Ends(Verdict.Forwarded, DropReason.None)
                .WithOwn(SmallSwarm.FromBalancer(ErrorAbout(
                    (ToPacket("10.0.1.3") with { TimeToLive = 63 }).BuildPacket(), SmallSwarm.Lb, SmallSwarm.Client, IcmpType.Redirect, 1,
                    0x0A000103)))
                .With(SmallSwarm.FromBalancer(ToPacket("10.0.1.3") with { TimeToLive = 63 }))),
        new(
            "without send_redirects its sender is told nothing",
            new SmallSwarm { Sysctls = new Dictionary<string, int> { ["net.ipv4.conf.all.send_redirects"] = 0 } },
            In(ToPacket("10.0.1.3")).Becomes(ToPacket("10.0.1.3") with { TimeToLive = 63 }),
            (In(ToPacket("10.0.1.3")) with { After = 0.1 }).Becomes(ToPacket("10.0.1.3") with { TimeToLive = 63 })),
    ];

    private static byte[] ToLb(PacketBuilder packet) => SmallSwarm.ToBalancer(packet).Build();

    private static PacketBuilder ToPacket(string address) => PacketBuilder.Udp(Client, address + ":9999", Text("hello"));

    private static byte[] To(string address) => ToLb(ToPacket(address));

    private static byte[] From(string address) => ToLb(PacketBuilder.Udp(address + ":40000", Vip, Text("hello")));

    private static byte[] WithDestination(byte[] frame, MacAddress mac)
    {
        byte[] changed = [.. frame];
        mac.WriteTo(changed);
        return changed;
    }

    private static byte[] Changed(byte[] frame, int offset, byte value)
    {
        byte[] changed = [.. frame];
        changed[offset] = value;
        return changed;
    }

    private static PathCase Problem(string description, byte[] options, int at)
    {
        PacketBuilder packet = Syn with { Ipv4Options = options };
        return new PathCase(
            description, In(packet).Answers(DropReason.Ipv4OptionsInvalid, Error(IcmpType.ParameterProblem, 0, packet, (uint)at << 24)));
    }

    // A SYN of 40 bytes that says it is longer or shorter, with the header's sum right.
    private static byte[] WithTotalLength(int total)
    {
        byte[] frame = ToLb(Syn);
        frame[17] = (byte)total;
        Ipv4Header.WriteChecksum(frame.AsSpan(14, 20));
        return frame;
    }

    private static byte[] Ask(string address, MacAddress? destination = null) => PacketBuilder.Arp(
        destination ?? MacAddress.Broadcast,
        new ArpFields(ArpOperation.Request, s_clientMac, s_client, default, Ipv4Address.Parse(address)));

    private static byte[] Answer(string address) => PacketBuilder.Arp(
        s_clientMac, new ArpFields(ArpOperation.Reply, SmallSwarm.LbMac, Ipv4Address.Parse(address), s_clientMac, s_client));
}
