using FastPathLb.Engine.Building;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;
using Xunit.Abstractions;

namespace FastPathLb.Balancer.Tests;

/// <summary>
/// First packets of connections take the short way once each server had one, unless something could decide about the next one
/// otherwise; and whichever way they take, everything is as on the general path.
/// </summary>
public sealed class OpeningPathTests(ITestOutputHelper output)
{
    private const long Second = 1_000_000_000;

    private static readonly string[] s_clients = [SmallSwarm.Client, SmallSwarm.OtherClient, "10.0.1.11", "10.0.1.12"];

    // What an operator changes, and how he takes it back.
    private static readonly (string Do, string Undo)[] s_changes =
    [
        ("ipvsadm -e -f 273 -r 10.0.1.3:0 -m -w 0", "ipvsadm -e -f 273 -r 10.0.1.3:0 -m -w 1"),
        ("ipvsadm -e -f 273 -r 10.0.1.4:0 -m -w 1 -x 9 -y 4", "ipvsadm -e -f 273 -r 10.0.1.4:0 -m -w 1"),
        ("ipvsadm -e -f 273 -r 10.0.1.4:0 -m -w 3", "ipvsadm -e -f 273 -r 10.0.1.4:0 -m -w 1"),
        ("ipvsadm -d -f 273 -r 10.0.1.3:0", "ipvsadm -a -f 273 -r 10.0.1.3:0 -m -w 1"),
        ("ipvsadm -a -f 273 -r 10.0.1.6:0 -g -w 1", "ipvsadm -d -f 273 -r 10.0.1.6:0"),
        ("ipvsadm -a -f 273 -r 10.0.1.6:8080 -m -w 1", "ipvsadm -d -f 273 -r 10.0.1.6:8080"),
        ("ipvsadm -E -f 273 -s wlc", "ipvsadm -E -f 273 -s rr"),
        ("ipvsadm -E -f 273 -s sh", "ipvsadm -E -f 273 -s wrr"),
        ("ipvsadm -D -f 274", "ipvsadm -A -f 274 -s rr"),
        ("ipvsadm -a -f 274 -r 10.0.1.10:0 -m -w 1", "ipvsadm -d -f 274 -r 10.0.1.10:0"),
        ("iptables -t mangle -D PREROUTING 1", "iptables -t mangle -A PREROUTING -d 10.0.1.2/32 -j MARK --set-mark 273"),
        ("iptables -t nat -I POSTROUTING 1 -s 10.0.1.9/32 -m ipvs --ipvs -j ACCEPT", "iptables -t nat -D POSTROUTING 1"),
        ("iptables -t mangle -I INPUT 1 -p tcp --sport 1025:1030 -j DROP", "iptables -t mangle -D INPUT 1"),
        ("iptables -t mangle -I INPUT 1 -p tcp --dport 443 -j DROP", "iptables -t mangle -D INPUT 1"),
        ("iptables -t mangle -I INPUT 1 -p udp -j MARK --set-mark 274", "iptables -t mangle -D INPUT 1"),
        ("iptables -t nat -I PREROUTING 1 -p tcp --dport 443 -j REDIRECT --to-ports 80", "iptables -t nat -D PREROUTING 1"),
        ("sysctl -w net.ipv4.vs.conntrack=0", "sysctl -w net.ipv4.vs.conntrack=1"),
        ("sysctl -w net.ipv4.vs.drop_packet=3", "sysctl -w net.ipv4.vs.drop_packet=0"),
        ("sysctl -w net.netfilter.nf_conntrack_tcp_timeout_syn_sent=0", "sysctl -w net.netfilter.nf_conntrack_tcp_timeout_syn_sent=120"),
        ("sysctl -w net.netfilter.nf_conntrack_udp_timeout=0", "sysctl -w net.netfilter.nf_conntrack_udp_timeout=30"),
        ("ip neigh replace 10.0.1.3 lladdr 02:42:0a:00:01:99 dev eth0", "ip neigh replace 10.0.1.3 lladdr 02:42:0a:00:01:03 dev eth0"),
        ("ip addr add 10.0.1.11/32 dev eth0", "ip addr del 10.0.1.11/32 dev eth0"),
        ("ip addr del 10.0.1.2/32 dev eth0", "ip addr add 10.0.1.2/32 dev eth0"),
        ("ipvsadm -A -t 10.0.1.2:443 -s rr", "ipvsadm -D -t 10.0.1.2:443"),
    ];

