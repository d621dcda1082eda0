using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;
using static FastPathLb.Balancer.Tests.Paths.PathStep;
using static FastPathLb.Balancer.Tests.Paths.Traffic;

namespace FastPathLb.Balancer.Tests.Paths;

/// <summary>Full tables, clashes, packets too short or too large, and connections that give way to new ones.</summary>
internal static class LimitCases
{
    private const string UdpClient = SmallSwarm.Client + ":5353";
    private const string UdpVip = SmallSwarm.Vip + ":53";
    private const string UdpLb = SmallSwarm.Lb + ":5353";
    private const string UdpServer = First + ":53";
    private const string FixedPort = "-A POSTROUTING -d 10.0.1.3/32 -p udp -j SNAT --to-source 10.0.1.5:7777";

    public static IReadOnlyList<PathCase> All { get; } =
    [
        new(
            "conntrack's table is full",
            new SmallSwarm { Capacity = 16 },
            [
                .. Enumerable.Range(1, 16).Select(identifier => In(Echo(identifier)).Answers(DropReason.None, EchoReply(identifier))),
                In(Echo(17)).Drops(DropReason.ConntrackTableFull),
                In(Echo(3)).Answers(DropReason.None, EchoReply(3)),
                (In(Echo(17)) with { After = 31 }).Answers(DropReason.None, EchoReply(17)),
            ]),
        new(
            "two flows that are translated to one tuple",
            new SmallSwarm { Rules = new Dictionary<string, string[]> { ["nat"] = [FixedPort] } },
            In(PacketBuilder.Udp(UdpClient, "10.0.1.3:9"))
                .Becomes(PacketBuilder.Udp(SmallSwarm.Lb + ":7777", "10.0.1.3:9") with { TimeToLive = 63 }),
            In(PacketBuilder.Udp(SmallSwarm.OtherClient + ":5353", "10.0.1.3:9")).Drops(DropReason.ConntrackClash),
            In(PacketBuilder.Udp(SmallSwarm.OtherClient + ":5353", "10.0.1.3:10"))
                .Becomes(PacketBuilder.Udp(SmallSwarm.Lb + ":7777", "10.0.1.3:10") with { TimeToLive = 63 })),
        new(
            "a segment of a connection that is too short to be translated",
            Open,
            In(PacketBuilder.Other(SmallSwarm.Client, SmallSwarm.Vip, IpProtocol.Tcp, Syn.BuildPacket().AsMemory(20, 6))).Drops(DropReason.IpvsNatFailed)),
        new(
            "an error that quotes too little of a datagram to be translated",
            In(PacketBuilder.Udp(UdpClient, UdpVip)).Becomes(PacketBuilder.Udp(UdpLb, UdpServer) with { TimeToLive = 63 }),
            In(ErrorAbout(
                (PacketBuilder.Udp(UdpLb, UdpServer) with { TimeToLive = 63 }).BuildPacket()[..24], First, SmallSwarm.Lb,
                IcmpType.DestinationUnreachable, 3)).Drops(DropReason.NatIcmpMalformed)),
        new(
            "a segment with an impossible header length, for the load balancer itself",
            In(PacketBuilder.Other(
                SmallSwarm.Client, SmallSwarm.Lb, IpProtocol.Tcp, WithByte(PacketBuilder.Tcp(Client, SmallSwarm.Lb + ":80", TcpFlags.Ack), 32, 0x40)))
                .Drops(DropReason.LocalTransportMalformed)),
        new(
            "a datagram with an impossible length, for the load balancer itself",
            In(PacketBuilder.Other(
                SmallSwarm.Client, SmallSwarm.Lb, IpProtocol.Udp, WithByte(PacketBuilder.Udp(Client, SmallSwarm.Lb + ":9"), 25, 7)))
                .Drops(DropReason.LocalTransportMalformed)),
        new(
            "a datagram that says it is longer than its packet, for the load balancer itself",
            In(PacketBuilder.Other(
                SmallSwarm.Client, SmallSwarm.Lb, IpProtocol.Udp, WithByte(PacketBuilder.Udp(Client, SmallSwarm.Lb + ":9"), 25, 9)))
                .Drops(DropReason.LocalTransportMalformed)),
        new(
            "a datagram whose fragments must not be cut is too large",
            new SmallSwarm { MtuBytes = 1000 },
            In(OverlayFragmentCases.Fragment(PacketBuilder.Udp(UdpClient, UdpVip, Bytes(1400)), 0, 800))
                .Ends(Verdict.Held, DropReason.FragmentHeld),
            In(OverlayFragmentCases.Fragment(PacketBuilder.Udp(UdpClient, UdpVip, Bytes(1400)), 800, 1408)).Answers(
                DropReason.FragmentationNeeded,
                ErrorAbout(
                    (PacketBuilder.Udp(UdpClient, UdpVip, Bytes(1400)) with { TimeToLive = 63 }).BuildPacket()[..548], SmallSwarm.Vip, SmallSwarm.Client,
                    IcmpType.DestinationUnreachable, 4, 1000))),
        new(
            "a super-packet of the sender's offload goes through whole",
            new SmallSwarm { MtuBytes = 1000 },
            In(PacketBuilder.Udp(UdpClient, UdpVip, Bytes(1400)))
                .Becomes(PacketBuilder.Udp(UdpLb, UdpServer, Bytes(1400)) with { TimeToLive = 63 })),
        new(
            "drop_packet sheds one new connection in ten",
            new SmallSwarm { Servers = ["10.0.1.4"], Sysctls = new Dictionary<string, int> { ["vs.drop_packet"] = 3 } },
            [
                In(PacketBuilder.Tcp("10.0.1.8:50000", Vip, TcpFlags.Syn, 1)).Drops(DropReason.IpvsLoadShedding),
                .. Enumerable.Range(50_001, 9).Select(port => In(PacketBuilder.Tcp($"10.0.1.8:{port}", Vip, TcpFlags.Syn, 1))
                    .Becomes(PacketBuilder.Tcp($"10.0.1.5:{port}", Server, TcpFlags.Syn, 1) with { TimeToLive = 63 })),
                In(PacketBuilder.Tcp("10.0.1.8:50010", Vip, TcpFlags.Syn, 1)).Drops(DropReason.IpvsLoadShedding),
            ]),
        new(
            "with conn_reuse_mode a SYN ends a closed connection; one that conntrack does not believe waits for its repetition",
            new SmallSwarm { Sysctls = new Dictionary<string, int> { ["vs.conn_reuse_mode"] = 1 } },
            [
                .. Established,

                // Out of the window for conntrack, but the end for IPVS.
                In(PacketBuilder.Tcp(Client, Vip, TcpFlags.Rst, 900_000_000)).Becomes(
                    PacketBuilder.Tcp(Client, Server, TcpFlags.Rst, 900_000_000) with { TimeToLive = 63 }),
                In(Syn with { Sequence = 70_000 }).Drops(DropReason.IpvsReschedule),
                In(Syn with { Sequence = 70_000 })
                    .Becomes(PacketBuilder.Tcp(Lb, Second + ":80", TcpFlags.Syn, 70_000) with { TimeToLive = 63 }),
            ]),
        new(
            "without conn_reuse_mode it does not",
            [
                .. Established,
                In(PacketBuilder.Tcp(Client, Vip, TcpFlags.Rst, 900_000_000)).Becomes(
                    PacketBuilder.Tcp(Client, Server, TcpFlags.Rst, 900_000_000) with { TimeToLive = 63 }),
                In(Syn with { Sequence = 70_000 }).Becomes(SynSent with { Sequence = 70_000 }),
            ]),
    ];

    private static PacketBuilder Echo(int identifier) =>
        PacketBuilder.Icmp(SmallSwarm.Client, SmallSwarm.Lb, IcmpType.Echo, rest: (uint)identifier << 16);

    private static PacketBuilder EchoReply(int identifier) =>
        PacketBuilder.Icmp(SmallSwarm.Lb, SmallSwarm.Client, IcmpType.EchoReply, rest: (uint)identifier << 16) with { DontFragment = false };

    // The transport part of a packet with one byte of the packet changed.
    private static byte[] WithByte(PacketBuilder whole, int offset, byte value)
    {
        byte[] packet = whole.BuildPacket();
        packet[offset] = value;
        return packet[20..];
    }
}
