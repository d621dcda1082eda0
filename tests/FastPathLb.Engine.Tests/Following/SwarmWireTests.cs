using FastPathLb.Balancer.Node;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Following;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Tests.Following;

/// <summary>Two nodes on one wire, by single frames.</summary>
public sealed class SwarmWireTests : IDisposable
{
    private static readonly MacAddress s_client = MacAddress.Parse("02:fc:00:00:00:99");
    private static readonly MacAddress s_sandbox = MacAddress.Parse("02:42:0a:00:00:02");
    private static readonly MacAddress s_remoteTask = MacAddress.Parse("02:42:0a:00:00:05");

    private readonly BuiltNode[] _built =
    [
        .. ((string[])["", "node2."]).Select(prefix => SwarmNodeBuilder.Build(
            NodeDumpReader.Read(Recordings.PathOf("swarm-web"), prefix), new LoadBalancerOptions { Capacity = 1024 })),
    ];

    private readonly SwarmWire _wire;
    private long _now = 1_795_334_000_000_000_000;

    public SwarmWireTests() => _wire = new SwarmWire([.. _built.Select(built => built.Node)]);

    public void Dispose()
    {
        foreach (BuiltNode built in _built)
        {
            built.Dispose();
        }
    }

    [Fact]
    public void What_one_node_tunnels_comes_out_at_the_others_task_and_the_answer_at_the_first_ones_card()
    {
        // Round robin: the local task first.
        IReadOnlyList<JourneyStep> local = Send(0, SwarmNode.UplinkPort, Call("172.19.176.9:40000"));
        Assert.All(local, step => Assert.Equal(0, step.Node));
        Assert.Equal(NodePortKind.Task, local[^1].Port.Kind);

        IReadOnlyList<JourneyStep> remote = Send(0, SwarmNode.UplinkPort, Call("172.19.176.9:40001"));
        Assert.Equal((1, "10.0.0.5@ingress-overlay"), (remote[^1].Node, remote[^1].Port.Name));
        Assert.Equal("10.0.0.2:40001 > 10.0.0.5:8080 ttl 62", Text(remote[^1].Frame));

        byte[] answer = Frame("10.0.0.5:8080", "10.0.0.2:40001", s_remoteTask, s_sandbox, TcpFlags.Syn | TcpFlags.Ack);
        IReadOnlyList<JourneyStep> back = Send(1, _built[1].Node.FindTask(s_remoteTask), answer);
        Assert.Equal((0, "eth0", JourneyStepKind.Leaves), (back[^1].Node, back[^1].Port.Name, back[^1].Kind));
        Assert.Equal("172.19.177.14:8080 > 172.19.176.9:40001 ttl 62", Text(back[^1].Frame));
        Assert.Equal(s_client, MacAddress.Read(back[^1].Frame));
    }

    [Fact]
    public void A_captured_frame_goes_in_where_its_cause_is()
    {
        Assert.True(_wire.TryFindEntry(Call("172.19.176.9:40000"), out int node, out int port, out int skip));
        Assert.Equal((0, SwarmNode.UplinkPort, 0), (node, port, skip));

        byte[] inner = Frame("10.0.0.5:8080", "10.0.0.2:40001", s_remoteTask, s_sandbox);
        byte[] tunnelled = new Envelope
        {
            DestinationMac = Card(0),
            SourceMac = Card(1),
            Source = "172.19.188.123:40000",
            Destination = "172.19.177.14:4789",
            Vxlan = Envelope.HeaderOf(4096),
        }.Wrap(inner);
        Assert.True(_wire.TryFindEntry(tunnelled, out node, out port, out skip));
        Assert.Equal((1, _built[1].Node.FindTask(s_remoteTask)), (node, port));
        Assert.Equal(inner, tunnelled[skip..]);

        // In another network that MAC is nobody's: the node's own work.
        tunnelled[48] = 1;
        Assert.False(_wire.TryFindEntry(tunnelled, out _, out _, out _));

        byte[] answered = Frame("172.19.177.14:8080", "172.19.176.9:40000", Card(0), s_client);
        Assert.False(_wire.TryFindEntry(answered, out _, out _, out _));
        Assert.False(_wire.TryFindEntry(Frame("172.19.176.9:1", "172.19.176.8:2", s_client, s_sandbox), out _, out _, out _));
    }

    [Fact]
    public void A_node_that_refuses_says_why()
    {
        byte[] call = new Envelope
        {
            DestinationMac = Card(1),
            SourceMac = s_client,
            Source = "172.19.176.9:40000",
            Destination = "172.19.188.123:4789",
            Vxlan = Envelope.HeaderOf(4711),
        }.Wrap(Call("172.19.176.9:40000"));

        JourneyStep step = Assert.Single(Send(1, SwarmNode.UplinkPort, call));
        Assert.Equal((Verdict.Dropped, DropReason.VxlanUnknownVni), (step.Verdict, step.Reason));
    }

    [Fact]
    public void Recorded_frames_are_taken_once_each_whatever_the_kernel_drew()
    {
        byte[] frame = Call("172.19.176.9:40000");
        byte[] Wrap(string source) => new Envelope
        {
            DestinationMac = Card(1),
            SourceMac = Card(0),
            Source = source,
            Destination = "172.19.188.123:4789",
            Vxlan = Envelope.HeaderOf(4096),
        }.Wrap(frame);
        RecordedWire recorded = new(4789);
        recorded.Add(Wrap("172.19.177.14:40000"), 7);
        recorded.Add(frame, 8);

        Assert.Equal(7, recorded.Take(Wrap("172.19.177.14:50000")));
        Assert.Null(recorded.Take(Wrap("172.19.177.14:50000")));
        frame[22]--;
        Assert.Null(recorded.Take(frame));
        Assert.Equal((2, 1), (recorded.Count, recorded.TakenCount));
    }

    private MacAddress Card(int node) => _built[node].Node.Ports[SwarmNode.UplinkPort].Mac;

    private byte[] Call(string from) => Frame(from, "172.19.177.14:8080", s_client, Card(0));

    private static byte[] Frame(Endpoint from, Endpoint to, MacAddress source, MacAddress destination, TcpFlags flags = TcpFlags.Syn) =>
        (PacketBuilder.Tcp(from, to, flags, 1000, flags == TcpFlags.Syn ? 0u : 1001u) with
        {
            SourceMac = source,
            DestinationMac = destination,
        }).Build();

    private IReadOnlyList<JourneyStep> Send(int node, int port, byte[] frame)
    {
        _now += 1_000_000;
        return _wire.Send(node, port, frame, _now, 1);
    }

    private static string Text(ReadOnlySpan<byte> frame)
    {
        Assert.True(Ipv4Header.TryParse(frame[14..], out Ipv4Header packet));
        Assert.True(TcpHeader.TryParse(packet.Payload, out TcpHeader tcp));
        return $"{packet.Source}:{tcp.SourcePort} > {packet.Destination}:{tcp.DestinationPort} ttl {packet.TimeToLive}";
    }
}
