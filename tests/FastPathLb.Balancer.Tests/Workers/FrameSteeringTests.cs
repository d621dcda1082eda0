using FastPathLb.Balancer.Workers;
using FastPathLb.Engine.Building;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tests.Workers;

/// <summary>Both directions of a connection, and errors about it, are for one worker; what is nobody's alone is for all.</summary>
public sealed class FrameSteeringTests
{
    private const int Workers = 4;

    public static TheoryData<AttachPoint> AttachPoints => [AttachPoint.Overlay, AttachPoint.Underlay];

    [Theory]
    [MemberData(nameof(AttachPoints))]
    public void Both_directions_of_a_translated_connection_come_to_one_worker(AttachPoint attachPoint)
    {
        SmallSwarm swarm = new() { AttachPoint = attachPoint };
        using TestBalancer balancer = new(swarm);
        FrameSteering steering = SteeringOf(balancer.Built);
        HashSet<int> met = [];
        for (int port = 32_768; port < 33_268; port++)
        {
            byte[] request = Frame(attachPoint, PacketBuilder.Tcp($"{SmallSwarm.Client}:{port}", SmallSwarm.Vip + ":80", TcpFlags.Syn, 1000));
            int worker = steering.WorkerOf(request);
            met.Add(worker);
            Sent sent = balancer.Send(request);
            byte[] passedOn = InnerOf(attachPoint, sent.Frame);
            Endpoint server = new(Ipv4Address.Read(passedOn.AsSpan(30)), 80);
            byte[] reply = Frame(attachPoint, PacketBuilder.Tcp(server, $"{SmallSwarm.Lb}:{port}", TcpFlags.Syn | TcpFlags.Ack, 1, 1001));

            Assert.Equal(worker, steering.WorkerOf(reply));
            Assert.InRange(worker, 0, Workers - 1);
        }

        Assert.Equal(Workers, met.Count);
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("udp")]
    public void A_port_that_was_searched_leads_to_the_worker_that_searched_it(string protocol)
    {
        using TestWorkers group = new(new SmallSwarm(), Workers);
        FrameSteering steering = group.Built.Group.Steering;
        int searched = 0;
        for (int port = 40_000; port < 40_200; port++)
        {
            foreach (string client in (string[])[SmallSwarm.Client, SmallSwarm.OtherClient, SmallSwarm.Stranger])
            {
                Endpoint source = $"{client}:{port}";
                byte[] request = Frame(AttachPoint.Overlay, protocol == "tcp"
                    ? PacketBuilder.Tcp(source, SmallSwarm.Vip + ":80", TcpFlags.Syn, 1000)
                    : PacketBuilder.Udp(source, SmallSwarm.Vip + ":80"));
                int worker = steering.WorkerOf(request);
                byte[] passedOn = group.Send(worker, request).Frame;
                Endpoint translated = new(Ipv4Address.Read(passedOn.AsSpan(26)), (ushort)((passedOn[34] << 8) | passedOn[35]));
                Endpoint server = new(Ipv4Address.Read(passedOn.AsSpan(30)), 80);
                PacketBuilder reply = protocol == "tcp"
                    ? PacketBuilder.Tcp(server, translated, TcpFlags.Syn | TcpFlags.Ack, 1, 1001)
                    : PacketBuilder.Udp(server, translated);

                Assert.Equal(worker, steering.WorkerOf(Frame(AttachPoint.Overlay, reply)));
                searched += translated.Port != port ? 1 : 0;
            }
        }

        // Two servers, three clients: the third one's port is always taken.
        Assert.True(searched >= 200, $"only {searched} ports were searched");
    }

