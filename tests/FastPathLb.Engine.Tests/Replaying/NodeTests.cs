using FastPathLb.Balancer.Node;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Replaying;
using FastPathLb.Engine.Verifying;
using FastPathLb.Io.Captures;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Tests.Replaying;

/// <summary>A whole node: the routing mesh and two networks, against the real Swarm's captures, and by single frames.</summary>
public sealed class NodeTests : IDisposable
{
    private const string Client = "172.19.176.9:40000";
    private static readonly NodeState.NodeState s_state = Recordings.ReadNode("swarm-web");
    private static readonly MacAddress s_card = MacAddress.Parse("02:fc:00:00:00:01");
    private static readonly MacAddress s_otherCard = MacAddress.Parse("02:fc:00:00:00:02");
    private static readonly MacAddress s_clientMac = MacAddress.Parse("02:fc:00:00:00:99");
    private static readonly MacAddress s_localTask = MacAddress.Parse("02:42:0a:00:00:06");
    private static readonly MacAddress s_remoteTask = MacAddress.Parse("02:42:0a:00:00:05");
    private static readonly MacAddress s_sandbox = MacAddress.Parse("02:42:0a:00:00:02");

    private static readonly byte[] s_echo = [8, 0, 0xF7, 0xFD, 0, 1, 0, 1];

    private readonly BuiltNode _built = SwarmNodeBuilder.Build(s_state, new LoadBalancerOptions { Capacity = 1024 });
    private readonly FrameBatch _batch = new();
    private readonly List<(string Port, byte[] Frame)> _sent = [];
    private long _now = 1_795_334_000_000_000_000;

    public NodeTests() => _built.Node.LearnNeighbor(Frame("172.19.188.123:1", "172.19.177.14:1", s_otherCard, s_card));

    public void Dispose() => _built.Dispose();

    [Fact]
    public void Every_frame_of_the_real_node_is_the_same_at_its_card_and_within()
    {
        NodeComparison comparison = new(_built, s_state);
        NodeSource source = new(_built.Node) { PassedOver = comparison.AddExpected };
        List<CaptureReader> readers = [];
        foreach (string name in (string[])["uplink", "lb-eth0", "ingress-eth0", "ingress-eth1"])
        {
            int port = name == "uplink" ? SwarmNode.UplinkPort : PortOf(name);
            CaptureReader reader = CaptureReader.Open(Recordings.PathOf("swarm-web", $"{name}.pcap.gz"));
            readers.Add(reader);
            source.Add(reader, port);
            comparison.AddCapture(port);
        }

        _built.Node.IsTapped = true;
        NodeSink sink = new(
            _built.Node, (port, frame, emitted) => comparison.AddActual(port, frame, emitted.TimestampNanoseconds, 0));
        new NodeReplay(_built).Run(source, sink);
        readers.ForEach(reader => reader.Dispose());

        Assert.Equal(
            ["eth0, VXLAN 176", "eth0, published ports 20", "ingress-eth0 38", "ingress-eth1 48", "lb-eth0 811"],
            comparison.Compare().Select(item => $"{item.Name} {item.Verdict.SameCount}"));
        Assert.All(comparison.Compare(), item => Assert.Empty(item.Verdict.Differences));
        Assert.Equal(
            [28L, 315L, 196L],
            _built.Node.Ports.Select((port, index) => (port, Count: sink.FrameCounts[index]))
                .Where(item => item.port.Kind == NodePortKind.Task && item.Count > 0).Select(item => item.Count));
    }

