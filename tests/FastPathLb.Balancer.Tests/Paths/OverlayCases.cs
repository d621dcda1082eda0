using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;
using static FastPathLb.Balancer.Tests.Paths.PathStep;
using static FastPathLb.Balancer.Tests.Paths.Traffic;

namespace FastPathLb.Balancer.Tests.Paths;

/// <summary>TCP and UDP through the virtual address, at the load balancer's own interface.</summary>
internal static class OverlayCases
{
    private const string UdpClient = SmallSwarm.Client + ":5353";
    private const string UdpVip = SmallSwarm.Vip + ":53";
    private const string UdpLb = SmallSwarm.Lb + ":5353";
    private const string UdpServer = First + ":53";

    private static readonly SmallSwarm s_tunnel = new() { Servers = ["{ address: 10.0.1.4, forwarding: tunnel }"] };

    public static IReadOnlyList<PathCase> All { get; } =
    [
        new("a SYN is scheduled, its destination and source translated", Open),
        new("a reply is un-NATed to what the client called", Open, Accept),
        new(
            "a whole connection goes to one server",
            [
                .. Established, FromClient(PshAck, 1001, 5001, Text("GET / HTTP/1.0\r\n\r\n")),
                FromServer(PshAck, 5001, 1019, Text("HTTP/1.0 200 OK\r\n\r\n")), FromClient(FinAck, 1019, 5020),
                FromServer(FinAck, 5020, 1020), FromClient(TcpFlags.Ack, 1020, 5021),
            ]),
        new(
            "the second connection goes to the second server",
            Open,
            In(PacketBuilder.Tcp(SmallSwarm.OtherClient + ":40001", Vip, TcpFlags.Syn, 1))
                .Becomes(PacketBuilder.Tcp(SmallSwarm.Lb + ":40001", Second + ":80", TcpFlags.Syn, 1) with { TimeToLive = 63 })),
        new(
            "the third connection goes to the first server again",
            Open,
            In(PacketBuilder.Tcp(SmallSwarm.Client + ":40001", Vip, TcpFlags.Syn, 1))
                .Becomes(PacketBuilder.Tcp(SmallSwarm.Lb + ":40001", Second + ":80", TcpFlags.Syn, 1) with { TimeToLive = 63 }),
            In(PacketBuilder.Tcp(SmallSwarm.Client + ":40002", Vip, TcpFlags.Syn, 1))
                .Becomes(PacketBuilder.Tcp(SmallSwarm.Lb + ":40002", First + ":80", TcpFlags.Syn, 1) with { TimeToLive = 63 })),
        new("a SYN again goes where the first went", Open, Open, Open),
        new(
            "a server's own port is put in and taken out",
            new SmallSwarm { Servers = ["10.0.1.4:8080"] },
            In(Syn).Becomes(PacketBuilder.Tcp(Lb, First + ":8080", TcpFlags.Syn, 1000) with { TimeToLive = 63 }),
            In(PacketBuilder.Tcp(First + ":8080", Lb, SynAck, 5000, 1001))
                .Becomes(PacketBuilder.Tcp(Vip, Client, SynAck, 5000, 1001) with { TimeToLive = 63 })),
        new(
            "a partial checksum stays partial, of the new addresses",
            In(Syn with { Checksum = ChecksumKind.Partial }).Becomes(SynSent with { Checksum = ChecksumKind.Partial }),
            In(PacketBuilder.Tcp(Server, Lb, SynAck, 5000, 1001) with { Checksum = ChecksumKind.Partial })
                .Becomes(PacketBuilder.Tcp(Vip, Client, SynAck, 5000, 1001) with
                {
                    Checksum = ChecksumKind.Partial,
                    TimeToLive = 63,
                })),
        new(
            "a partial checksum of a datagram stays partial",
            In(PacketBuilder.Udp(UdpClient, UdpVip, Text("?")) with { Checksum = ChecksumKind.Partial })
                .Becomes(PacketBuilder.Udp(UdpLb, UdpServer, Text("?")) with { Checksum = ChecksumKind.Partial, TimeToLive = 63 })),
        new(
            "a wrong checksum stays wrong by as much",
            In(Syn with { Checksum = ChecksumKind.Wrong, ChecksumError = 77 })
                .Becomes(SynSent with { Checksum = ChecksumKind.Wrong, ChecksumError = 77 })),
        new(
            "a datagram goes and comes",
            In(PacketBuilder.Udp(UdpClient, UdpVip, Text("question")))
                .Becomes(PacketBuilder.Udp(UdpLb, UdpServer, Text("question")) with { TimeToLive = 63 }),
            In(PacketBuilder.Udp(UdpServer, UdpLb, Text("answer")))
                .Becomes(PacketBuilder.Udp(UdpVip, UdpClient, Text("answer")) with { TimeToLive = 63 })),
        new(
            "a datagram without a checksum gets one",
            In(PacketBuilder.Udp(UdpClient, UdpVip, Text("question")) with { Checksum = ChecksumKind.Zero })
                .Becomes(PacketBuilder.Udp(UdpLb, UdpServer, Text("question")) with { TimeToLive = 63 }),
            In(PacketBuilder.Udp(UdpServer, UdpLb, Text("odd")) with { Checksum = ChecksumKind.Zero })
                .Becomes(PacketBuilder.Udp(UdpVip, UdpClient, Text("odd")) with { TimeToLive = 63 })),
        new(
            "bytes behind the packet are not sent on",
            In(Syn with { Trailer = Bytes(6) }).Becomes(SynSent)),
        new(
            "IPv4 options are kept",
            In(Syn with { Ipv4Options = new byte[] { 1, 1, 1, 0 } }).Becomes(SynSent with { Ipv4Options = new byte[] { 1, 1, 1, 0 } })),
        new(
            "DSCP and ECN are kept",
            In(Syn with { TypeOfService = 0xBB }).Becomes(SynSent with { TypeOfService = 0xBB })),
        new(
            "a colliding client gets the next free port, and its replies find it",
            new SmallSwarm { Servers = ["10.0.1.4"] },
            Open,
            In(PacketBuilder.Tcp(SmallSwarm.OtherClient + ":40000", Vip, TcpFlags.Syn, 7))
                .Becomes(PacketBuilder.Tcp(SmallSwarm.Lb + ":40001", Server, TcpFlags.Syn, 7) with { TimeToLive = 63 }),
            In(PacketBuilder.Tcp(Server, SmallSwarm.Lb + ":40001", SynAck, 9000, 8))
                .Becomes(PacketBuilder.Tcp(Vip, SmallSwarm.OtherClient + ":40000", SynAck, 9000, 8) with { TimeToLive = 63 }),
            Accept),
        new(
            "a collision at the highest port goes on at 1024",
            new SmallSwarm { Servers = ["10.0.1.4"] },
            In(PacketBuilder.Tcp(SmallSwarm.Client + ":65535", Vip, TcpFlags.Syn, 7))
                .Becomes(PacketBuilder.Tcp(SmallSwarm.Lb + ":65535", Server, TcpFlags.Syn, 7) with { TimeToLive = 63 }),
            In(PacketBuilder.Tcp(SmallSwarm.OtherClient + ":65535", Vip, TcpFlags.Syn, 8))
                .Becomes(PacketBuilder.Tcp(SmallSwarm.Lb + ":1024", Server, TcpFlags.Syn, 8) with { TimeToLive = 63 })),
        new(
            "a collision below 1024 stays below",
            new SmallSwarm { Servers = ["10.0.1.4"] },
            In(PacketBuilder.Tcp(SmallSwarm.Client + ":1023", Vip, TcpFlags.Syn, 7))
                .Becomes(PacketBuilder.Tcp(SmallSwarm.Lb + ":1023", Server, TcpFlags.Syn, 7) with { TimeToLive = 63 }),
            In(PacketBuilder.Tcp(SmallSwarm.OtherClient + ":1023", Vip, TcpFlags.Syn, 8))
                .Becomes(PacketBuilder.Tcp(SmallSwarm.Lb + ":600", Server, TcpFlags.Syn, 8) with { TimeToLive = 63 })),
        new(
            "a segment out of the window is no part of the connection to conntrack, which begins one more behind IPVS",
            [
                .. Established,
                In(PacketBuilder.Tcp(Client, Vip, TcpFlags.Ack, 900_000_000, 5001))
                    .Becomes(PacketBuilder.Tcp(SmallSwarm.Lb + ":40001", Server, TcpFlags.Ack, 900_000_000, 5001) with { TimeToLive = 63 }),
            ]),
        new(
            "a connection that IPVS never saw is reset by the load balancer's own stack",
            In(PacketBuilder.Tcp(Client, Vip, TcpFlags.Ack, 1001, 5001)).Answers(
                DropReason.LocalNoListener, PacketBuilder.Tcp(Vip, Client, TcpFlags.Rst, 5001) with { Window = 0, Identification = 0 })),
        new(
            "with sloppy_tcp it is scheduled",
            new SmallSwarm { Sysctls = new Dictionary<string, int> { ["vs.sloppy_tcp"] = 1 } },
            FromClient(TcpFlags.Ack, 1001, 5001)),
        new(
            "a SYN to the load balancer's own address is refused",
            In(PacketBuilder.Tcp(Client, SmallSwarm.Lb + ":80", TcpFlags.Syn, 1000)).Answers(
                DropReason.LocalNoListener,
                PacketBuilder.Tcp(SmallSwarm.Lb + ":80", Client, RstAck, 0, 1001) with { Window = 0, Identification = 0 })),
        new(
            "a RST to the load balancer's own address ends there",
            In(PacketBuilder.Tcp(Client, SmallSwarm.Lb + ":80", TcpFlags.Rst, 1000)).Ends(Verdict.Consumed, DropReason.LocalNoListener)),
        new(
            "a service without servers says port unreachable",
            new SmallSwarm { Servers = [] },
            In(Syn).Answers(DropReason.IpvsNoServer, Error(IcmpType.DestinationUnreachable, 3, Syn))),
        new(
            "a server of weight 0 takes no connection",
            new SmallSwarm { Servers = SmallSwarm.Weighted(1, 0) },
            In(Syn).Becomes(PacketBuilder.Tcp(Lb, Second + ":80", TcpFlags.Syn, 1000) with { TimeToLive = 63 })),
        new(
            "servers of weight 0 alone are no servers",
            new SmallSwarm { Servers = SmallSwarm.Weighted(0, 0) },
            In(Syn).Answers(DropReason.IpvsNoServer, Error(IcmpType.DestinationUnreachable, 3, Syn))),
        new(
            "FTP's data port is not scheduled",
            In(PacketBuilder.Tcp(SmallSwarm.Client + ":20", Vip, TcpFlags.Syn, 1)).Answers(
                DropReason.LocalNoListener,
                PacketBuilder.Tcp(Vip, SmallSwarm.Client + ":20", RstAck, 0, 2) with { Window = 0, Identification = 0 })),
        new(
            "a marked datagram without a service is for the load balancer's own stack",
            new SmallSwarm { Rules = new Dictionary<string, string[]> { ["mangle"] = ["-A INPUT -p udp -j MARK --set-xmark 0x7/0xffffffff"] } },
            In(PacketBuilder.Udp(UdpClient, UdpVip)).Answers(
                DropReason.LocalNoListener, Error(IcmpType.DestinationUnreachable, 3, PacketBuilder.Udp(UdpClient, UdpVip)))),
        new(
            "a service by address and port serves that port alone",
            new SmallSwarm { MoreServices = ["{ vip: 10.0.1.20, protocol: tcp, port: 443, servers: [10.0.1.6] }"] },
            In(PacketBuilder.Tcp(Client, "10.0.1.20:443", TcpFlags.Syn, 1))
                .Becomes(PacketBuilder.Tcp(Lb, "10.0.1.6:443", TcpFlags.Syn, 1) with { TimeToLive = 63 }),
            In(PacketBuilder.Tcp(Client, "10.0.1.20:444", TcpFlags.Syn, 1)).Answers(
                DropReason.LocalNoListener,
                PacketBuilder.Tcp("10.0.1.20:444", Client, RstAck, 0, 2) with { Window = 0, Identification = 0 })),
        new(
            "direct return changes the MAC alone",
            new SmallSwarm { Servers = ["{ address: 10.0.1.4, forwarding: route }"] },
            In(Syn).Becomes(Syn with { TimeToLive = 63, DestinationMac = MacAddress.FromDocker(Ipv4Address.Parse(First)) })),
        new(
            "a segment that conntrack finds invalid passes by it to the server, and its answer comes back as the connection's",
            [
                .. Established,
                In(PacketBuilder.Tcp(Client, Vip, TcpFlags.Ack, 900_000_000, 5001))
                    .Becomes(PacketBuilder.Tcp(SmallSwarm.Lb + ":40001", Server, TcpFlags.Ack, 900_000_000, 5001) with { TimeToLive = 63 }),
                In(PacketBuilder.Tcp(Server, SmallSwarm.Lb + ":40001", TcpFlags.Ack, 5001, 1001))
                    .Becomes(PacketBuilder.Tcp(Vip, Client, TcpFlags.Ack, 5001, 1001) with { TimeToLive = 63 }),
            ]),
        new(
            "a tunnel carries the packet as it is, in a packet to the server",
            s_tunnel,
            In(Syn).Becomes(Tunnelled(Syn with { TimeToLive = 63 })),
            In(Syn with { TypeOfService = 0x13 }).Becomes(Tunnelled(Syn with { TimeToLive = 63, TypeOfService = 0x13 }) with { TypeOfService = 0x12 })),
        new(
            "a tunnel takes twenty bytes of the MTU",
            s_tunnel with { MtuBytes = 600 },
            In(LongDatagram(580)).Becomes(Tunnelled(LongDatagram(580) with { TimeToLive = 63 })),
            In(LongDatagram(584)).Answers(
                DropReason.FragmentationNeeded,
                Error(IcmpType.DestinationUnreachable, 4, LongDatagram(584) with { TimeToLive = 63 }, 580) with
                {
                    Payload = (LongDatagram(584) with { TimeToLive = 63 }).BuildPacket().AsMemory(0, 548),
                })),
        new(
            "without pmtu_disc a tunnel's packets may be cut",
            s_tunnel with { Sysctls = new Dictionary<string, int> { ["vs.pmtu_disc"] = 0 } },
            In(Syn).Ends(Verdict.Forwarded, DropReason.None)
                .WithOwn(SmallSwarm.FromBalancer(Tunnelled(Syn with { TimeToLive = 63 }) with { DontFragment = false }))),
        new(
            "a connection whose server is removed is dropped",
            new SmallSwarm { Sysctls = new Dictionary<string, int> { ["vs.expire_nodest_conn"] = 0 } },
            [
                .. Established, Run("ipvsadm -d -f 273 -r 10.0.1.4:0"),
                In(PacketBuilder.Tcp(Client, Vip, TcpFlags.Ack, 1001, 5001)).Drops(DropReason.IpvsServerGone),
            ]),
        new(
            "a client's segment too short for TCP is dropped",
            In(PacketBuilder.Other(SmallSwarm.Client, SmallSwarm.Vip, IpProtocol.Tcp, Bytes(12))).Drops(DropReason.IpvsPortsMissing)),
        new(
            "a client's datagram too short for UDP is dropped",
            In(PacketBuilder.Other(SmallSwarm.Client, SmallSwarm.Vip, IpProtocol.Udp, Bytes(6))).Drops(DropReason.IpvsPortsMissing)),
        new(
            "a full connection table takes no connection",
            new SmallSwarm { Capacity = 16, Servers = ["10.0.1.4"] },
            [
                .. Enumerable.Range(0, 16).Select(index => In(PacketBuilder.Tcp($"10.0.1.8:{50000 + index}", Vip, TcpFlags.Syn, 1))
                    .Becomes(PacketBuilder.Tcp($"10.0.1.5:{50000 + index}", Server, TcpFlags.Syn, 1) with { TimeToLive = 63 })),
                In(PacketBuilder.Tcp("10.0.1.8:50016", Vip, TcpFlags.Syn, 1)).Drops(DropReason.IpvsTableFull),
            ]),
        new(
            "one-packet scheduling sends each datagram to the next server",
            new SmallSwarm { IsOnePacket = true },
            In(PacketBuilder.Udp(UdpClient, UdpVip)).Becomes(PacketBuilder.Udp(UdpLb, UdpServer) with { TimeToLive = 63 }),
            In(PacketBuilder.Udp(UdpClient, UdpVip)).Becomes(PacketBuilder.Udp(UdpLb, Second + ":53") with { TimeToLive = 63 })),
    ];

    private static PacketBuilder LongDatagram(int bytes) => PacketBuilder.Udp(Client, Vip, Bytes(bytes - 28));

    private static PacketBuilder Tunnelled(PacketBuilder inner) =>
        PacketBuilder.Other(SmallSwarm.Lb, First, IpProtocol.IpInIp, inner.BuildPacket()) with
        {
            TypeOfService = inner.TypeOfService,
            TimeToLive = inner.TimeToLive,
            Identification = 0,
        };
}
