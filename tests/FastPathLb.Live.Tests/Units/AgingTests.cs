using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Engine.Building;
using FastPathLb.Live.Running;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Live.Tests.Units;

/// <summary>Neighbours and learned forwarding entries of a live load balancer age as Linux's do, by a clock of the test's.</summary>
public sealed class AgingTests
{
    private const string Yaml =
        """
        lb:
          address: 10.0.1.5/24
          neighbors: [{ address: 10.0.1.4, mac: "02:42:0a:00:01:04", state: PERMANENT }]
        services: [{ vip: 10.0.1.2, servers: [10.0.1.3] }]
        """;

    private const string UnderlayYaml =
        """
        node: { address: 192.168.100.2/24, mac: "02:00:00:00:00:02" }
        overlay: { vni: 4097, udp-checksum: false }
        lb: { address: 10.0.1.5/24 }
        services: [{ vip: 10.0.1.2, servers: [10.0.1.3] }]
        vteps:
          - { address: 192.168.100.3, mac: "02:00:00:00:00:03", endpoints: [10.0.1.3] }
        """;

    private const long Second = 1_000_000_000;
    private const long Start = 1_800_000_000 * Second;

    private static readonly MacAddress s_lb = MacAddress.FromDocker(Ipv4Address.Parse("10.0.1.5"));
    private static readonly MacAddress s_client = MacAddress.Parse("02:42:0a:00:01:08");
    private static readonly Ipv4Address s_lbAddress = Ipv4Address.Parse("10.0.1.5");
    private static readonly Ipv4Address s_clientAddress = Ipv4Address.Parse("10.0.1.8");

    [Fact]
    public void A_neighbour_that_answers_stays_and_is_asked_again_after_some_35_seconds_of_use()
    {
        using Link link = new(Yaml);
        link.Arp(ArpOperation.Request, s_lb);
        Assert.Equal(NeighborReachability.Stale, link.State);

        // In use: after 5 seconds of grace it is asked, by itself and not by broadcast.
        link.Ping();
        Assert.Equal(NeighborReachability.Delay, link.State);
        Assert.Equal(0, link.Pass(4.9, isPinging: true));
        Assert.Equal(1, link.Pass(0.3, isPinging: true));
        Assert.Equal(s_client, link.LastAsked);
        Assert.Equal(NeighborReachability.Probe, link.State);

        link.Arp(ArpOperation.Reply, s_lb);
        Assert.Equal(NeighborReachability.Reachable, link.State);
        Assert.Equal(0, link.Pass(14.9 + 4.9, isPinging: true));
        int asked = link.Pass(45 + 5 + 0.5 - 14.9 - 4.9, isPinging: true, answers: true);
        Assert.InRange(asked, 1, 2);
        Assert.Equal(s_client, link.Mac);
    }

    [Fact]
    public void A_neighbour_that_is_gone_is_asked_three_times_and_forgotten()
    {
        using Link link = new(Yaml);
        link.Arp(ArpOperation.Request, s_lb);
        link.Ping();
        Assert.Equal(NeighborAging.ProbesMax, link.Pass(7.9, isPinging: false));
        Assert.Equal(s_client, link.Mac);
        Assert.Equal(0, link.Pass(0.5, isPinging: false));
        Assert.Null(link.Mac);

        // The next packet asks all.
        link.Ping();
        Assert.Equal(MacAddress.Broadcast, link.LastAsked);
    }

    [Fact]
    public void A_neighbour_that_nobody_uses_is_not_asked()
    {
        using Link link = new(Yaml);
        link.Arp(ArpOperation.Reply, s_lb);
        Assert.Equal(NeighborReachability.Reachable, link.State);
        Assert.Equal(0, link.Pass(200, isPinging: false));
        Assert.Equal(NeighborReachability.Stale, link.State);
        Assert.Equal(s_client, link.Mac);
    }

    [Fact]
    public void What_was_decided_holds_while_a_neighbour_ages_and_keeps_its_address()
    {
        using Link link = new(Yaml);
        link.Arp(ArpOperation.Request, s_lb);
        long configured = link.Built.Namespace.Neighbors.Version;
        link.Ping();
        link.Pass(300, isPinging: true, answers: true);
        Assert.Equal(configured, link.Built.Namespace.Neighbors.Version);
        Assert.Equal(s_client, link.Mac);
    }

    [Fact]
    public void An_answer_to_all_tells_where_a_neighbour_is_and_not_that_it_hears()
    {
        using Link link = new(Yaml);
        link.Arp(ArpOperation.Reply, s_lb);
        MacAddress moved = MacAddress.Parse("02:42:0a:00:01:88");
        link.Arp(ArpOperation.Reply, MacAddress.Broadcast, moved);
        Assert.Equal(moved, link.Mac);
        Assert.Equal(NeighborReachability.Stale, link.State);
    }

    [Fact]
    public void What_an_administrator_set_for_good_neither_ages_nor_is_changed()
    {
        using Link link = new(Yaml);
        Ipv4Address address = Ipv4Address.Parse("10.0.1.4");
        link.Arp(ArpOperation.Reply, s_lb, sender: address);
        link.Pass(400, isPinging: false);
        Assert.True(link.Built.Namespace.Neighbors.TryGet(address.Value, out MacAddress mac));
        Assert.Equal(MacAddress.FromDocker(address), mac);
        Assert.Equal(NeighborReachability.Permanent, link.Built.Namespace.Neighbors.Aging!.StateOf(address.Value));
    }

