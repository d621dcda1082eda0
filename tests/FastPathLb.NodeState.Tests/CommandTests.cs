using FastPathLb.Wire;

namespace FastPathLb.NodeState.Tests;

public sealed class CommandTests
{
    /// <summary>One event of each form, for the fuzzer too.</summary>
    internal const string AllForms =
        """
        # a comment
        1.5 ipvsadm -A -t 10.0.0.1:80 -s rr -p
        2 ipvsadm -E -f 273 -s mh -b mh-port -p 30 -M 255.255.0.0
        3 ipvsadm -D -u 10.0.0.1:53
        4 ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.9 -m -w 3 -x 10 -y 5
        5 /sbin/ipvsadm --edit-server --fwmark-service 273 --real-server 10.0.1.3:0 --masquerading --weight 0
        6 ipvsadm -d -f 273 -r 10.0.1.3:0
        7 ipvsadm -C
        8 ipvsadm --set 900 120 300
        9 ipvsadm -Z
        10 iptables -w 5 -t mangle -I INPUT 2 -d 10.0.1.2/32 -j MARK --set-mark 0x104
        11 iptables -t mangle -D INPUT 1
        12 iptables --table nat --flush POSTROUTING
        13 iptables -P FORWARD DROP
        14 iptables -t nat -R POSTROUTING 1 -d 10.0.1.0/24 -m ipvs --ipvs -j SNAT --to-source 10.0.1.5
        15 iptables -N MINE
        16 iptables -X
        17 iptables -t mangle -Z
        18 sysctl -w net.ipv4.vs.conn_reuse_mode=1
        19 sysctl net.ipv4.ip_forward = 0
        20 ip addr add 10.0.1.2/32 dev eth0
        21 ip a del 10.0.1.2/32 brd + dev eth0
        22 ip neigh replace 10.0.1.3 lladdr 02:42:0a:00:01:03 dev eth0 nud reachable
        23 ip neighbor del 10.0.1.3 dev eth0
        24 ip route add default via 10.0.1.1 dev eth0
        25 ip route del 10.0.1.0/24
        26 ip link set dev eth0 mtu 1400 down
        27 bridge fdb append 02:42:0a:00:01:03 dev vxlan0 dst 172.19.188.123 self permanent
        28 bridge fdb del 02:42:0a:00:01:03 dev veth1 master
        29 ip netns exec lb ipvsadm -C
        30.000000001 nsenter --net=/var/run/docker/netns/lb_wzuo2c933 iptables -t mangle -F # all
        """;

    private static readonly IReadOnlyList<NodeEvent> s_events = EventFileReader.Parse(AllForms, "events.txt");

    private static NodeCommand At(int second) => s_events.Single(item => item.TimestampNanoseconds / 1_000_000_000 == second).Command;

    [Fact]
    public void Every_form_is_read_with_its_line() => Assert.Equal(Enumerable.Range(2, 30), s_events.Select(item => item.Line));

    [Fact]
    public void Commands_of_ipvsadm_are_read()
    {
        IpvsServiceState added = Assert.IsType<IpvsAddService>(At(1)).Service;
        Assert.True(added is { Protocol: IpProtocol.Tcp, Port: 80, PersistenceSeconds: 360, Scheduler: "rr" });
        IpvsServiceState edited = Assert.IsType<IpvsEditService>(At(2)).Service;
        Assert.True(edited is { Fwmark: 273, Scheduler: "mh", PersistenceSeconds: 30 });
        Assert.Equal(["mh-port"], edited.SchedulerFlags);
        Assert.Equal(new IpvsKey(0, IpProtocol.Udp, Ipv4Address.Parse("10.0.0.1"), 53), Assert.IsType<IpvsDeleteService>(At(3)).Service);
        Assert.Equal(
            new IpvsServerState(Ipv4Address.Parse("10.0.0.9"), 80, IpvsForwarding.Masq, 3, 10, 5),
            Assert.IsType<IpvsAddServer>(At(4)).Server);
        Assert.Equal(0, Assert.IsType<IpvsEditServer>(At(5)).Server.Weight);
        Assert.Equal(273u, Assert.IsType<IpvsDeleteServer>(At(6)).Service.Fwmark);
        Assert.IsType<IpvsFlush>(At(7));
        Assert.Equal(new IpvsTimeouts(900, 120, 300), Assert.IsType<IpvsSetTimeouts>(At(8)).Timeouts);
        Assert.Null(Assert.IsType<IpvsZero>(At(9)).Service);
    }

    [Fact]
    public void What_ipvsadm_is_not_told_it_takes_as_ipvsadm_does()
    {
        Assert.Equal("wlc", Assert.IsType<IpvsAddService>(NodeCommandReader.Parse("ipvsadm -A -f 1")).Service.Scheduler);
        IpvsServerState server = Assert.IsType<IpvsAddServer>(NodeCommandReader.Parse("ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.9:8080")).Server;
        Assert.Equal(new IpvsServerState(Ipv4Address.Parse("10.0.0.9"), 80, IpvsForwarding.Route), server);
    }

    [Fact]
    public void Commands_of_iptables_are_read()
    {
        IptablesInsert insert = Assert.IsType<IptablesInsert>(At(10));
        Assert.Equal(("mangle", "INPUT", 2, 0x104u), (insert.Table, insert.Chain, insert.Position, insert.Rule.MarkAction!.Value));
        Assert.Equal(new IptablesDelete("mangle", "INPUT", null, 1), At(11));
        Assert.Equal(new IptablesFlush("nat", "POSTROUTING"), At(12));
        Assert.Equal(new IptablesSetPolicy("filter", "FORWARD", "DROP"), At(13));
        Assert.Equal(1, Assert.IsType<IptablesReplace>(At(14)).Position);
        Assert.Equal(new IptablesNewChain("filter", "MINE"), At(15));
        Assert.Equal(new IptablesDeleteChain("filter", null), At(16));
        Assert.Equal(new IptablesZero("mangle", null), At(17));
    }