    private static readonly Dictionary<string, SmallSwarm> s_unusual = new()
    {
        ["a rule that looks at the source"] = new SmallSwarm { Rules = Rules("nat", "-A POSTROUTING -s 10.0.1.9/32 -j ACCEPT") },
        ["a rule that looks at the source port"] = new SmallSwarm { Rules = Rules("mangle", "-A INPUT -p tcp --sport 7 -j DROP") },
        ["a server that may be overloaded"] = new SmallSwarm { Servers = ["{ address: 10.0.1.3, upper: 4000 }"] },
        ["persistence"] = new SmallSwarm { PersistenceSeconds = 60 },
        ["IPVS without conntrack"] = new SmallSwarm { Sysctls = new Dictionary<string, int> { ["net.ipv4.vs.conntrack"] = 0 } },
        ["load that is shed"] = new SmallSwarm { Sysctls = new Dictionary<string, int> { ["net.ipv4.vs.drop_packet"] = 3 } },
    };

    public static TheoryData<string> Unusual => [.. s_unusual.Keys];

    [Theory]
    [InlineData("rr")]
    [InlineData("wrr")]
    [InlineData("wlc")]
    [InlineData("sh")]
    public void It_is_taken_once_every_server_had_a_connection(string scheduler)
    {
        using TestBalancer balancer = new(new SmallSwarm { Scheduler = scheduler, SchedulerFlags = scheduler == "sh" ? ["sh-port"] : [] });
        int opened = 0;
        while (balancer.Service.Servers.Any(server => server.TotalConnections == 0))
        {
            Assert.Equal(Verdict.Forwarded, balancer.Send(Syn(SmallSwarm.Client, 2000 + opened++)).Verdict);
            Assert.Equal(0, balancer.Built.Balancer.EstablishedFrames);
        }

        // Another client, whose port is taken at both servers, too.
        foreach (string client in (string[])[SmallSwarm.Client, SmallSwarm.OtherClient])
        {
            for (int port = 3000; port < 3010; port++)
            {
                Assert.Equal(Verdict.Forwarded, balancer.Send(Syn(client, port)).Verdict);
            }
        }

        Assert.Equal(20, balancer.Built.Balancer.EstablishedFrames);
        Assert.Equal(20 + opened, balancer.Service.Counters.Connections);
        Assert.Equal(20 + opened, balancer.Service.Counters.InPackets);
    }

    [Theory]
    [MemberData(nameof(Unusual))]
    public void It_is_not_taken_where_the_next_packet_may_be_decided_otherwise(string why)
    {
        using TestBalancer balancer = new(s_unusual[why]);
        for (int port = 3000; port < 3020; port++)
        {
            balancer.Send(Syn(SmallSwarm.Client, port));
        }

        Assert.True(balancer.Built.Balancer.EstablishedFrames == 0, $"{balancer.Built.Balancer.EstablishedFrames} took it");
        Assert.True(balancer.Connections.Count > 1, $"{balancer.Connections.Count} connections");
    }