    [Fact]
    public void A_call_of_a_published_port_crosses_the_mesh_and_its_answer_comes_back()
    {
        // The last task added comes first: the local one, then the other node's.
        Send(SwarmNode.UplinkPort, Call(Client));
        (string port, byte[] request) = Assert.Single(_sent);
        Assert.Equal("web.2.zac77h9eegh67ttnoch4mex8w@ingress", port);
        Assert.Equal("10.0.0.2:40000 > 10.0.0.6:80 ttl 62", Text(request));

        Send(_built.Node.FindTask(s_localTask),
            Frame("10.0.0.6:8080", "10.0.0.2:40000", s_localTask, s_sandbox, TcpFlags.Syn | TcpFlags.Ack));
        Assert.Equal("eth0 172.19.177.14:8080 > 172.19.176.9:40000 ttl 62", $"{_sent[^1].Port} {Text(_sent[^1].Frame)}");
        Assert.Equal((s_clientMac, s_card), (MacAddress.Read(_sent[^1].Frame), MacAddress.Read(_sent[^1].Frame.AsSpan(6))));

        Send(SwarmNode.UplinkPort, Call("172.19.176.9:40001"));
        Assert.Equal("eth0", _sent[^1].Port);
        Assert.Equal("10.0.0.2:40001 > 10.0.0.5:8080 ttl 62", Text(_sent[^1].Frame.AsSpan(50)));
        Assert.Equal(4096u, (uint)((_sent[^1].Frame[46] << 16) | (_sent[^1].Frame[47] << 8) | _sent[^1].Frame[48]));

        byte[] answer = Frame("10.0.0.5:8080", "10.0.0.2:40001", s_remoteTask, s_sandbox, TcpFlags.Syn | TcpFlags.Ack);
        Send(SwarmNode.UplinkPort, Tunnel(4096, answer));
        Assert.Equal("eth0 172.19.177.14:8080 > 172.19.176.9:40001 ttl 62", $"{_sent[^1].Port} {Text(_sent[^1].Frame)}");
        Assert.Equal(4, _sent.Count);
    }

    [Fact]
    public void Ports_that_nobody_publishes_stay_with_the_host()
    {
        FrameDescriptor frame = Send(SwarmNode.UplinkPort, Call(Client, "172.19.177.14:22"));
        Assert.Equal((Verdict.Consumed, DropReason.LocalDeliveredToStack), (frame.Verdict, frame.Reason));
        Assert.Empty(_sent);
    }

    [Fact]
    public void Frames_in_the_tunnel_reach_local_tasks_without_a_load_balancer()
    {
        byte[] inner = Frame("10.0.0.3:50000", "10.0.0.6:8080", MacAddress.Parse("02:42:0a:00:00:03"), s_localTask);
        Assert.Equal(Verdict.Forwarded, Send(SwarmNode.UplinkPort, Tunnel(4096, inner)).Verdict);
        Assert.Equal("10.0.0.3:50000 > 10.0.0.6:80 ttl 64", Text(Assert.Single(_sent).Frame));

        // The same MAC is of no use in another network, and a network that is not here has no tunnel.
        Send(SwarmNode.UplinkPort, Tunnel(4097, inner));
        Assert.Equal(DropReason.VxlanUnknownVni, Send(SwarmNode.UplinkPort, Tunnel(4711, inner)).Reason);
        Assert.Single(_sent);
    }

    [Fact]
    public void A_task_asks_for_addresses_and_is_told()
    {
        int task = _built.Node.FindTask(MacAddress.Parse("02:42:0a:00:01:08"));
        foreach ((string asked, string? mac) in ((string, string?)[])
            [("10.0.1.2", "02:42:0a:00:01:06"), ("10.0.1.3", "02:42:0a:00:01:03"), ("10.0.1.4", "02:42:0a:00:01:04"), ("10.0.1.77", null)])
        {
            _sent.Clear();
            MacAddress own = _built.Node.Ports[task].Mac;
            Send(task, Arp(own, asked));
            if (mac is null)
            {
                Assert.Empty(_sent);
                continue;
            }

            // The load balancer answers for its VIP, the tunnel for other nodes' tasks, a task for itself: all within the node.
            Assert.Empty(_sent);
            Send(task, Frame("10.0.1.8:5000", $"{asked}:80", own, MacAddress.Parse(mac)));
            Assert.NotEmpty(_sent);
        }
    }