    [Theory]
    [MemberData(nameof(AttachPoints))]
    public void An_error_about_a_connection_comes_to_its_worker(AttachPoint attachPoint)
    {
        using BuiltLoadBalancer built = new SmallSwarm { AttachPoint = attachPoint }.Build();
        FrameSteering steering = SteeringOf(built);
        for (int port = 50_000; port < 50_100; port++)
        {
            PacketBuilder request = PacketBuilder.Tcp($"{SmallSwarm.Client}:{port}", SmallSwarm.Vip + ":80", TcpFlags.Syn);
            PacketBuilder passedOn = PacketBuilder.Tcp($"{SmallSwarm.Lb}:{port}", "10.0.1.3:80", TcpFlags.Syn);
            PacketBuilder passedBack = PacketBuilder.Tcp(SmallSwarm.Vip + ":80", $"{SmallSwarm.Client}:{port}", TcpFlags.Ack);
            int worker = steering.WorkerOf(Frame(attachPoint, request));

            byte[] fromServer = Frame(attachPoint, PacketBuilder.Icmp(
                "10.0.1.3", SmallSwarm.Lb, IcmpType.DestinationUnreachable, 3, payload: passedOn.BuildPacket().AsMemory(0, 28)));
            byte[] fromClient = Frame(attachPoint, PacketBuilder.Icmp(
                SmallSwarm.Client, SmallSwarm.Vip, IcmpType.DestinationUnreachable, 4, payload: passedBack.BuildPacket().AsMemory(0, 28)));
            Assert.Equal(worker, steering.WorkerOf(fromServer));
            Assert.Equal(worker, steering.WorkerOf(fromClient));
        }
    }

    [Theory]
    [MemberData(nameof(AttachPoints))]
    public void An_echo_comes_to_one_worker_by_its_identifier(AttachPoint attachPoint)
    {
        using BuiltLoadBalancer built = new SmallSwarm { AttachPoint = attachPoint }.Build();
        FrameSteering steering = SteeringOf(built);
        for (uint identifier = 1; identifier < 100; identifier++)
        {
            uint rest = (identifier << 16) | 7;
            PacketBuilder request = PacketBuilder.Icmp(SmallSwarm.Client, SmallSwarm.OtherClient, IcmpType.Echo, rest: rest);
            int worker = steering.WorkerOf(Frame(attachPoint, request));
            PacketBuilder reply = PacketBuilder.Icmp(SmallSwarm.OtherClient, SmallSwarm.Lb, IcmpType.EchoReply, rest: rest);
            PacketBuilder error = PacketBuilder.Icmp(
                SmallSwarm.OtherClient, SmallSwarm.Lb, IcmpType.TimeExceeded, payload: request.BuildPacket());

            Assert.Equal(FrameSteering.WorkerOfPort((ushort)identifier, Workers), worker);
            Assert.Equal(worker, steering.WorkerOf(Frame(attachPoint, reply)));
            Assert.Equal(worker, steering.WorkerOf(Frame(attachPoint, error)));
        }
    }

    [Theory]
    [MemberData(nameof(AttachPoints))]
    public void Fragments_ARP_and_what_is_no_IPv4_are_for_all(AttachPoint attachPoint)
    {
        using BuiltLoadBalancer built = new SmallSwarm { AttachPoint = attachPoint }.Build();
        FrameSteering steering = SteeringOf(built);
        PacketBuilder datagram = PacketBuilder.Udp($"{SmallSwarm.Client}:40000", SmallSwarm.Vip + ":53", new byte[64]) with { DontFragment = false };
        Ipv4Address client = Ipv4Address.Parse(SmallSwarm.Client);
        ArpFields question = new(ArpOperation.Request, MacAddress.FromDocker(client), client, default, Ipv4Address.Parse(SmallSwarm.Lb));

        Assert.Equal(FrameSteering.Alone, steering.WorkerOf(Frame(attachPoint, datagram with { MoreFragments = true })));
        Assert.Equal(FrameSteering.Alone, steering.WorkerOf(Frame(attachPoint, datagram with { FragmentOffsetBytes = 64 })));
        Assert.Equal(FrameSteering.Alone, steering.WorkerOf(Wrap(attachPoint, PacketBuilder.Arp(SmallSwarm.LbMac, question))));
        Assert.Equal(FrameSteering.Alone, steering.WorkerOf(Frame(attachPoint, datagram with { VlanTags = [0] })));
        Assert.Equal(FrameSteering.Alone, steering.WorkerOf(Wrap(attachPoint, PacketBuilder.Raw(
            SmallSwarm.LbMac, SmallSwarm.Node2Mac, (EtherType)0x86DD, new byte[60]))));
        Assert.Equal(FrameSteering.Alone, steering.WorkerOf([]));
        Assert.Equal(FrameSteering.Alone, steering.WorkerOf(new byte[20]));
    }