    [Fact]
    public void A_server_that_is_new_is_learned_first()
    {
        using TestBalancer balancer = new(new SmallSwarm());
        int port = 3000;
        OpenUntilShort(balancer, ref port);
        Assert.Null(balancer.Run("ipvsadm -a -f 273 -r 10.0.1.6:0 -m -w 1"));
        long before = balancer.Built.Balancer.EstablishedFrames;
        while (balancer.Server("10.0.1.6").TotalConnections == 0)
        {
            balancer.Send(Syn(SmallSwarm.Client, port++));
        }

        Assert.Equal(before, balancer.Built.Balancer.EstablishedFrames);
        OpenUntilShort(balancer, ref port);
    }

    [Fact]
    public void A_full_table_drops_as_ever()
    {
        using TestBalancer balancer = new(new SmallSwarm { Capacity = 16 });
        Sent last = balancer.Send(Syn(SmallSwarm.Client, 3000));
        for (int port = 3001; port < 3040 && last.Verdict == Verdict.Forwarded; port++)
        {
            last = balancer.Send(Syn(SmallSwarm.Client, port));
        }

        Assert.Equal((Verdict.Dropped, DropReason.IpvsTableFull), (last.Verdict, last.Reason));
        Assert.Equal(balancer.Built.Table.Capacity, balancer.Built.Table.Count);
        Assert.True(balancer.Built.Balancer.EstablishedFrames > 0);
    }

    /// <summary>
    /// Frames that mostly open connections, from few clients with few ports so that they collide, at any batch size, with the node
    /// changed in between, against the general path.
    /// </summary>
    [Theory]
    [InlineData(AttachPoint.Underlay)]
    [InlineData(AttachPoint.Overlay)]
    public void Openings_come_out_the_same(AttachPoint attachPoint)
    {
        long began = System.Diagnostics.Stopwatch.GetTimestamp();
        long shortWay = 0;
        long frames = 0;
        for (int round = 0; round < 6 || System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalSeconds < Fuzzing.Seconds(2); round++)
        {
            (long taken, long all) = Compare(attachPoint, Fuzzing.Seed(20261125) + round);
            shortWay += taken;
            frames += all;
        }

        output.WriteLine($"{frames} frames, {shortWay} of them by the short way");
        Assert.True(shortWay > frames / 10, $"only {shortWay} of {frames} frames took the short way");
    }

    /// <summary>Conntrack's entries are over at once: the next connection of a batch finds its port held by one, and takes it.</summary>
    [Theory]
    [InlineData("net.netfilter.nf_conntrack_tcp_timeout_syn_sent")]
    [InlineData("net.netfilter.nf_conntrack_udp_timeout")]
    public void Connections_without_any_time_come_out_the_same(string timeout)
    {
        SmallSwarm swarm = new() { AttachPoint = AttachPoint.Underlay };
        Twins twins = new(swarm.Build(), swarm.Build());
        using (twins.General)
        {
            using (twins.Short)
            {
                bool isUdp = timeout.Contains("udp", StringComparison.Ordinal);
                byte[] Opening(string client, int port) => SmallSwarm.FromNode2.Wrap((SmallSwarm.ToBalancer(
                    isUdp ? Datagram(client, port, SmallSwarm.Vip, 80) : Syn(client, port)) with
                {
                    SourceMac = MacAddress.FromDocker(Ipv4Address.Parse(client)),
                }).Build());
                twins.Run($"sysctl -w {timeout}=0");
                for (int port = 2000; port < 2004; port++)
                {
                    twins.Process([.. s_clients.Select(client => Opening(client, port))], Second, null, "to be learned");
                }

                long before = twins.Short.Balancer.EstablishedFrames;
                twins.Process([.. s_clients.Select(client => Opening(client, 3000))], Second, null, "all at once");
                Assert.Equal(before + s_clients.Length, twins.Short.Balancer.EstablishedFrames);
                twins.CompareTables();
            }
        }
    }

