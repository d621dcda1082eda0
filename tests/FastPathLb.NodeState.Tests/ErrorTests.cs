namespace FastPathLb.NodeState.Tests;

/// <summary>Every message is one line: file, line, what was expected, what was there.</summary>
public sealed class ErrorTests
{
    private const string Head =
        "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n";

    public static TheoryData<string, string, string> Cases => new()
    {
        { "addr", "nonsense\n", "f:1: expected an interface such as '2: eth0@if4: <BROADCAST,UP> mtu 1450', found 'nonsense'" },
        { "addr", "    link/ether 02:42:0a:00:01:05\n", "f:1: expected an interface such as '2: eth0@if4: <BROADCAST,UP> mtu 1450', found 'link/ether 02:42:0a:00:01:05'" },
        { "addr", "2: eth0: <UP> qdisc x\n", "f:1: expected 'mtu N', found '2: eth0: <UP> qdisc x'" },
        { "addr", "2: eth0: <UP> mtu 1450\n", "f:1: interface eth0 has no 'link/…' line: the dump is cut" },
        { "addr", "2: eth0: <UP> mtu 1450\n    link/ether 02:42:0a\n", "f:2: expected a MAC address, found '02:42:0a'" },
        { "addr", "2: eth0: <UP> mtu 1450\n    link/ether 02:42:0a:00:01:05 x\n    inet 10.0.1.555/24\n", "f:3: expected an IPv4 address or prefix, found '10.0.1.555/24'" },
        { "addr", "2: v: <UP> mtu 1450\n    link/ether 02:42:0a:00:01:05 x\n    vxlan id 99999999 dstport 1\n", "f:3: expected a VNI from 0 to 16777215, found '99999999'" },
        { "addr", "2: v: <UP> mtu 1450\n    link/ether 02:42:0a:00:01:05 x\n    vxlan dstport 1\n", "f:3: expected 'id VNI' in the line of a vxlan device" },
        { "neigh", "10.0.1.4 dev eth0 lladdr 02:42 STALE\n", "f:1: expected a MAC address, found '02:42'" },
        { "neigh", "10.0.1.4 STALE\n", "f:1: expected 'dev NAME', found the end of the line" },
        { "route", "\ndefault via here\n", "f:2: expected an IPv4 address, found 'here'" },
        { "route", "10.0.1/24 dev eth0\n", "f:1: expected a destination such as 10.0.1.0/24 or default, found '10.0.1/24'" },
        { "fdb", "02:42:0a:00:01:05 dev vxlan0 dst nowhere self\n", "f:1: expected an address after 'dst', found 'nowhere'" },
        { "iptables", "*mangle\n:INPUT ACCEPT [0:0]\n-A OTHER -j DROP\nCOMMIT\n", "f:3: a rule is added to chain 'OTHER', which table mangle does not declare" },
        { "iptables", "*mangle\n:INPUT ACCEPT [0:0]\n", "f:2: table mangle ends without COMMIT: the dump is cut" },
        { "iptables", "-A INPUT -j DROP\n", "f:1: expected a table such as '*mangle', found '-A INPUT -j DROP'" },
        { "iptables", "*nat\n:A - [0:0]\n-A A -j SNAT\nCOMMIT\n", "f:3: expected --to-source after '-j SNAT'" },
        { "iptables", "*nat\n:A - [0:0]\n-A A -p tcp --dport 80000 -j DROP\nCOMMIT\n", "f:3: expected a port number or a range such as 80:90, found '80000'" },
        { "iptables", "*nat\n:A - [0:0]\n-A A -j MARK\nCOMMIT\n", "f:3: expected --set-xmark, --set-mark, --or-mark, --and-mark or --xor-mark with a value after '-j MARK'" },
        { "iptables", "*nat\n:A - [0:0]\n-A A --comment \"open\nCOMMIT\n", "f:3: a quote (\") is not closed" },
        { "save", "-A -f 273 -s rr\n-a -f 274 -r 10.0.1.3:0 -m\n", "f:2: server 10.0.1.3:0 is added to a service that no line above adds" },
        { "save", "-A -f 273 -s rr\n-A -f 273 -s rr\n", "f:2: service FWM 273 is added twice" },
        { "save", "-A -f 0 -s rr\n", "f:1: expected a firewall mark above 0, found '0'" },
        { "save", "-A -f 1 -s rr\n-a -f 1 -r 10.0.1.3 -w 70000\n", "f:2: expected a weight from 0 to 65535, found '70000'" },
        { "save", "-A -f 1 --frobnicate\n", "f:1: expected an option of ipvsadm, found '--frobnicate'" },
        { "save", "-A -s rr\n", "f:1: expected a service (-t, -u or -f) after 'ipvsadm -A'" },
        { "list", "TCP 10.0.0.1:80 rr\n", "f:1: expected the first line of 'ipvsadm -Ln', IP Virtual Server version …, found 'TCP 10.0.0.1:80 rr'" },
        { "list", Head + "FWM  273 rr\n  -> 10.0.1.3:0  Masq  many\n", "f:5: expected a weight, found 'many'" },
        { "list", Head + "  -> 10.0.1.3:0  Masq  1\n", "f:4: expected a service before its servers, found '  -> 10.0.1.3:0  Masq  1'" },
        { "list", Head.Replace("Scheduler Flags", "Conns InPkts", StringComparison.Ordinal), "f:2: expected the columns of 'ipvsadm -Ln' without --stats, --rate, --thresholds or -c, found 'Prot LocalAddress:Port Conns InPkts'" },
        { "proc", Head + "FWM  00000111 rr persistent 15000 FFFFFFFF\n", "f:4: the time of persistence stands here in the kernel's ticks: ipvsadm-save -n is needed for this service" },
        { "proc", Head + "TCP  0A000001 rr\n", "f:4: expected an address and port in hexadecimal, such as 0A000103:0050, found '0A000001'" },
        { "sysctl", "net.ipv4.ip_forward 1\n", "f:1: expected a setting such as 'net.ipv4.vs.conntrack = 1', found 'net.ipv4.ip_forward 1'" },
        { "network", "[\n{\"Name\": \n", "f:3: this is no JSON: Expected" },
        { "network", "[{\"Name\":\"x\",\"Peers\":[{\"IP\":\"1.2.3\"}]}]", "f: expected an IPv4 address at [0].Peers[0].IP, found '\"1.2.3\"'" },
        { "network", "[{\"Id\":\"x\"}]", "f: expected a text at [0].Name, found nothing" },
        { "network", "[7]", "f: expected an object at [0], found '7'" },
        { "nodes", "something else\n", "f:1: expected the heads of 'docker node ls': ID, HOSTNAME, STATUS, AVAILABILITY, MANAGER STATUS, ENGINE VERSION, found 'something else'" },
        { "events", "17953 reboot now\n", "f:1: expected a command: ipvsadm, iptables, sysctl, ip or bridge, found 'reboot'" },
        { "events", "# comment\n\nyesterday ipvsadm -C\n", "f:3: expected a time such as 1795336049.516030, found 'yesterday'" },
        { "checkpoints", "after\n", "f:1: expected a time such as 1795336049.516030, found the end of the line" },
        { "checkpoints", "../x 12\n", "f:1: expected a tag that can be part of a file's name, found '../x'" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_wrong_line_is_named(string kind, string text, string message)
    {
        NodeStateException exception = Assert.Throws<NodeStateException>(() => Readers.ByName[kind](text, "f"));

        Assert.StartsWith(message, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }

    [Fact]
    public void A_message_shows_a_bounded_harmless_part_of_the_text()
    {
        NodeStateException exception = Assert.Throws<NodeStateException>(() => IpNeighReader.Parse(
            "\u001b[31m" + new string('x', 500),
            "f"));

        Assert.True(exception.Message.Length < 120);
        Assert.DoesNotContain('\u001b', exception.Message);
        Assert.Equal(("f", 1), (exception.FileName, exception.Line));
    }

    [Fact]
    public void A_missing_folder_or_file_is_named()
    {
        Assert.Equal("/nowhere: there is no such folder", Assert.Throws<NodeStateException>(() => NodeDumpReader.Read("/nowhere")).Message);
        Assert.StartsWith("/nowhere.yaml: ", Assert.Throws<NodeStateException>(() => LbConfigReader.Read("/nowhere.yaml"))
            .Message, StringComparison.Ordinal);
        Assert.StartsWith("/nowhere.txt: ", Assert.Throws<NodeStateException>(() => EventFileReader.Read("/nowhere.txt"))
            .Message, StringComparison.Ordinal);
    }
}
