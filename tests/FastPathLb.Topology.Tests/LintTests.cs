using FastPathLb.Io.Captures;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Topology.Tests;

/// <summary>Each check finds its fault where it was seeded, says where, and is silent about healthy nodes.</summary>
public sealed class LintTests
{
    private static readonly MacAddress s_client = MacAddress.Parse("02:42:0a:00:01:08");
    private static readonly MacAddress s_balancer = MacAddress.Parse("02:42:0a:00:01:06");

    /// <summary>Check, file, pattern in it, replacement, and the file in which the fault is to be told.</summary>
    private static readonly (string Check, string File, string Pattern, string Replacement, string Place)[] s_seeds =
    [
        ("task-without-fdb", "overlay.bridge-fdb.txt", @"^02:42:0a:00:01:03 .*\n", "", "overlay.bridge-fdb.txt"),
        ("fdb-wrong-node", "overlay.bridge-fdb.txt", @"^(02:42:0a:00:01:03 dev vxlan0 dst) \S+", "$1 172.19.188.124",
            "overlay.bridge-fdb.txt:7"),
        ("task-without-neighbor", "overlay.ip-neigh.txt", @"^10\.0\.1\.3 .*\n", "", "overlay.ip-neigh.txt"),
        ("vip-without-address", "lb.ip-addr.txt", @"^ +inet 10\.0\.1\.2/32.*\n.*\n", "", "lb.ip-addr.txt"),
        ("vip-without-mark", "lb.iptables-save.txt", @"^.*-d 10\.0\.1\.2/32 -j MARK.*\n", "", "lb.ip-addr.txt:10"),
        ("mark-without-service", "lb.ipvsadm-save.txt", @"^.*-f 257 .*\n", "", "lb.iptables-save.txt:8"),
        ("service-without-mark", "lb.iptables-save.txt", "0x101/", "0x109/", "lb.ipvsadm-save.txt:1"),
        ("shared-mark", "lb.iptables-save.txt", "0x102/", "0x101/", "lb.iptables-save.txt:9"),
        ("service-without-servers", "lb.ipvsadm-save.txt", @"^-a -f 257 .*\n", "", "lb.ipvsadm-save.txt"),
        ("weight-zero", "lb.ipvsadm-save.txt", @"10\.0\.1\.4:0 -m -w 1", "10.0.1.4:0 -m -w 0", "lb.ipvsadm-save.txt:3"),
        ("server-without-task", "lb.ipvsadm-save.txt", @"10\.0\.1\.4:0", "10.0.1.44:0", "lb.ipvsadm-save.txt:3"),
        ("task-without-server", "ingress.ipvsadm-save.txt", @"^.*10\.0\.0\.5:0.*\n", "", "ingress.ipvsadm-save.txt"),
        ("forwarding-method", "lb.ipvsadm-save.txt", @"10\.0\.1\.4:0 -m", "10.0.1.4:0 -g", "lb.ipvsadm-save.txt:3"),
        ("ip-forward-off", "lb.sysctl.txt", "ip_forward = 1", "ip_forward = 0", "lb.sysctl.txt:37"),
        ("vs-conntrack-off", "lb.sysctl.txt", "vs.conntrack = 1", "vs.conntrack = 0", "lb.sysctl.txt"),
        ("snat-missing", "lb.iptables-save.txt", @"^.*-j SNAT --to-source 10\.0\.1\.6\n", "", "lb.iptables-save.txt"),
        ("snat-missing", "lb.iptables-save.txt", @"--to-source 10\.0\.1\.6", "--to-source 10.0.1.66", "lb.iptables-save.txt:22"),
        ("conn-reuse-mode", "ingress.sysctl.txt", "conn_reuse_mode = 0", "conn_reuse_mode = 1", "ingress.sysctl.txt"),
        ("expire-nodest-off", "lb.sysctl.txt", "expire_nodest_conn = 1", "expire_nodest_conn = 0", "lb.sysctl.txt"),
        ("mtu-above-underlay", "host.ip-addr.txt", "^(2: eth0: .*) mtu 1500", "$1 mtu 1400", "overlay.ip-addr.txt"),
        ("mtu-differs", "lb.ip-addr.txt", "mtu 1450", "mtu 1400", "lb.ip-addr.txt:5"),
        ("device-down", "overlay.ip-addr.txt", "^(9: vxlan0@if9: <BROADCAST,MULTICAST),UP,LOWER_UP", "$1", "overlay.ip-addr.txt"),
        ("duplicate-address", "network-inspect-v.mynet.json", "\"EndpointIP\": \"10.0.1.3\"", "\"EndpointIP\": \"10.0.1.8\"",
            "network-inspect-v.mynet.json"),
        ("duplicate-mac", "overlay.ip-neigh.txt", "02:42:0a:00:01:05", "02:42:0a:00:01:03", "overlay.ip-neigh.txt:1"),
        ("subnet-overlap", "host.ip-addr.txt", @"172\.17\.0\.1/16 brd 172\.17\.255\.255", "10.0.1.129/25 brd 10.0.1.255",
            "host.ip-addr.txt"),
        ("vni-mismatch", "overlay.ip-addr.txt", "vxlan id 4097", "vxlan id 4099", "overlay.ip-addr.txt"),
        ("vni-mismatch", "overlay.ip-addr.txt", "vxlan id 4097", "vxlan id 4096", "overlay.ip-addr.txt"),
        ("port-without-host-rule", "host.iptables-save.txt", @"^.*-j DNAT --to-destination 172\.18\.0\.2:8080\n", "",
            "host.iptables-save.txt"),
        ("port-without-mark", "ingress.iptables-save.txt", "^.*--dport 8080 -j MARK.*\n", "", "ingress.iptables-save.txt"),
        ("port-to-other-address", "host.iptables-save.txt", @"172\.18\.0\.2:8080", "172.18.0.9:8080", "host.iptables-save.txt"),
        ("port-not-accepted", "host.iptables-save.txt",
            @"(^\*filter\n(?:.*\n)*?):FORWARD ACCEPT((?:.*\n)*?)\[0:0\] -A DOCKER-INGRESS .*--dport 8080 -j ACCEPT\n",
                "$1:FORWARD DROP$2", "host.iptables-save.txt:"),
        ("sandbox-without-default-route", "ingress.ip-route.txt", "^unicast default .*\n", "", "ingress.ip-route.txt"),
        ("node-down", "node-ls.txt", "(node2 +)Ready", "$1Down ", "node-ls.txt:3"),
    ];