    /// <summary>Who was let in before is looked at again where he comes from another MAC: it has to be learned.</summary>
    [Fact]
    public void A_sender_that_moved_is_learned_first()
    {
        SmallSwarm swarm = new() { AttachPoint = AttachPoint.Underlay };
        using BuiltLoadBalancer built = swarm.Build();
        FrameBatch batch = new();
        int port = 3000;
        long before = 0;
        for (int attempt = 0; attempt < 10 && before == 0; attempt++)
        {
            before = Send("10.0.1.9");
        }

        Assert.True(before > 0);
        Assert.Equal(before + 1, Send("10.0.1.9"));
        Assert.Equal(before + 1, Send("10.0.1.99"));
        before = Send("10.0.1.99");
        for (int attempt = 0; attempt < 10 && before == built.Balancer.EstablishedFrames; attempt++)
        {
            _ = Send("10.0.1.99");
        }

        Assert.True(built.Balancer.EstablishedFrames > before);

        long Send(string mac)
        {
            PacketBuilder syn = SmallSwarm.ToBalancer(Syn("10.0.1.9", port++)) with { SourceMac = MacAddress.FromDocker(Ipv4Address.Parse(mac)) };
            batch.Clear();
            batch.TryAdd(SmallSwarm.FromNode2.Wrap(syn.Build()), TestBalancer.Epoch, 1, -1);
            built.Balancer.Process(batch);
            Assert.Equal(Verdict.Forwarded, batch.Frames[0].Verdict);
            return built.Balancer.EstablishedFrames;
        }
    }

    private static (long ShortWay, long Frames) Compare(AttachPoint attachPoint, int seed)
    {
        SmallSwarm swarm = new()
        {
            AttachPoint = attachPoint,
            Capacity = seed % 3 == 0 ? 1024 : 1 << 14,
            PortPolicy = seed % 2 == 0 ? Netfilter.SourcePortPolicy.Drawn : Netfilter.SourcePortPolicy.NextFree,
            MoreServices = ["{ vip: 10.0.1.7, mark: 274, servers: [10.0.1.10] }"],
        };
        Twins twins = new(swarm.Build(), swarm.Build());
        using (twins.General)
        {
            using (twins.Short)
            {
                Random random = new(seed);
                string? undo = null;
                for (int batch = 0; batch < 250; batch++)
                {
                    long leap = random.Next(30) == 0 ? random.NextInt64(90 * Second) : 0;
                    List<byte[]> frames = [.. Enumerable.Range(0, random.Next(1, 120)).Select(_ => Frame(random, attachPoint))];
                    twins.Process(frames, leap, random, $"{attachPoint}, seed {seed}, batch {batch}");
                    if (undo is not null || random.Next(3) == 0)
                    {
                        (string command, undo) = undo is null ? s_changes[random.Next(s_changes.Length)] : (undo, null);
                        twins.Run(command);
                    }
                }

                twins.CompareTables();
                return (twins.Short.Balancer.EstablishedFrames, twins.Frames);
            }
        }
    }

    private static byte[] Frame(Random random, AttachPoint attachPoint)
    {
        string client = s_clients[random.Next(s_clients.Length)];
        MacAddress mac = MacAddress.FromDocker(Ipv4Address.Parse(random.Next(20) == 0 ? "10.0.1.12" : client));
        client = random.Next(40) switch { 0 => SmallSwarm.Vip, 1 => "127.0.0.1", 2 => "0.0.0.0", _ => client };
        int port = random.Next(20) == 0 ? 20 : random.Next(1024, 1400);
        string called = random.Next(4) == 0 ? "10.0.1.7" : SmallSwarm.Vip;
        int calledPort = random.Next(3) == 0 ? 443 : 80;
        PacketBuilder packet = random.Next(3) == 0 ? Datagram(client, port, called, calledPort)
            : Syn(client, port, called, calledPort) with
            {
                Flags = random.Next(6) switch { 0 => TcpFlags.Ack, 1 => TcpFlags.Rst, 2 => TcpFlags.Syn | TcpFlags.Psh, _ => TcpFlags.Syn },
                TimeToLive = (byte)(random.Next(40) == 0 ? 1 : 64),
            };
        packet = SmallSwarm.ToBalancer(packet) with
        {
            SourceMac = mac,
        };
        return attachPoint == AttachPoint.Overlay ? packet.Build() : SmallSwarm.FromNode2.Wrap(packet.Build());
    }