    [Theory]
    [InlineData(80)]
    [InlineData(8080)]
    public void A_task_gets_its_target_port_and_answers_from_it_or_as_its_device_shows_it(int port)
    {
        Send(SwarmNode.UplinkPort, Call(Client));
        Assert.Equal("10.0.0.2:40000 > 10.0.0.6:80 ttl 62", Text(_sent[^1].Frame));
        Send(_built.Node.FindTask(s_localTask),
            Frame($"10.0.0.6:{port}", "10.0.0.2:40000", s_localTask, s_sandbox, TcpFlags.Syn | TcpFlags.Ack));
        Assert.Equal("eth0 172.19.177.14:8080 > 172.19.176.9:40000 ttl 62", $"{_sent[^1].Port} {Text(_sent[^1].Frame)}");

        // Both ways the task's own connection was kept up with: what goes on with it is redirected too.
        Send(SwarmNode.UplinkPort, Frame(Client, "172.19.177.14:8080", s_clientMac, s_card, TcpFlags.Ack));
        Assert.Equal("10.0.0.2:40000 > 10.0.0.6:80 ttl 62", Text(_sent[^1].Frame));
        Assert.Equal(3, _sent.Count);
    }

    [Fact]
    public void A_tasks_other_ports_are_shut_on_the_ingress_network_and_open_elsewhere()
    {
        MacAddress sandbox = MacAddress.Parse("02:42:0a:00:00:03");
        byte[] call = Tunnel(4096, Frame("10.0.0.3:50000", "10.0.0.6:22", sandbox, s_localTask));
        Assert.Equal((Verdict.Dropped, DropReason.FilterRule), OutcomeOf(Send(SwarmNode.UplinkPort, call)));

        byte[] own = Frame("10.0.0.6:22", "10.0.0.3:50000", s_localTask, sandbox);
        Assert.Equal((Verdict.Dropped, DropReason.FilterRule), OutcomeOf(Send(_built.Node.FindTask(s_localTask), own)));

        // The target port itself is let in (addRedirectRules accepts it), and so is what has no ports.
        Send(SwarmNode.UplinkPort, Tunnel(4096, Frame("10.0.0.3:50001", "10.0.0.6:80", sandbox, s_localTask)));
        Assert.Equal("10.0.0.3:50001 > 10.0.0.6:80 ttl 64", Text(Assert.Single(_sent).Frame));
        byte[] ping = (PacketBuilder.Other("10.0.0.3", "10.0.0.6", IpProtocol.Icmp, s_echo) with
        {
            SourceMac = sandbox,
            DestinationMac = s_localTask,
        }).Build();
        Send(SwarmNode.UplinkPort, Tunnel(4096, ping));
        Assert.Equal(ping, _sent[^1].Frame);

        MacAddress task = MacAddress.Parse("02:42:0a:00:01:04");
        byte[] other = Frame("10.0.1.3:50000", "10.0.1.4:22", MacAddress.Parse("02:42:0a:00:01:03"), task);
        Send(SwarmNode.UplinkPort, Tunnel(4097, other));
        Assert.Equal(other, _sent[^1].Frame);
    }

    [Fact]
    public void A_port_published_in_host_mode_leads_straight_to_the_nodes_own_task_and_keeps_the_client()
    {
        // As Docker's port mapper makes it, for a task that docker_gwbridge knows as 172.18.0.3.
        MacAddress task = MacAddress.Parse("02:42:ac:12:00:03");
        Change("iptables -t nat -A DOCKER ! -i docker_gwbridge -p tcp -m tcp --dport 9090 -j DNAT --to-destination 172.18.0.3:80");
        Change("iptables -A DOCKER -d 172.18.0.3/32 ! -i docker_gwbridge -o docker_gwbridge -p tcp -m tcp --dport 80 -j ACCEPT");

        Send(SwarmNode.UplinkPort, Call(Client, "172.19.177.14:9090"));
        Assert.Equal(
            ("docker_gwbridge", "172.19.176.9:40000 > 172.18.0.3:80 ttl 63"),
            (_sent[^1].Port.Split('@')[^1], Text(_sent[^1].Frame)));

        Send(_built.Node.FindTask(task), Frame("172.18.0.3:80", Client, task, Gateway, TcpFlags.Syn | TcpFlags.Ack));
        Assert.Equal("eth0 172.19.177.14:9090 > 172.19.176.9:40000 ttl 63", $"{_sent[^1].Port} {Text(_sent[^1].Frame)}");
        Assert.Equal(2, _sent.Count);
    }