    [Fact]
    public void An_outer_fragment_and_ARP_of_the_node_are_for_all_and_the_nodes_own_datagrams_for_the_first()
    {
        using BuiltLoadBalancer built = new SmallSwarm { AttachPoint = AttachPoint.Underlay }.Build();
        FrameSteering steering = SteeringOf(built);
        byte[] inner = SmallSwarm.ToBalancer(PacketBuilder.Udp($"{SmallSwarm.Client}:40000", SmallSwarm.Vip + ":53", new byte[64])).Build();
        ArpFields question = new(
            ArpOperation.Request, SmallSwarm.Node2Mac, Ipv4Address.Parse(SmallSwarm.Node2), default, Ipv4Address.Parse(SmallSwarm.Node1));

        Assert.Equal(FrameSteering.Alone, steering.WorkerOf((SmallSwarm.FromNode2 with { MoreFragments = true }).Wrap(inner)));
        Assert.Equal(FrameSteering.Alone, steering.WorkerOf(PacketBuilder.Arp(MacAddress.Broadcast, question)));
        Assert.Equal(0, steering.WorkerOf((SmallSwarm.FromNode2 with { Destination = SmallSwarm.Node1 + ":53" }).Wrap(inner)));
        Assert.Equal(0, steering.WorkerOf(PacketBuilder.Tcp(SmallSwarm.Node2 + ":999", SmallSwarm.Node1 + ":22", TcpFlags.Syn).Build()));
    }

    [Fact]
    public void Anything_at_all_has_a_worker()
    {
        Random random = new(1);
        foreach (AttachPoint attachPoint in Enum.GetValues<AttachPoint>())
        {
            using BuiltLoadBalancer built = new SmallSwarm { AttachPoint = attachPoint }.Build();
            FrameSteering steering = SteeringOf(built);
            byte[] whole = Frame(attachPoint, PacketBuilder.Icmp(
                SmallSwarm.Client, SmallSwarm.Vip, IcmpType.DestinationUnreachable, 3,
                payload: PacketBuilder.Udp(SmallSwarm.Vip + ":80", $"{SmallSwarm.Client}:4000", new byte[8]).BuildPacket()));
            for (int round = 0; round < 20_000; round++)
            {
                byte[] frame = whole[..random.Next(whole.Length + 1)];
                for (int flips = random.Next(4); flips > 0 && frame.Length > 0; flips--)
                {
                    frame[random.Next(frame.Length)] = (byte)random.Next(256);
                }

                Assert.InRange(steering.WorkerOf(frame), FrameSteering.Alone, Workers - 1);
                steering.MayOpen(frame, TestBalancer.Epoch);
            }
        }
    }

    [Fact]
    public void Persistence_is_the_first_workers()
    {
        using BuiltLoadBalancer built = new SmallSwarm { PersistenceSeconds = 300 }.Build();
        FrameSteering steering = SteeringOf(built);
        for (int port = 32_768; port < 32_868; port++)
        {
            Assert.Equal(0, steering.WorkerOf(Frame(AttachPoint.Overlay, PacketBuilder.Udp($"{SmallSwarm.Client}:{port}", SmallSwarm.Vip + ":53"))));
        }
    }

    [Fact]
    public void Once_refreshed_it_knows_a_rule_that_came_later()
    {
        using TestBalancer balancer = new(new SmallSwarm());
        FrameSteering steering = SteeringOf(balancer.Built);
        byte[] reply = Frame(AttachPoint.Overlay, PacketBuilder.Udp("10.0.1.3:53", "10.0.1.77:40000"));
        int[] before = Workers64(reply);

        Assert.Null(balancer.Run("ip addr add 10.0.1.77/32 dev eth0"));
        Assert.Null(balancer.Run("iptables -t nat -I POSTROUTING 1 -d 10.0.1.3/32 -j SNAT --to-source 10.0.1.77"));
        steering.Refresh();
        int[] after = Workers64(reply);
        Assert.NotEqual(before, after);
        Assert.Equal(Enumerable.Range(0, 64).Select(step => FrameSteering.WorkerOfPort((ushort)(40_000 + step), Workers)), after);

        int[] Workers64(byte[] frame) => [.. Enumerable.Range(0, 64).Select(step =>
        {
            byte[] moved = [.. frame];
            moved[36] = (byte)((40_000 + step) >> 8);
            moved[37] = (byte)(40_000 + step);
            return steering.WorkerOf(moved);
        })];
    }