    [Fact]
    public void Learned_forwarding_entries_end_after_300_seconds_without_use_and_configured_ones_do_not()
    {
        using Link link = new(UnderlayYaml, Balancer.AttachPoint.Underlay);
        ForwardingDatabase fdb = link.Built.Network!.Fdb;
        MacAddress learned = MacAddress.Parse("02:42:0a:00:01:77");
        Assert.True(fdb.Learn(learned, Ipv4Address.Parse("192.168.100.3").Value));
        int configured = fdb.Count - 1;

        // Somebody looks it up now and then.
        for (int minute = 0; minute < 20; minute++)
        {
            link.Pass(60, isPinging: false);
            Assert.True(fdb.TryGet(learned, out _));
        }

        link.Pass(299, isPinging: false);
        Assert.Equal(configured + 1, fdb.Count);
        link.Pass(320, isPinging: false);
        Assert.Equal(configured, fdb.Count);
        Assert.False(fdb.TryGet(learned, out _));
        Assert.True(configured > 0);
    }

    /// <summary>A load balancer, and the client 10.0.1.8 on its link.</summary>
    private sealed class Link : IDisposable
    {
        private const long Step = 50_000_000;

        private readonly FrameBatch _batch = new();
        private readonly LinkAging _aging;
        private long _now = Start;

        public Link(string yaml, Balancer.AttachPoint attachPoint = Balancer.AttachPoint.Overlay)
        {
            Built = LiveBuilder.Build(
                LbConfigReader.Parse(yaml, "test.yaml"), new LoadBalancerOptions { AttachPoint = attachPoint, Capacity = 1024 });
            _aging = new LinkAging(Built);
        }

        public BuiltLoadBalancer Built { get; }

        /// <summary>Whom the latest ARP request went to.</summary>
        public MacAddress LastAsked { get; private set; }

        public NeighborReachability State => Built.Namespace.Neighbors.Aging!.StateOf(s_clientAddress.Value);

        public MacAddress? Mac => Built.Namespace.Neighbors.TryGet(s_clientAddress.Value, out MacAddress mac) ? mac : null;

        public void Dispose() => Built.Dispose();

        /// <summary>The client says something by ARP.</summary>
        public void Arp(ArpOperation operation, MacAddress destination, MacAddress? mac = null, Ipv4Address? sender = null)
        {
            byte[] frame = new byte[60];
            new EthernetFields(destination, mac ?? s_client, EtherType.Arp).WriteTo(frame);
            new ArpFields(operation, mac ?? s_client, sender ?? s_clientAddress, operation == ArpOperation.Reply ? s_lb : default, s_lbAddress)
                .WriteTo(frame.AsSpan(14));
            Process(frame);
        }

        /// <summary>The client pings the load balancer, which answers.</summary>
        public int Ping()
        {
            byte[] frame = new byte[60];
            new EthernetFields(s_lb, s_client, EtherType.Ipv4).WriteTo(frame);
            new Ipv4Fields { PayloadLengthBytes = 26, TimeToLive = 64, Protocol = IpProtocol.Icmp, Source = s_clientAddress, Destination = s_lbAddress }
                .WriteTo(frame.AsSpan(14));
            frame[34] = 8;
            ushort checksum = InternetChecksum.Finish(InternetChecksum.Sum(frame.AsSpan(34, 26), 0));
            frame[36] = (byte)(checksum >> 8);
            frame[37] = (byte)checksum;
            return Process(frame);
        }

        /// <summary>Lets time pass as the worker does.</summary>
        /// <returns>How often the client was asked for.</returns>
        public int Pass(double seconds, bool isPinging, bool answers = false)
        {
            int asked = 0;
            long end = _now + (long)(seconds * Second);
            while (_now < end)
            {
                _now += Step;
                _batch.Clear();
                Built.Balancer.Advance(_now, _batch);
                _aging.Advance(_now, _batch);
                int questions = Questions() + (isPinging ? Ping() : 0);
                asked += questions;
                if (questions > 0 && answers)
                {
                    Arp(ArpOperation.Reply, s_lb);
                }
            }

            return asked;
        }

        private int Process(byte[] frame)
        {
            _batch.Clear();
            Assert.True(_batch.TryAdd(frame, _now));
            Built.Balancer.Process(_batch);
            _aging.Look(_batch, _now);
            _now += Step / 5;
            return Questions();
        }

        private int Questions()
        {
            int count = 0;
            for (int index = 0; index < _batch.Emitted.Length; index++)
            {
                ReadOnlySpan<byte> frame = _batch.EmittedBytes(index);
                if (ArpHeader.TryParse(frame[14..], out ArpHeader arp) && frame[12] == 8 && frame[13] == 6
                    && arp.Operation == ArpOperation.Request && arp.TargetAddress == s_clientAddress)
                {
                    count++;
                    LastAsked = MacAddress.Read(frame);
                }
            }

            return count;
        }
    }
}