    private static readonly string[] s_captureChecks =
        ["arp-for-vip", "arp-claimed-twice", "vip-on-underlay", "outer-fragments", "unknown-vni", "idle-connection", "calls-unanswered",
         "tunnel-one-way", "inner-checksums", "half-closed-connection"];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, s_seeds.Length)];

    public static TheoryData<string> Healthy => [.. Recordings.Names.Where(name => name != "no-backend")];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_seeded_fault_is_found_where_it_is(int index)
    {
        (string check, string file, string pattern, string replacement, string place) = s_seeds[index];
        using SeededNode node = new("swarm-web");
        node.Change(file, pattern, replacement);

        LintFinding[] found = [.. node.Lint().Where(finding => finding.Check.Name == check)];
        Assert.NotEmpty(found);
        string whole = Path.Combine(node.Folder, place);
        Assert.Contains(
            found, finding => char.IsDigit(place[^1]) ? finding.Place.ToString() == whole : finding.Place.ToString().StartsWith(whole));
    }

    [Fact]
    public void Every_check_has_a_fault_seeded_for_it()
    {
        IEnumerable<string> seeded = s_seeds.Select(seed => seed.Check).Concat(s_captureChecks).Distinct();
        Assert.Equal(Linter.Checks.Select(check => check.Name).Order(), seeded.Order());
    }

    [Theory]
    [MemberData(nameof(Healthy))]
    public void Nothing_is_found_on_a_healthy_node(string recording) => Assert.Empty(Linter.Run(Recordings.PathOf(recording), "", null));

    [Fact]
    public void Nothing_is_found_on_a_healthy_node_without_Dockers_files()
    {
        using SeededNode node = new("swarm-web");
        foreach (string file in Directory.GetFiles(node.Folder, "*.json").Append(Path.Combine(node.Folder, "node-ls.txt")))
        {
            File.Delete(file);
        }

        Assert.Empty(node.Lint());
        node.Change("overlay.bridge-fdb.txt", @"^02:42:0a:00:01:03 .*\n", "");
        Assert.Equal("task-without-fdb", Assert.Single(node.Lint()).Check.Name);
    }

    [Fact]
    public void Nothing_is_found_on_the_second_node() => Assert.Empty(Linter.Run(Recordings.PathOf("swarm-web"), "node2.", null));

    [Theory]
    [InlineData("swarm-web", "lb-eth0.pcap.gz")]
    [InlineData("rr-two-services", "underlay.pcap.gz")]
    [InlineData("tcp-loss-reorder", "lb-eth0.pcap.gz")]
    [InlineData("swarm-web", "uplink.pcap.gz")]
    [InlineData("swarm-scale", "uplink.pcap.gz")]
    [InlineData("arp", "underlay.pcap.gz")]
    [InlineData("many-flows", "underlay.pcap.gz")]
    public void Nothing_is_found_in_healthy_traffic(string recording, string capture)
    {
        using CaptureReader reader = CaptureReader.Open(Recordings.PathOf(recording, capture));
        Assert.Empty(Linter.Run(Recordings.PathOf(recording), "", reader));
    }

    [Fact]
    public void Nothing_is_found_on_a_network_with_direct_return_that_is_as_Docker_makes_it()
    {
        using SeededNode node = new("swarm-web");
        node.Change("network-inspect.mynet.json", "\"com.docker.network.driver.overlay.vxlanid_list\"", "\"dsr\": \"\", $0");
        node.Change("network-inspect-v.mynet.json", "\"com.docker.network.driver.overlay.vxlanid_list\"", "\"dsr\": \"\", $0");
        Assert.Equal(
            ["forwarding-method", "forwarding-method", "forwarding-method"], node.Lint().Select(finding => finding.Check.Name));

        node.Change("lb.ipvsadm-save.txt", ":0 -m ", ":0 -g ");
        node.Change("lb.iptables-save.txt", @"^.*-j SNAT --to-source 10\.0\.1\.6\n", "");
        node.Change("lb.sysctl.txt", "vs.conntrack = 1", "vs.conntrack = 0");
        Assert.Empty(node.Lint());

        // The VIP in VXLAN is right there.
        byte[] call = PacketBuilder.Udp(
            new Endpoint(Ipv4Address.Parse("10.0.1.8"), 4000), new Endpoint(Ipv4Address.Parse("10.0.1.2"), 53)).Build();
        Assert.Empty(node.LintWith(1, Tunnel(4097, call)));
    }

    /// <summary>What went wrong while these were recorded is found in them.</summary>
    [Theory]
    [InlineData("no-backend", "lb-eth0.pcap.gz", "service-without-servers", "mark 0x111 without a server")]
    [InlineData("idle-timeout", "lb-eth0.pcap.gz", "idle-connection", "was silent for 910 s before frame 29; IPVS forgets after 900 s")]
    [InlineData("odd-frames", "underlay.pcap.gz", "inner-checksums", "3 of 40 packets in VXLAN from 172.19.188.123 to 172.19.177.14")]
    [InlineData("swarm-scale", "lb-eth0.pcap.gz", "calls-unanswered", "called VIP 10.0.1.2:80 3 times without an answer")]
    public void What_went_wrong_in_a_recording_is_found(string recording, string capture, string check, string what)
    {
        using CaptureReader reader = CaptureReader.Open(Recordings.PathOf(recording, capture));
        LintFinding finding = Assert.Single(Linter.Run(Recordings.PathOf(recording), "", reader));
        Assert.Equal(check, finding.Check.Name);
        Assert.Contains(what, finding.What);
    }

    [Fact]
    public void Networks_of_other_nodes_are_found_in_their_packets()
    {
        using CaptureReader reader = CaptureReader.Open(Recordings.PathOf("odd-encapsulation", "underlay.pcap.gz"));
        IReadOnlyList<LintFinding> findings = Linter.Run(Recordings.PathOf("odd-encapsulation"), "", reader);
        Assert.Contains(findings, finding => finding.Check.Name == "unknown-vni" && finding.What.Contains("VNI 4098 (frame 8)"));
    }

    [Fact]
    public void A_container_that_answers_for_the_VIP_is_found()
    {
        using SeededNode node = new("swarm-web");
        IReadOnlyList<LintFinding> findings = node.LintWith(1, Answer("10.0.1.2", s_client), Answer("10.0.1.2", s_balancer));
        Assert.Equal(["arp-for-vip", "arp-claimed-twice"], findings.Select(finding => finding.Check.Name));
        Assert.Equal("02:42:0a:00:01:08 claims VIP 10.0.1.2 of network mynet (frame 1)", findings[0].What);
        Assert.Empty(node.LintWith(1, Answer("10.0.1.2", s_balancer), Answer("10.0.1.8", s_client)));
    }

    [Fact]
    public void A_VIP_within_the_tunnel_is_found()
    {
        using SeededNode node = new("swarm-web");
        byte[] call = PacketBuilder.Udp(
            new Endpoint(Ipv4Address.Parse("10.0.1.8"), 4000), new Endpoint(Ipv4Address.Parse("10.0.1.2"), 53)).Build();
        LintFinding finding = Assert.Single(node.LintWith(1, Tunnel(4097, call)));
        Assert.Equal("vip-on-underlay", finding.Check.Name);
        Assert.Equal("unknown-vni", Assert.Single(node.LintWith(1, Tunnel(4711, call))).Check.Name);
    }

    [Fact]
    public void Fragments_between_nodes_are_found()
    {
        using SeededNode node = new("swarm-web");
        Envelope cut = TunnelOf(4097) with { MoreFragments = true };
        LintFinding finding = Assert.Single(node.LintWith(1, cut.Wrap(new byte[1400])));
        Assert.Equal(
            ("outer-fragments", "1 fragments of UDP from 172.19.188.123 to 172.19.177.14 (first: frame 1)"),
                (finding.Check.Name, finding.What));
    }

    [Fact]
    public void Silence_longer_than_the_timeout_is_found_and_not_that_of_a_closed_connection()
    {
        using SeededNode node = new("swarm-web");
        Endpoint client = new(Ipv4Address.Parse("10.0.1.8"), 4000);
        Endpoint vip = new(Ipv4Address.Parse("10.0.1.2"), 80);
        byte[] data = PacketBuilder.Tcp(client, vip, TcpFlags.Ack).Build();
        byte[] reply = PacketBuilder.Tcp(vip, client, TcpFlags.Ack).Build();
        byte[] end = PacketBuilder.Tcp(client, vip, TcpFlags.Ack | TcpFlags.Fin).Build();
        Assert.Empty(node.LintWith(900, data, reply, data));
        Assert.DoesNotContain(node.LintWith(901, data, end, data, reply, end), item => item.Check.Name == "idle-connection");
        LintFinding finding = Assert.Single(node.LintWith(901, data, reply, data));
        Assert.Equal("idle-connection", finding.Check.Name);
        Assert.Contains("10.0.1.8:4000 to VIP 10.0.1.2:80 was silent for 901 s before frame 2", finding.What);
    }

    [Fact]
    public void An_answer_that_comes_too_late_after_one_side_closed_is_found()
    {
        using SeededNode node = new("swarm-web");
        Endpoint client = new(Ipv4Address.Parse("10.0.1.8"), 4000);
        Endpoint vip = new(Ipv4Address.Parse("10.0.1.2"), 80);
        byte[] data = PacketBuilder.Tcp(client, vip, TcpFlags.Ack).Build();
        byte[] end = PacketBuilder.Tcp(client, vip, TcpFlags.Ack | TcpFlags.Fin).Build();
        byte[] reply = PacketBuilder.Tcp(vip, client, TcpFlags.Ack).Build();
        byte[] replyEnd = PacketBuilder.Tcp(vip, client, TcpFlags.Ack | TcpFlags.Fin).Build();

        LintFinding finding = Assert.Single(node.LintWith(61, data, end, reply));
        Assert.Equal("half-closed-connection", finding.Check.Name);
        Assert.Contains(
            "10.0.1.8:4000 to VIP 10.0.1.2:80 was silent for 61 s before frame 3, after the client had closed its side; IPVS forgets after 60 s",
            finding.What);
        finding = Assert.Single(node.LintWith(121, data, replyEnd, data));
        Assert.Contains("after the server had closed its side; IPVS forgets after 120 s", finding.What);

        Assert.Empty(node.LintWith(60, data, end, reply));
        Assert.Empty(node.LintWith(61, data, replyEnd, data));

        // A new connection with the same ports is open on both sides.
        Assert.Empty(node.LintWith(200, data, end, PacketBuilder.Tcp(client, vip, TcpFlags.Syn).Build(), reply));
    }

    [Fact]
    public void A_node_that_is_sent_to_and_never_heard_is_found()
    {
        using SeededNode node = new("swarm-web");
        byte[] inner = PacketBuilder.Tcp("10.0.1.6:4000", "10.0.1.3:80", TcpFlags.Syn).Build();
        byte[] sent = (TunnelOf(4097) with { Source = "172.19.177.14:50000", Destination = "172.19.188.123:4789" }).Wrap(inner);
        LintFinding finding = Assert.Single(node.LintWith(1, sent, sent, sent, sent));
        Assert.Equal(
            ("tunnel-one-way", "4 packets of VXLAN from 172.19.177.14 to 172.19.188.123, and none back (first: frame 1)"),
            (finding.Check.Name, finding.What));
        Assert.Empty(node.LintWith(1, sent, sent, sent, sent, Tunnel(4097, inner)));

        // At the swarm's own port too.
        node.Change("overlay.ip-addr.txt", "dstport 4789", "dstport 4790");
        byte[] moved = (TunnelOf(4097) with { Source = "172.19.177.14:50000", Destination = "172.19.188.123:4790" }).Wrap(inner);
        Assert.Contains(node.LintWith(1, moved, moved, moved, moved), item => item.Check.Name == "tunnel-one-way");
    }

    [Theory]
    [InlineData(ChecksumKind.Wrong)]
    [InlineData(ChecksumKind.Partial)]
    public void A_node_whose_card_spoils_checksums_within_the_tunnel_is_found(ChecksumKind kind)
    {
        using SeededNode node = new("swarm-web");
        PacketBuilder right = PacketBuilder.Tcp("10.0.1.3:80", "10.0.1.6:4000", TcpFlags.Ack) with { Payload = "hello"u8.ToArray() };
        byte[] wrong = (right with { Checksum = kind }).Build();
        LintFinding finding = Assert.Single(node.LintWith(1, Tunnel(4097, right.Build()), Tunnel(4097, wrong)));
        Assert.Equal(
            (
                "inner-checksums",
                "1 of 2 packets in VXLAN from 172.19.188.123 to 172.19.177.14 have a wrong TCP or UDP checksum within (first: frame 2)"),
            (finding.Check.Name, finding.What));

        // This node's own card has yet to finish what it sends.
        byte[] own = (TunnelOf(4097) with { Source = "172.19.177.14:50000", Destination = "172.19.188.123:4789" }).Wrap(wrong);
        Assert.Empty(node.LintWith(1, own, Tunnel(4097, right.Build())));
        PacketBuilder none = PacketBuilder.Udp("10.0.1.3:53", "10.0.1.6:4000") with { Checksum = ChecksumKind.Zero };
        Assert.Empty(node.LintWith(1, Tunnel(4097, none.Build())));
    }

    [Fact]
    public void Calls_without_an_answer_are_found()
    {
        using SeededNode node = new("swarm-web");
        Endpoint client = new(Ipv4Address.Parse("10.0.1.8"), 4000);
        Endpoint vip = new(Ipv4Address.Parse("10.0.1.2"), 80);
        byte[] call = PacketBuilder.Tcp(client, vip, TcpFlags.Syn).Build();
        byte[] answer = PacketBuilder.Tcp(vip, client, TcpFlags.Syn | TcpFlags.Ack).Build();
        Assert.Equal("calls-unanswered", Assert.Single(node.LintWith(1, call, call, call)).Check.Name);
        Assert.Empty(node.LintWith(1, call, call, call, answer));
    }

    [Fact]
    public void Each_check_says_what_it_means_and_what_to_do()
    {
        Assert.Equal(Linter.Checks.Count, Linter.Checks.Select(check => check.Name).Distinct().Count());
        Assert.All(Linter.Checks, check => Assert.Matches("^[a-z0-9-]+$", check.Name));
        Assert.All(Linter.Checks, check => Assert.True(check.Meaning.Length > 20 && check.Remedy.Length > 20, check.Name));
    }

    private static byte[] Answer(string address, MacAddress mac) => PacketBuilder.Arp(s_client, new ArpFields(
        ArpOperation.Reply, mac, Ipv4Address.Parse(address), s_client, Ipv4Address.Parse("10.0.1.8")));

    private static Envelope TunnelOf(uint vni) => new()
    {
        Source = new Endpoint(Ipv4Address.Parse("172.19.188.123"), 40000),
        Destination = new Endpoint(Ipv4Address.Parse("172.19.177.14"), 4789),
        Vxlan = Envelope.HeaderOf(vni),
    };

    private static byte[] Tunnel(uint vni, byte[] inner) => TunnelOf(vni).Wrap(inner);
}
