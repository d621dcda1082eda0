using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;
using static FastPathLb.Balancer.Tests.Paths.PathStep;
using static FastPathLb.Balancer.Tests.Paths.Traffic;

namespace FastPathLb.Balancer.Tests.Paths;

/// <summary>ICMP: the load balancer's own answers, and errors about balanced connections from either side.</summary>
internal static class OverlayIcmpCases
{
    private const byte PortUnreachable = 3;
    private const byte FragmentationNeeded = 4;

    /// <summary>The client's SYN as the first server has it: what the server quotes.</summary>
    private static readonly byte[] s_quotedByServer = SynSent.BuildPacket();

    /// <summary>The server's answer as the client has it: what the client quotes.</summary>
    private static readonly byte[] s_quotedByClient =
        (PacketBuilder.Tcp(Vip, Client, SynAck, 5000, 1001) with { TimeToLive = 63 }).BuildPacket();

    public static IReadOnlyList<PathCase> All { get; } =
    [
        new("an echo to the virtual address is answered", In(Echo(SmallSwarm.Vip)).Answers(DropReason.None, EchoReply(SmallSwarm.Vip))),
        new("an echo to the load balancer is answered", In(Echo(SmallSwarm.Lb)).Answers(DropReason.None, EchoReply(SmallSwarm.Lb))),
        new(
            "an echo's type of service is kept",
            In(Echo(SmallSwarm.Vip) with { TypeOfService = 0x10 })
                .Answers(DropReason.None, EchoReply(SmallSwarm.Vip) with { TypeOfService = 0x10 })),
        new(
            "an echo to a server is sent on to it",
            In(Echo("10.0.1.3")).Becomes(Echo("10.0.1.3") with { TimeToLive = 63 })),
        new(
            "an echo reply has nobody waiting for it",
            In(PacketBuilder.Icmp(SmallSwarm.Client, SmallSwarm.Lb, IcmpType.EchoReply, rest: 0x00010001))
                .Ends(Verdict.Consumed, DropReason.LocalIcmpUnserved)),
        new(
            "an echo's code does not matter, and is sent back",
            In(Echo(SmallSwarm.Vip) with { IcmpCode = 7 }).Answers(DropReason.None, EchoReply(SmallSwarm.Vip) with { IcmpCode = 7 })),
        new(
            "a timestamp request is answered with the time of day in milliseconds",
            In(PacketBuilder.Icmp(SmallSwarm.Client, SmallSwarm.Lb, IcmpType.Timestamp, rest: 0x00010002, payload: new byte[] { 1, 2, 3, 4 }))
                .Answers(DropReason.None, PacketBuilder.Icmp(
                    SmallSwarm.Lb, SmallSwarm.Client, IcmpType.TimestampReply, rest: 0x00010002,
                    payload: (byte[])[1, 2, 3, 4, .. OptionCases.EpochTime, .. OptionCases.EpochTime]) with { DontFragment = false })),
        new(
            "a timestamp request without a time is dropped",
            In(PacketBuilder.Icmp(SmallSwarm.Client, SmallSwarm.Lb, IcmpType.Timestamp, payload: Bytes(3)))
                .Drops(DropReason.LocalTransportMalformed)),
        new(
            "an echo to everybody is not answered",
            In(PacketBuilder.Icmp(SmallSwarm.Client, "10.0.1.255", IcmpType.Echo, rest: 1)).Drops(DropReason.LocalIcmpUnserved)),
        new(
            "ICMP without a whole header is dropped",
            In(PacketBuilder.Other(SmallSwarm.Client, SmallSwarm.Vip, IpProtocol.Icmp, Bytes(7))).Drops(DropReason.IpvsIcmpTruncated)),
        new(
            "a datagram to no port of the load balancer's own",
            In(PacketBuilder.Udp(Client, SmallSwarm.Lb + ":9")).Answers(
                DropReason.LocalNoListener,
                Error(IcmpType.DestinationUnreachable, PortUnreachable, PacketBuilder.Udp(Client, SmallSwarm.Lb + ":9")))),
        new(
            "a protocol that the load balancer does not speak",
            In(PacketBuilder.Other(SmallSwarm.Client, SmallSwarm.Lb, IpProtocol.Gre, Bytes(8))).Answers(
                DropReason.LocalProtocolUnserved,
                Error(IcmpType.DestinationUnreachable, 2, PacketBuilder.Other(SmallSwarm.Client, SmallSwarm.Lb, IpProtocol.Gre, Bytes(8))))),
        new(
            "IGMP is taken in",
            In(PacketBuilder.Other(SmallSwarm.Client, SmallSwarm.Lb, IpProtocol.Igmp, Bytes(8)))
                .Ends(Verdict.Consumed, DropReason.LocalDeliveredToStack)),
        new(
            "a long packet is quoted up to 576 bytes in all",
            In(PacketBuilder.Udp(Client, SmallSwarm.Lb + ":9", Bytes(1000))).Answers(
                DropReason.LocalNoListener,
                ErrorAbout(
                    PacketBuilder.Udp(Client, SmallSwarm.Lb + ":9", Bytes(1000)).BuildPacket()[..548],
                    SmallSwarm.Lb, SmallSwarm.Client, IcmpType.DestinationUnreachable, PortUnreachable))),
        new(
            "TTL 1 runs out at the virtual address",
            In(Syn with { TimeToLive = 1 }).Answers(
                DropReason.TimeToLiveExceeded, Error(IcmpType.TimeExceeded, 0, Syn with { TimeToLive = 1 }))),
        new("TTL 2 does not", In(Syn with { TimeToLive = 2 }).Becomes(SynSent with { TimeToLive = 1 })),
        new(
            "a reply's TTL runs out at the load balancer: the error quotes the reply as its server sent it",
            Open,
            In(PacketBuilder.Tcp(Server, Lb, SynAck, 5000, 1001) with { TimeToLive = 1 }).Ends(
                Verdict.Answered, DropReason.TimeToLiveExceeded).WithOwn(SmallSwarm.FromBalancer(ErrorAbout(
                    (PacketBuilder.Tcp(Server, Lb, SynAck, 5000, 1001) with { TimeToLive = 1 }).BuildPacket(),
                    SmallSwarm.Lb, First, IcmpType.TimeExceeded, 0)))),
        new(
            "errors to one client are let out six at a time",
            [
                .. Enumerable.Range(0, 6).Select(_ => In(Syn with { TimeToLive = 1 }).Answers(
                    DropReason.TimeToLiveExceeded, Error(IcmpType.TimeExceeded, 0, Syn with { TimeToLive = 1 }))),
                In(Syn with { TimeToLive = 1 }).Drops(DropReason.TimeToLiveExceeded),
                In(Syn with { TimeToLive = 1 }).Answers(
                    DropReason.TimeToLiveExceeded, Error(IcmpType.TimeExceeded, 0, Syn with { TimeToLive = 1 })) with { After = 1.01 },
                In(Syn with { TimeToLive = 1 }).Drops(DropReason.TimeToLiveExceeded),
            ]),
        new(
            "no error is sent about an error",
            In(ErrorAbout(Syn.BuildPacket(), SmallSwarm.Client, "10.0.1.3", IcmpType.TimeExceeded, 0) with { TimeToLive = 1 })
                .Drops(DropReason.TimeToLiveExceeded)),
        new(
            "a server's port unreachable reaches the client as from the virtual address",
            Open,
            In(ErrorAbout(s_quotedByServer, First, SmallSwarm.Lb, IcmpType.DestinationUnreachable, PortUnreachable))
                .Becomes(ErrorAbout(
                    // The sums that cover the client's address are carried along by conntrack; IPVS leaves the embedded one alone.
                    Readdressed(
                        (PacketBuilder.Tcp(Client, Server, TcpFlags.Syn, 1000) with { TimeToLive = 63 }).BuildPacket(),
                        Ipv4Header.DestinationOffset, SmallSwarm.Vip),
                    SmallSwarm.Vip, SmallSwarm.Client, IcmpType.DestinationUnreachable, PortUnreachable) with { TimeToLive = 63 })),
        new(
            "a client's need for fragments reaches the server as about what the server sent",
            [
                .. Established,
                In(ErrorAbout(s_quotedByClient, SmallSwarm.Client, SmallSwarm.Vip, IcmpType.DestinationUnreachable, FragmentationNeeded, 1000))
                    .Becomes(ErrorAbout(
                        Readdressed(
                            (PacketBuilder.Tcp(Vip, Lb, SynAck, 5000, 1001) with { TimeToLive = 63 }).BuildPacket(),
                            Ipv4Header.SourceOffset, First),
                        SmallSwarm.Lb, First, IcmpType.DestinationUnreachable, FragmentationNeeded, 1000) with { TimeToLive = 63 }),
            ]),
        new(
            "a server's error whose sum is wrong has a right one after conntrack translated it",
            Open,
            In(ErrorAbout(s_quotedByServer, First, SmallSwarm.Lb, IcmpType.DestinationUnreachable, PortUnreachable) with
            {
                Checksum = ChecksumKind.Wrong,
            }).Becomes(ErrorAbout(
                    // The sums that cover the client's address are carried along by conntrack; IPVS leaves the embedded one alone.
                    Readdressed(
                        (PacketBuilder.Tcp(Client, Server, TcpFlags.Syn, 1000) with { TimeToLive = 63 }).BuildPacket(),
                        Ipv4Header.DestinationOffset, SmallSwarm.Vip),
                    SmallSwarm.Vip, SmallSwarm.Client, IcmpType.DestinationUnreachable, PortUnreachable) with { TimeToLive = 63 })),
        new(
            "an error about nothing known is for the load balancer's own stack",
            In(ErrorAbout(s_quotedByServer, First, SmallSwarm.Lb, IcmpType.DestinationUnreachable, PortUnreachable))
                .Ends(Verdict.Consumed, DropReason.LocalIcmpUnserved)),
        new(
            "a redirect of a translated connection is dropped",
            Open,
            In(ErrorAbout(s_quotedByServer, First, SmallSwarm.Lb, IcmpType.Redirect, 1, 0x0A000103))
                .Drops(DropReason.NatRedirectOfTranslated)),
        new(
            "a client's error about a reply that is damaged is dropped",
            [
                .. Established,
                In(ErrorAbout(s_quotedByClient, SmallSwarm.Client, SmallSwarm.Vip, IcmpType.DestinationUnreachable, FragmentationNeeded, 1000) with
                {
                    Checksum = ChecksumKind.Wrong,
                }).Drops(DropReason.IpvsIcmpChecksumWrong),
            ]),
    ];

    private static PacketBuilder Echo(string to) =>
        PacketBuilder.Icmp(SmallSwarm.Client, to, IcmpType.Echo, rest: 0x12340001, payload: Text("abcdefgh"));

    private static PacketBuilder EchoReply(string from) =>
        PacketBuilder.Icmp(from, SmallSwarm.Client, IcmpType.EchoReply, rest: 0x12340001, payload: Text("abcdefgh")) with { DontFragment = false };

    /// <summary>A packet with another address, its transport checksum left as it is.</summary>
    private static byte[] Readdressed(byte[] packet, int addressOffset, string address)
    {
        Ipv4Address.Parse(address).WriteTo(packet.AsSpan(addressOffset));
        Ipv4Header.WriteChecksum(packet.AsSpan(0, Ipv4Header.MinimumLengthBytes));
        return packet;
    }
}