    private static void OpenUntilShort(TestBalancer balancer, ref int port)
    {
        long before = balancer.Built.Balancer.EstablishedFrames;
        for (int attempt = 0; attempt < 10 && balancer.Built.Balancer.EstablishedFrames == before; attempt++)
        {
            balancer.Send(Syn(SmallSwarm.Client, port++));
        }

        Assert.True(balancer.Built.Balancer.EstablishedFrames > before);
    }

    private static Dictionary<string, string[]> Rules(string table, string rule) => new() { [table] = [rule] };

    private static PacketBuilder Syn(string client, int port, string called = SmallSwarm.Vip, int calledPort = 80) =>
        PacketBuilder.Tcp($"{client}:{port}", $"{called}:{calledPort}", TcpFlags.Syn, 1000);

    private static PacketBuilder Datagram(string client, int port, string called, int calledPort) =>
        PacketBuilder.Udp($"{client}:{port}", $"{called}:{calledPort}", "hello"u8.ToArray());

    /// <summary>Two load balancers alike, one of which takes the general path alone.</summary>
    private sealed class Twins
    {
        private readonly FrameBatch _expected = new();
        private readonly FrameBatch _actual = new();
        private readonly MemorySink _expectedSink = new();
        private readonly MemorySink _actualSink = new();
        private long _now = TestBalancer.Epoch;

        public Twins(BuiltLoadBalancer general, BuiltLoadBalancer quick)
        {
            (General, Short) = (general, quick);
            General.Balancer.UsesEstablishedPath = false;
            _expected.ConnectSink(_expectedSink);
            _actual.ConnectSink(_actualSink);
        }

        public BuiltLoadBalancer General { get; }

        public BuiltLoadBalancer Short { get; }

        public long Frames { get; private set; }

        /// <summary>Both process frames, some time apart each by chance, or all at once.</summary>
        public void Process(List<byte[]> frames, long leap, Random? random, string where)
        {
            _now += leap;
            _expected.Clear();
            _actual.Clear();
            _expectedSink.Clear();
            _actualSink.Clear();
            foreach (byte[] frame in frames)
            {
                _now += random?.NextInt64(Second / 100) ?? 0;
                _expected.TryAdd(frame, _now, 1, -1);
                _actual.TryAdd(frame, _now, 1, -1);
            }

            Frames += frames.Count;
            General.Balancer.Process(_expected);
            Short.Balancer.Process(_actual);
            _expected.Flush();
            _actual.Flush();
            for (int index = 0; index < _expected.Count; index++)
            {
                FrameDescriptor wanted = _expected.Frames[index];
                FrameDescriptor got = _actual.Frames[index];
                Assert.True(
                    wanted.Verdict == got.Verdict && wanted.Reason == got.Reason && wanted.Connection == got.Connection,
                    $"{where}: frame {index} is {got.Verdict} {got.Reason} {got.Connection}, not {wanted.Verdict} {wanted.Reason} {wanted.Connection}");
            }

            string? difference = FrameText.Difference(
                [.. _expectedSink.Frames.Select(frame => frame.Bytes)], [.. _actualSink.Frames.Select(frame => frame.Bytes)]);
            Assert.True(difference is null, $"{where}: {difference}");
        }

        public void Run(string command)
        {
            NodeCommand parsed = NodeCommandReader.Parse(command);
            CommandApplier.Apply(General, parsed, General.Balancer.Now);
            CommandApplier.Apply(Short, parsed, Short.Balancer.Now);
        }

        public void CompareTables() => Assert.Equal(Tables.Of(General), Tables.Of(Short));
    }
}
