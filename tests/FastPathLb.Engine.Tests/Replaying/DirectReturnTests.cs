using FastPathLb.Balancer.Node;
using FastPathLb.Balancer.Stack;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Tables;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Tests.Replaying;

/// <summary>
/// A network with <c>--opt dsr</c> in a swarm with a <c>--data-path-port</c>, known by Docker's own files alone: calls go on with the VIP in
/// them, and tasks answer past the load balancer.
/// </summary>
public sealed class DirectReturnTests : IDisposable
{
    private const int DataPathPort = 4790;
    private const string VniOption = "\"com.docker.network.driver.overlay.vxlanid_list\"";
    private const string Vip = "10.0.1.2:80";
    private static readonly MacAddress s_balancer = MacAddress.Parse("02:42:0a:00:01:06");
    private static readonly MacAddress s_client = MacAddress.Parse("02:42:0a:00:01:08");
    private static readonly MacAddress s_localTask = MacAddress.Parse("02:42:0a:00:01:04");
    private static readonly MacAddress s_remoteTask = MacAddress.Parse("02:42:0a:00:01:03");
    private static readonly MacAddress s_card = MacAddress.FromDocker(Ipv4Address.Parse("172.19.177.14"));
    private static readonly MacAddress s_otherCard = MacAddress.FromDocker(Ipv4Address.Parse("172.19.188.123"));

    private readonly string _folder = Directory.CreateTempSubdirectory("fastpathlb-dsr-").FullName;
    private readonly BuiltNode _built;
    private readonly FrameBatch _batch = new();
    private readonly List<(string Port, byte[] Frame)> _sent = [];
    private long _now = 1_795_334_000_000_000_000;

    public DirectReturnTests()
    {
        foreach (string name in (string[])["network-inspect-v.mynet.json", "network-inspect-v.ingress.json", "network-inspect.gwbridge.json"])
        {
            string text = File.ReadAllText(Recordings.PathOf("swarm-web", name));
            File.WriteAllText(
                Path.Combine(_folder, name),
                name.Contains("mynet", StringComparison.Ordinal)
                    ? text.Replace(VniOption, $"\"dsr\": \"\", {VniOption}", StringComparison.Ordinal)
                    : text);
        }

        File.WriteAllText(
            Path.Combine(_folder, "docker-info.json"),
            $$$"""{"Swarm":{"NodeAddr":"172.19.177.14","Cluster":{"DataPathPort":{{{DataPathPort}}} } } }""");
        _built = SwarmNodeBuilder.Build(NodeDumpReader.Read(_folder), new LoadBalancerOptions { Capacity = 1024 });
    }

    private NetworkNamespace Balancer => _built.Find("lb")!;