    [Fact]
    public void Commands_of_sysctl_ip_and_bridge_are_read()
    {
        Ipv4Address server = Ipv4Address.Parse("10.0.1.3");
        MacAddress mac = MacAddress.FromDocker(server);
        InterfaceAddress vip = new(Ipv4Address.Parse("10.0.1.2"), 32, "global");
        Assert.Equal(new SysctlWrite("net.ipv4.vs.conn_reuse_mode", "1"), At(18));
        Assert.Equal(new SysctlWrite("net.ipv4.ip_forward", "0"), At(19));
        Assert.Equal(new AddressAdd("eth0", vip), At(20));
        Assert.Equal(new AddressDelete("eth0", vip), At(21));
        Assert.Equal(new NeighborReplace(new NeighborState(server, "eth0", mac, "REACHABLE")), At(22));
        Assert.Equal(new NeighborDelete("eth0", server), At(23));
        Assert.Equal("10.0.1.1", Assert.IsType<RouteReplace>(At(24)).Route.Via.ToString());
        Assert.Equal("10.0.1.0/24", Assert.IsType<RouteDelete>(At(25)).Route.Destination.ToString());
        Assert.Equal(new LinkSet("eth0", false, 1400, null), At(26));
        Assert.Equal(
            new FdbReplace(new FdbEntryState(mac, "vxlan0", Ipv4Address.Parse("172.19.188.123"), null, true, true, null)),
            At(27));
        Assert.Equal("", Assert.IsType<FdbDelete>(At(28)).Entry.Master);
    }

    [Fact]
    public void A_namespace_may_be_named()
    {
        Assert.Null(s_events[0].Namespace);
        Assert.Equal("lb", s_events[^2].Namespace);
        Assert.Equal("lb_wzuo2c933", s_events[^1].Namespace);
        Assert.Equal(new IptablesFlush("mangle", null), s_events[^1].Command);
    }

    [Theory]
    [InlineData("1795336222.310871", 1795336222310871000)]
    [InlineData("1795336222", 1795336222000000000)]
    [InlineData("1795336222.123456789", 1795336222123456789)]
    [InlineData("0.0000000019", 1)]
    public void Times_are_exact_to_the_nanosecond(string text, long nanoseconds) =>
        Assert.Equal(nanoseconds, EventFileReader.Parse($"{text} ipvsadm -C", "e")[0].TimestampNanoseconds);

    [Theory]
    [InlineData("")]
    [InlineData("1.")]
    [InlineData(".5")]
    [InlineData("-1")]
    [InlineData("1e9")]
    [InlineData("99999999999999999999")]
    [InlineData("9223372037")]
    public void What_is_no_time_is_refused(string text) =>
        Assert.Throws<NodeStateException>(() => CheckpointFileReader.Parse($"tag {text}", "c"));

    [Fact]
    public void Events_come_in_order_of_time_and_those_of_one_time_in_order_of_lines()
    {
        IReadOnlyList<NodeEvent> events = EventFileReader.Parse("2 ipvsadm -C\n1 ipvsadm -Z\n2 ipvsadm -Z\n1 ipvsadm -C\n", "e");

        Assert.Equal([2, 4, 1, 3], events.Select(item => item.Line));
    }

    [Theory]
    [InlineData("ipvsadm", "command:1: expected a command of ipvsadm: -A, -E, -D, -C, -a, -e, -d, -Z or --set")]
    [InlineData("ipvsadm -A -D -f 1", "command:1: expected one command of ipvsadm only, found '-D'")]
    [InlineData("ipvsadm -a -f 1", "command:1: expected a server (-r) after 'ipvsadm -a'")]
    [InlineData("ipvsadm -Ln", "command:1: this ipvsadm command changes nothing that is emulated (IPv6, or a listing)")]
    [InlineData("iptables -t mangle", "command:1: expected a command of iptables: -A, -I, -R, -D, -F, -Z, -P, -N or -X")]
    [InlineData("iptables -t mangel -F", "command:1: expected table filter, nat, mangle or raw, found 'mangel'")]
    [InlineData("iptables -A -j DROP", "command:1: expected a chain after 'iptables -A'")]
    [InlineData("iptables -P FORWARD REJECT", "command:1: expected policy ACCEPT or DROP, found 'REJECT'")]
    [InlineData("iptables -F INPUT -j DROP", "command:1: expected nothing more, found '-j'")]
    [InlineData("ip6tables -F", "command:1: expected a command: ipvsadm, iptables, sysctl, ip or bridge, found 'ip6tables'")]
    [InlineData("ip addr add 10.0.1.2/32", "command:1: expected 'dev NAME', found the end of the line")]
    [InlineData("ip tunnel add x", "command:1: expected 'ip addr', 'ip neigh', 'ip route' or 'ip link', found 'ip tunnel'")]
    [InlineData("sysctl -w a=1 b=2", "command:1: expected one setting a line, found 'b=2'")]
    [InlineData("bridge vlan add", "command:1: expected 'bridge fdb', found 'vlan'")]
    public void A_wrong_command_is_told_what_was_expected(string text, string message) =>
        Assert.Equal(message, Assert.Throws<NodeStateException>(() => NodeCommandReader.Parse(text)).Message);
}
