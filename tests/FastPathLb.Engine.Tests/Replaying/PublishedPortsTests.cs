using System.Buffers.Binary;
using FastPathLb.Balancer.Node;
using FastPathLb.Engine.Building;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Tests.Replaying;

/// <summary>A service with several published ports, of TCP and UDP: one mark and one turn for all, and each its own target port.</summary>
public sealed class PublishedPortsTests : IDisposable
{
    private const string LocalTask = "web.2.zac77h9eegh67ttnoch4mex8w@ingress";
    private const string Client = "172.19.176.9";
    private const string Node = "172.19.177.14";
    private static readonly MacAddress s_card = MacAddress.Parse("02:fc:00:00:00:01");
    private static readonly MacAddress s_otherCard = MacAddress.Parse("02:fc:00:00:00:02");
    private static readonly MacAddress s_clientMac = MacAddress.Parse("02:fc:00:00:00:99");
    private static readonly MacAddress s_task = MacAddress.Parse("02:42:0a:00:00:06");
    private static readonly MacAddress s_sandbox = MacAddress.Parse("02:42:0a:00:00:02");

    private readonly BuiltNode _built;
    private readonly FrameBatch _batch = new();
    private readonly List<(string Port, byte[] Frame)> _sent = [];
    private long _now = 1_795_334_000_000_000_000;

    public PublishedPortsTests()
    {
        NodeState.NodeState state = Recordings.ReadNode("swarm-web");
        _built = SwarmNodeBuilder.Build(
            state with
            {
                Docker = state.Docker with
                {
                    Services =
                    [
                        .. state.Docker.Services.Select(service => service.Name != "web" ? service : service with
                        {
                            Ports =
                            [
                                new DockerPort(IpProtocol.Tcp, 80, 8080, "ingress"),
                                new DockerPort(IpProtocol.Tcp, 9000, 9000, "ingress"),
                                new DockerPort(IpProtocol.Udp, 53, 5353, "ingress"),
                            ],
                        }),
                    ],
                },
            },
            new LoadBalancerOptions { Capacity = 1024 });

        // As dockerd makes them (generateIngressRules, configureFWMark).
        foreach ((string protocol, int port) in ((string, int)[])[("tcp", 9000), ("udp", 5353)])
        {
            Change("host", $"iptables -t nat -I DOCKER-INGRESS -p {protocol} -m {protocol} --dport {port} -j DNAT --to-destination 172.18.0.2:{port}");
            Change("ingress", $"iptables -t mangle -A PREROUTING -p {protocol} -m {protocol} --dport {port} -j MARK --set-xmark 0x100/0xffffffff");
        }

        PacketBuilder heard = PacketBuilder.Tcp("172.19.188.123:1", $"{Node}:1", TcpFlags.Syn) with { SourceMac = s_otherCard, DestinationMac = s_card };
        _built.Node.LearnNeighbor(heard.Build());
    }

    public void Dispose() => _built.Dispose();

    [Fact]
    public void Each_port_leads_to_its_own_target_and_all_take_turns_together()
    {
        Send(SwarmNode.UplinkPort, PacketBuilder.Udp($"{Client}:40000", $"{Node}:5353", "query"u8.ToArray()), s_clientMac, s_card);
        Assert.Equal($"{LocalTask} Udp 10.0.0.2:40000 > 10.0.0.6:53", Last(0));
        Send(_built.Node.FindTask(s_task), PacketBuilder.Udp("10.0.0.6:53", "10.0.0.2:40000", "answer"u8.ToArray()), s_task, s_sandbox);
        Assert.Equal($"eth0 Udp {Node}:5353 > {Client}:40000", Last(0));

        // The other node's task gets the published port, and redirects it itself.
        Send(SwarmNode.UplinkPort, PacketBuilder.Tcp($"{Client}:40001", $"{Node}:9000", TcpFlags.Syn, 1), s_clientMac, s_card);
        Assert.Equal("eth0 Tcp 10.0.0.2:40001 > 10.0.0.5:9000", Last(SwarmNode.EnvelopeBytes));

        Send(SwarmNode.UplinkPort, PacketBuilder.Tcp($"{Client}:40002", $"{Node}:8080", TcpFlags.Syn, 1), s_clientMac, s_card);
        Assert.Equal($"{LocalTask} Tcp 10.0.0.2:40002 > 10.0.0.6:80", Last(0));
        Send(SwarmNode.UplinkPort, PacketBuilder.Tcp($"{Client}:40003", $"{Node}:8080", TcpFlags.Syn, 1), s_clientMac, s_card);
        Send(SwarmNode.UplinkPort, PacketBuilder.Tcp($"{Client}:40004", $"{Node}:9000", TcpFlags.Syn, 1), s_clientMac, s_card);
        Assert.Equal($"{LocalTask} Tcp 10.0.0.2:40004 > 10.0.0.6:9000", Last(0));
    }

    [Fact]
    public void A_port_is_published_for_its_own_protocol_alone()
    {
        Send(SwarmNode.UplinkPort, PacketBuilder.Udp($"{Client}:40000", $"{Node}:9000", "x"u8.ToArray()), s_clientMac, s_card);
        Send(SwarmNode.UplinkPort, PacketBuilder.Tcp($"{Client}:40000", $"{Node}:5353", TcpFlags.Syn, 1), s_clientMac, s_card);
        Assert.Empty(_sent);
    }

    private void Change(string name, string command) =>
        Assert.Null(CommandApplier.Apply(_built, name, NodeCommandReader.Parse(command), _now));

    private string Last(int skipBytes)
    {
        (string port, byte[] frame) = _sent[^1];
        Assert.True(Ipv4Header.TryParse(frame.AsSpan(skipBytes + 14), out Ipv4Header packet));
        ushort from = BinaryPrimitives.ReadUInt16BigEndian(packet.Payload);
        ushort to = BinaryPrimitives.ReadUInt16BigEndian(packet.Payload[2..]);
        return $"{port} {packet.Protocol} {packet.Source}:{from} > {packet.Destination}:{to}";
    }

    private void Send(int port, PacketBuilder packet, MacAddress source, MacAddress destination)
    {
        _now += 1_000_000;
        _batch.Clear();
        Assert.True(_batch.TryAdd((packet with { SourceMac = source, DestinationMac = destination }).Build(), _now, portIndex: port));
        _built.Node.Process(_batch);
        for (int index = 0; index < _batch.Emitted.Length; index++)
        {
            _sent.Add((_built.Node.Ports[_batch.Emitted[index].PortIndex].Name, _batch.EmittedBytes(index).ToArray()));
        }
    }
}