    public void Dispose()
    {
        _built.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_call_keeps_client_and_VIP_and_the_tasks_answers_pass_the_load_balancer_by()
    {
        Call(1, "10.0.1.8:40000");
        Assert.Equal(("web.2.zac77h9eegh67ttnoch4mex8w@mynet", $"{s_localTask} 10.0.1.8:40000 > {Vip} ttl 63"), Last());
        byte[] answer = Frame(Vip, "10.0.1.8:40000", s_localTask, s_client, TcpFlags.Syn | TcpFlags.Ack);
        Send(TaskPort(s_localTask), answer);
        Assert.Equal(answer, _sent[^1].Frame);
        Assert.Equal(("client.1.ixzmljmix9f5lwmmy5zi9bqzc@mynet", 3), (_sent[^1].Port, _sent.Count));

        // What follows goes to the same task, and the client's part of the talk is all that IPVS hears.
        Assert.Matches(@"TCP 00:59  SYN_RECV    10\.0\.1\.8:40000 +10\.0\.1\.2:80 +10\.0\.1\.4:80\n", Connections());
        Send(TaskPort(s_client), Frame("10.0.1.8:40000", Vip, s_client, s_balancer, TcpFlags.Ack));
        Assert.Equal($"{s_localTask} 10.0.1.8:40000 > {Vip} ttl 63", Last().Text);
        Assert.Matches(@"TCP 15:00  ESTABLISHED 10\.0\.1\.8:40000 +10\.0\.1\.2:80 +10\.0\.1\.4:80\n", Connections());

        // Without a server's FIN it would wait for one as CLOSE_WAIT, were it not for the table of connections without output.
        Send(TaskPort(s_client), Frame("10.0.1.8:40000", Vip, s_client, s_balancer, TcpFlags.Fin | TcpFlags.Ack));
        Assert.Matches(@"TCP 02:00  FIN_WAIT    10\.0\.1\.8:40000 ", Connections());
    }

    [Fact]
    public void A_task_of_another_node_gets_it_in_VXLAN_at_the_swarms_port_and_answers_there()
    {
        Call(0, "10.0.1.8:40001");
        (string port, byte[] outer) = _sent[^1];
        Assert.Equal("eth0", port);
        Assert.True(Ipv4Header.TryParse(outer.AsSpan(14), out Ipv4Header packet));
        Assert.True(UdpHeader.TryParse(packet.Payload, out UdpHeader udp));
        Assert.Equal(("172.19.188.123", DataPathPort), (packet.Destination.ToString(), udp.DestinationPort));
        Assert.Equal($"{s_remoteTask} 10.0.1.8:40001 > {Vip} ttl 63", Text(outer.AsSpan(SwarmNode.EnvelopeBytes)));

        byte[] answer = Frame(Vip, "10.0.1.8:40001", s_remoteTask, s_client, TcpFlags.Syn | TcpFlags.Ack);
        Send(SwarmNode.UplinkPort, Tunnel(answer, DataPathPort));
        Assert.Equal(("client.1.ixzmljmix9f5lwmmy5zi9bqzc@mynet", $"{s_client} {Vip} > 10.0.1.8:40001 ttl 64"), Last());

        // At VXLAN's usual port there is no tunnel.
        int count = _sent.Count;
        Send(SwarmNode.UplinkPort, Tunnel(answer, 4789));
        Assert.Equal(count, _sent.Count);
    }

    [Fact]
    public void A_call_from_another_node_gets_to_this_nodes_task()
    {
        MacAddress caller = MacAddress.Parse("02:42:0a:00:01:05");
        byte[] call = Frame("10.0.1.9:50000", Vip, caller, s_localTask);
        Send(SwarmNode.UplinkPort, Tunnel(call, DataPathPort));
        Assert.Equal(call, Assert.Single(_sent).Frame);
        Assert.Equal("web.2.zac77h9eegh67ttnoch4mex8w@mynet", _sent[0].Port);
    }

    [Fact]
    public void The_load_balancer_alone_answers_ARP_for_the_VIP()
    {
        _built.Node.IsTapped = true;
        Send(TaskPort(s_client), PacketBuilder.Arp(
            MacAddress.Broadcast,
            new ArpFields(ArpOperation.Request, s_client, Ipv4Address.Parse("10.0.1.8"), default, Ipv4Address.Parse("10.0.1.2"))));

        // Tasks have it on their lo, and dockerd sets arp_ignore for them.
        Assert.Equal([$"lb-eth0 {s_balancer}"], _sent.Select(Answerer).Where(answerer => answerer.Length > 0));
    }

    private static string Answerer((string Port, byte[] Frame) sent) =>
        ArpHeader.TryParse(sent.Frame.AsSpan(14), out ArpHeader arp) && arp.Operation == ArpOperation.Reply ? $"{sent.Port} {arp.SenderMac}" : "";

    private static byte[] Frame(Endpoint from, Endpoint to, MacAddress source, MacAddress destination, TcpFlags flags = TcpFlags.Syn) =>
        (PacketBuilder.Tcp(from, to, flags, 1000, flags == TcpFlags.Syn ? 0u : 1001u) with
        {
            SourceMac = source,
            DestinationMac = destination,
        }).Build();

    private static byte[] Tunnel(byte[] inner, int port) => new Envelope
    {
        DestinationMac = s_card,
        SourceMac = s_otherCard,
        Source = "172.19.188.123:40000",
        Destination = new Endpoint(Ipv4Address.Parse("172.19.177.14"), (ushort)port),
        Vxlan = Envelope.HeaderOf(4097),
    }.Wrap(inner);

    private static string Text(ReadOnlySpan<byte> frame)
    {
        Assert.True(Ipv4Header.TryParse(frame[14..], out Ipv4Header packet));
        Assert.True(TcpHeader.TryParse(packet.Payload, out TcpHeader tcp));
        return $"{MacAddress.Read(frame)} {packet.Source}:{tcp.SourcePort} > {packet.Destination}:{tcp.DestinationPort} ttl {packet.TimeToLive}";
    }

    private (string Port, string Text) Last() => (_sent[^1].Port, Text(_sent[^1].Frame));

    private string Connections()
    {
        using StringWriter text = new();
        IpvsadmTables.WriteConnections(text, Balancer, _now);
        return text.ToString();
    }

    // The task of the other node has the first turn.
    private void Call(int turn, string client)
    {
        for (int number = 0; number < turn; number++)
        {
            Send(TaskPort(s_client), Frame($"10.0.1.8:{5000 + number}", Vip, s_client, s_balancer));
        }

        Send(TaskPort(s_client), Frame(client, Vip, s_client, s_balancer));
    }

    private int TaskPort(MacAddress mac) => _built.Node.FindTask(mac);

    private void Send(int port, byte[] frame)
    {
        _now += 1_000_000;
        _batch.Clear();
        Assert.True(_batch.TryAdd(frame, _now, portIndex: port));
        _built.Node.Process(_batch);
        for (int index = 0; index < _batch.Emitted.Length; index++)
        {
            _sent.Add((_built.Node.Ports[_batch.Emitted[index].PortIndex].Name, _batch.EmittedBytes(index).ToArray()));
        }
    }
}