    [Fact]
    public void A_SYN_may_open_and_a_packet_of_a_flow_that_is_not_known_and_nothing_else()
    {
        using TestBalancer balancer = new(new SmallSwarm());
        FrameSteering steering = SteeringOf(balancer.Built);
        PacketBuilder datagram = PacketBuilder.Udp($"{SmallSwarm.Client}:40000", SmallSwarm.Vip + ":53");

        Assert.True(MayOpen(Tcp(TcpFlags.Syn)));
        Assert.True(MayOpen(Tcp(TcpFlags.Syn | TcpFlags.Fin)));
        Assert.True(MayOpen(Tcp(TcpFlags.Syn | TcpFlags.Ack)));
        Assert.False(MayOpen(Tcp(TcpFlags.Ack)));
        Assert.False(MayOpen(PacketBuilder.Icmp(SmallSwarm.Client, SmallSwarm.Vip, IcmpType.Echo)));
        Assert.False(MayOpen(datagram with { MoreFragments = true, DontFragment = false }));

        Assert.True(MayOpen(datagram));
        balancer.Send(datagram);
        Assert.False(MayOpen(datagram));

        string server = balancer.Send(Tcp(TcpFlags.Syn)).Destination;
        Assert.False(MayOpen(PacketBuilder.Tcp(server + ":80", SmallSwarm.Lb + ":40001", TcpFlags.Syn | TcpFlags.Ack)));
        Assert.True(MayOpen(Tcp(TcpFlags.Syn)));

        // Its time is over, though nobody has looked yet.
        balancer.Now += 31_000_000_000;
        Assert.True(MayOpen(datagram));

        Assert.Null(balancer.Run("sysctl -w net.ipv4.vs.sloppy_tcp=1"));
        Assert.True(MayOpen(PacketBuilder.Tcp($"{SmallSwarm.Client}:40002", SmallSwarm.Vip + ":80", TcpFlags.Ack)));

        bool MayOpen(PacketBuilder packet) => steering.MayOpen(Frame(AttachPoint.Overlay, packet), balancer.Now);

        static PacketBuilder Tcp(TcpFlags flags) => PacketBuilder.Tcp($"{SmallSwarm.Client}:40001", SmallSwarm.Vip + ":80", flags);
    }

    /// <summary>Clients' ports are drawn from 32768 to 60999; Linux's connect() takes even ones first.</summary>
    [Theory]
    [InlineData(2, 32_768, 60_999, 1)]
    [InlineData(2, 32_768, 60_999, 2)]
    [InlineData(3, 32_768, 60_999, 2)]
    [InlineData(8, 32_768, 60_999, 2)]
    [InlineData(64, 32_768, 60_999, 2)]
    [InlineData(2, 49_152, 49_408, 1)]
    [InlineData(4, 49_152, 49_664, 2)]
    [InlineData(4, 1, 65_535, 1)]
    [InlineData(5, 1024, 65_535, 256)]
    public void Workers_have_alike_shares_of_clients_ports(int workers, int first, int last, int step)
    {
        int[] shares = new int[workers];
        int count = 0;
        for (int port = first; port <= last; port += step, count++)
        {
            shares[FrameSteering.WorkerOfPort((ushort)port, workers)]++;
        }

        double fair = (double)count / workers;
        Assert.All(shares, share => Assert.InRange(share, fair * 0.8, fair * 1.2));
    }

    private static FrameSteering SteeringOf(BuiltLoadBalancer built) => new(Workers, built.Namespace, built.Network?.Uplink);

    private static byte[] Frame(AttachPoint attachPoint, PacketBuilder packet) => Wrap(attachPoint, SmallSwarm.ToBalancer(packet).Build());

    private static byte[] Wrap(AttachPoint attachPoint, byte[] inner) =>
        attachPoint == AttachPoint.Underlay ? SmallSwarm.FromNode2.Wrap(inner) : inner;

    private static byte[] InnerOf(AttachPoint attachPoint, byte[] frame) => attachPoint == AttachPoint.Underlay ? frame[50..] : frame;
}