    [Fact]
    public void What_a_task_calls_outside_goes_out_with_the_nodes_address()
    {
        MacAddress task = MacAddress.Parse("02:42:ac:12:00:03");
        _built.Node.LearnNeighbor(Call(Client));
        Send(_built.Node.FindTask(task), Frame("172.18.0.3:33000", "172.19.176.9:443", task, Gateway));
        Assert.Equal("eth0 172.19.177.14:33000 > 172.19.176.9:443 ttl 63", $"{_sent[^1].Port} {Text(_sent[^1].Frame)}");

        byte[] answer = Frame("172.19.176.9:443", "172.19.177.14:33000", s_clientMac, s_card, TcpFlags.Syn | TcpFlags.Ack);
        Send(SwarmNode.UplinkPort, answer);
        Assert.Equal("172.19.176.9:443 > 172.18.0.3:33000 ttl 63", Text(_sent[^1].Frame));
        Assert.Equal(2, _sent.Count);
    }

    [Theory]
    [InlineData("172.19.177.14:50000", "172.19.177.14:8080")]
    [InlineData("127.0.0.1:50000", "127.0.0.1:8080")]
    public void A_program_of_the_host_calls_a_published_port_by_way_of_docker_gwbridge(string from, string to)
    {
        _built.Node.IsTapped = true;
        Send(SwarmNode.HostPort, Frame(from, to, default, default));
        Assert.Equal(
            [
                "docker_gwbridge 172.18.0.1:50000 > 172.18.0.2:8080 ttl 64",
                "ingress-eth1 172.18.0.1:50000 > 172.18.0.2:8080 ttl 64",
                "ingress-eth0 10.0.0.2:50000 > 10.0.0.6:8080 ttl 63",
                "web.2.zac77h9eegh67ttnoch4mex8w@ingress 10.0.0.2:50000 > 10.0.0.6:80 ttl 63",
            ],
            _sent.Select(sent => $"{sent.Port} {Text(sent.Frame)}"));

        _sent.Clear();
        FrameDescriptor answer = Send(_built.Node.FindTask(s_localTask),
            Frame("10.0.0.6:80", "10.0.0.2:50000", s_localTask, s_sandbox, TcpFlags.Syn | TcpFlags.Ack));
        Assert.Equal("docker_gwbridge 172.18.0.2:8080 > 172.18.0.1:50000 ttl 63", $"{_sent[^1].Port} {Text(_sent[^1].Frame)}");
        Assert.Equal((Verdict.Consumed, DropReason.LocalDeliveredToStack), OutcomeOf(answer));
    }

    [Fact]
    public void Encrypted_networks_are_counted_by_their_SPI()
    {
        byte[] payload = [0xC0, 0xFF, 0xEE, 0x01, 0, 0, 0, 1, 1, 2, 3, 4];
        byte[] frame = (PacketBuilder.Other("172.19.188.123", "172.19.177.14", IpProtocol.Esp, payload) with
        {
            SourceMac = s_otherCard,
            DestinationMac = s_card,
        }).Build();
        Assert.Equal(DropReason.OuterEncrypted, Send(SwarmNode.UplinkPort, frame).Reason);
        Send(SwarmNode.UplinkPort, frame);
        Assert.Equal([new KeyValuePair<uint, long>(0xC0FFEE01, 2)], _built.Node.EncryptedPackets);
    }

    [Fact]
    public void What_leads_nowhere_is_said_to()
    {
        Assert.Equal(DropReason.DeviceUnplugged, Send(99, Call(Client)).Reason);

        // docker0 has no container here.
        byte[] call = Call(Client, "172.17.0.5:80");
        _built.Node.Spaces[0].Neighbors.Set(Ipv4Address.Parse("172.17.0.5").Value, s_clientMac);
        FrameDescriptor frame = Send(SwarmNode.UplinkPort, call);
        Assert.Equal((Verdict.Dropped, DropReason.DeviceUnplugged), (frame.Verdict, frame.Reason));
    }

    [Fact]
    public void Every_damaged_frame_ends_in_a_verdict()
    {
        byte[][] frames =
        [
            Call(Client), Tunnel(4096, Frame("10.0.0.5:8080", "10.0.0.2:40001", s_remoteTask, s_sandbox, TcpFlags.Syn | TcpFlags.Ack)),
            Arp(s_localTask, "10.0.0.2"), Frame("10.0.0.6:8080", "10.0.0.2:1", s_localTask, s_sandbox),
        ];
        Random random = new(11);
        for (int round = 0; round < 20_000; round++)
        {
            byte[] frame = [.. frames[random.Next(frames.Length)]];
            for (int flips = random.Next(0, 6); flips > 0; flips--)
            {
                frame[random.Next(frame.Length)] = (byte)random.Next(256);
            }

            int length = random.Next(4) == 0 ? random.Next(frame.Length) : frame.Length;
            FrameDescriptor result = Send(random.Next(_built.Node.Ports.Count), frame[..length]);
            Assert.NotEqual(Verdict.None, result.Verdict);
            Assert.True(result.Verdict != Verdict.Dropped || result.Reason != DropReason.None);
        }
    }

    [Fact]
    public void Without_any_tunnel_it_says_what_is_missing()
    {
        NodeState.NodeState state = s_state with { Namespaces = new Dictionary<string, NamespaceState> { ["host"] = s_state["host"] } };
        Assert.Contains(
            "no network has a VXLAN device",
                Assert.Throws<NodeStateException>(() => SwarmNodeBuilder.Build(state, new LoadBalancerOptions())).Message);
    }

    private MacAddress Gateway => _built.Node.Ports[PortOf("docker_gwbridge")].Mac;

    private static (Verdict, DropReason) OutcomeOf(in FrameDescriptor frame) => (frame.Verdict, frame.Reason);

    private void Change(string command) => Assert.Null(CommandApplier.Apply(_built, "host", NodeCommandReader.Parse(command), _now));

    private static byte[] Call(string from, string to = "172.19.177.14:8080") => Frame(from, to, s_clientMac, s_card);

    private static byte[] Frame(Endpoint from, Endpoint to, MacAddress source, MacAddress destination, TcpFlags flags = TcpFlags.Syn) =>
        (PacketBuilder.Tcp(from, to, flags, 1000, flags == TcpFlags.Syn ? 0u : 1001u) with
        {
            SourceMac = source,
            DestinationMac = destination,
        }).Build();

    private static byte[] Arp(MacAddress own, string asked) => PacketBuilder.Arp(
        MacAddress.Broadcast,
            new ArpFields(ArpOperation.Request, own, new Ipv4Address((uint)own.Value), default, Ipv4Address.Parse(asked)));

    private static byte[] Tunnel(uint vni, byte[] inner) => new Envelope
    {
        DestinationMac = s_card,
        SourceMac = s_otherCard,
        Source = "172.19.188.123:40000",
        Destination = "172.19.177.14:4789",
        Vxlan = Envelope.HeaderOf(vni),
    }.Wrap(inner);

    private static string Text(ReadOnlySpan<byte> frame)
    {
        Assert.True(Ipv4Header.TryParse(frame[14..], out Ipv4Header packet));
        Assert.True(TcpHeader.TryParse(packet.Payload, out TcpHeader tcp));
        return $"{packet.Source}:{tcp.SourcePort} > {packet.Destination}:{tcp.DestinationPort} ttl {packet.TimeToLive}";
    }

    private int PortOf(string name) => _built.Node.Ports.Select((port, index) => (port, index))
        .Single(item => item.port.Name == name).index;

    private FrameDescriptor Send(int port, byte[] frame)
    {
        _now += 1_000_000;
        _batch.Clear();
        Assert.True(_batch.TryAdd(frame, _now, portIndex: port));
        _built.Node.Process(_batch);
        for (int index = 0; index < _batch.Emitted.Length; index++)
        {
            _sent.Add((_built.Node.Ports[_batch.Emitted[index].PortIndex].Name, _batch.EmittedBytes(index).ToArray()));
        }

        return _batch.Frames[0];
    }
}
