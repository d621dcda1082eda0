using FastPathLb.Wire;

namespace FastPathLb.NodeState.Tests;

public sealed class ConfigTests
{
    /// <summary>A configuration as a user writes it by hand.</summary>
    internal const string Short =
        """
        node:
          address: 172.19.177.14/20
          mac: 02:fc:00:00:00:01
        overlay:
          vni: 4097
        lb:
          address: 10.0.1.5/24
        services:
          - name: web
            vip: 10.0.1.2
            servers: [10.0.1.3, 10.0.1.4]
          - name: client
            vip: 10.0.1.7
            mark: 0x112
            scheduler: wrr
            servers:
              - { address: 10.0.1.8, weight: 3 }
        vteps:
          - address: 172.19.188.123
            mac: 02:fc:00:00:00:02
            endpoints: [10.0.1.3, 10.0.1.4, 10.0.1.8]
        """;

    /// <summary>Each key once, for the fuzzer too.</summary>
    internal const string AllKeys =
        """
        node: { address: 172.19.177.14/20, device: ens3, mac: 02:fc:00:00:00:01, mtu: 9000, gateway: 172.19.176.1 }
        overlay:
          vni: 0x1001
          port: 7789
          local: 172.19.177.14
          gateway: 10.0.1.254/24
          mac: 02:00:00:00:00:0a
          vxlan-mac: 02:00:00:00:00:0b
          proxy: false
          learning: no
          l2miss: off
          l3miss: false
          udp-checksum: false
          ageing: 0
          source-ports: [32768, 61000]
        lb:
          address: 10.0.1.5/24
          device: eth1
          mac: 02:00:00:00:00:05
          mtu: 8950
          gateway: 10.0.1.254
          neighbors: [10.0.1.3, { address: 10.0.1.4, mac: 02:00:00:00:00:04, state: PERMANENT }, { address: 10.0.1.9, state: FAILED }]
        services:
          - { name: web, vip: 10.0.1.2, mark: 257, scheduler: mh, flags: [mh-port, mh-fallback], persistence: 60, netmask: 255.255.255.0 }
          - vip: 10.0.1.20
            protocol: udp
            port: 53
            one-packet: true
            servers:
              - 10.0.1.3:5353
              - { address: 10.0.1.4, port: 53, weight: 0, forwarding: route, upper: 10, lower: 5 }
        vteps:
          - { address: 172.19.188.123, mac: 02:fc:00:00:00:02, endpoints: [10.0.1.3, { address: 10.0.1.4, mac: 02:00:00:00:00:04 }] }
        sysctls: { vs.conntrack: 0, nf_conntrack_udp_timeout: 31, net.ipv4.ip_forward: 0 }
        timeouts: { tcp: 901, tcpfin: 121, udp: 301 }
        rules:
          mangle: ["-A INPUT -d 10.0.1.2/32 -p tcp -m tcp --dport 22 -j MARK --set-xmark 0x0/0xffffffff"]
          filter: [":INPUT DROP [1:2]", "[3:4] -A INPUT -s 10.0.1.0/24 -j ACCEPT"]
        namespaces:
          ingress:
            interfaces:
              - { name: eth0, index: 6, peer: 7, up: true, mac: 02:42:0a:00:00:02, mtu: 1450, kind: veth, addresses: [10.0.0.2/24, 10.0.0.4/32 link] }
              - { name: vxlan9, master: br0, vxlan: { vni: 5, port: 4789 } }
            neighbors: [10.0.0.5 dev eth0 lladdr 02:42:0a:00:00:05 STALE]
            routes: [default via 10.0.0.1 dev eth0]
            fdb: ["02:42:0a:00:00:05 dev vxlan9 dst 172.19.188.123 self permanent"]
            iptables: { nat: [":MINE - [0:0]", "-A POSTROUTING -j MINE"] }
            ipvs: [-A -f 256 -s rr, "-a -f 256 -r 10.0.0.5:0 -m -w 1"]
            ipvs-order-known: false
            timeouts: { udp: 7 }
            sysctls: { net.ipv4.vs.conntrack: 1 }
        """;

    [Fact]
    public void Twenty_lines_say_what_a_dump_says()
    {
        NodeState node = LbConfigReader.Parse(Short, "lb.yaml");

        NamespaceState balancer = node["lb"];
        Assert.Equal([0x100u, 0x112u], balancer.IpvsServices.Select(service => service.Fwmark));
        Assert.Equal(["rr", "wrr"], balancer.IpvsServices.Select(service => service.Scheduler));
        Assert.Equal(3, balancer.IpvsServices[1].Servers[0].Weight);
        Assert.Equal(
            ["-d 10.0.1.2/32 -j MARK --set-xmark 0x100/0xffffffff", "-d 10.0.1.7/32 -j MARK --set-xmark 0x112/0xffffffff"],
            balancer.Iptables.Mangle.FindChain("INPUT")!.Rules.Select(rule => rule.Text));
        Assert.Equal("-d 10.0.1.0/24 -m ipvs --ipvs -j SNAT --to-source 10.0.1.5", balancer.Iptables.Nat.FindChain("POSTROUTING")!.Rules[0]
            .Text);
        InterfaceState port = balancer.FindInterface("eth0")!;
        Assert.Equal(MacAddress.Parse("02:42:0a:00:01:05"), port.Mac);
        Assert.Equal(
            ["10.0.1.5/24", "10.0.1.2/32", "10.0.1.7/32"],
            port.Addresses.Select(address => $"{address.Address}/{address.PrefixLength}"));
        Assert.Equal(1, balancer.GetSysctl("net.ipv4.vs.conntrack"));
        Assert.Equal("overlay", node.FindPeer("lb", port)!.Value.Namespace);
        NamespaceState overlay = node["overlay"];
        Assert.Equal(4097u, overlay.FindInterface("vxlan0")!.Vxlan!.Vni.Value);
        Assert.Equal("10.0.1.1", overlay.FindInterface("br0")!.Addresses[0].Address.ToString());
        Assert.Equal(3, overlay.Fdb.Count);
        Assert.All(overlay.Neighbors, neighbor => Assert.Equal("PERMANENT", neighbor.State));
        Assert.Equal("02:fc:00:00:00:02", node["host"].Neighbors[0].Mac.ToString());
        Assert.Equal("172.19.176.0/20", node["host"].Routes[0].Destination.ToString());
    }

    [Fact]
    public void Every_key_has_its_effect()
    {
        NodeState node = LbConfigReader.Parse(AllKeys, "lb.yaml");

        InterfaceState card = node["host"].FindInterface("ens3")!;
        Assert.Equal(9000, card.Mtu);
        Assert.Equal("172.19.176.1", node["host"].Routes[0].Via.ToString());
        VxlanState tunnel = node["overlay"].FindInterface("vxlan0")!.Vxlan!;
        Assert.True(tunnel is { DestinationPort: 7789, Proxy: false, Learning: false, L2Miss: false, L3Miss: false, UdpChecksum: false, AgeingSeconds: 0, SourcePortLow: 32768, SourcePortHigh: 61000 });
        Assert.Equal("10.0.1.254", node["overlay"].FindInterface("br0")!.Addresses[0].Address.ToString());
        NamespaceState balancer = node["lb"];
        Assert.Equal(["STALE", "PERMANENT", "FAILED"], balancer.Neighbors.Select(neighbor => neighbor.State));
        Assert.Null(balancer.Neighbors[2].Mac);
        IpvsServiceState web = balancer.IpvsServices[0];
        Assert.True(web is { Fwmark: 257, Scheduler: "mh", PersistenceSeconds: 60 });
        Assert.Equal(["mh-port", "mh-fallback"], web.SchedulerFlags);
        IpvsServiceState dns = balancer.IpvsServices[1];
        Assert.True(dns is { Fwmark: 0, Protocol: IpProtocol.Udp, Port: 53, OnePacket: true });
        Assert.Equal(new IpvsServerState(Ipv4Address.Parse("10.0.1.3"), 5353), dns.Servers[0]);
        Assert.Equal(new IpvsServerState(Ipv4Address.Parse("10.0.1.4"), 53, IpvsForwarding.Route, 0, 10, 5), dns.Servers[1]);
        Assert.Equal(
            (0, 31, 0),
            (balancer.GetSysctl("net.ipv4.vs.conntrack"), balancer.GetSysctl("net.netfilter.nf_conntrack_udp_timeout"), balancer.GetSysctl("net.ipv4.ip_forward")));
        Assert.Equal(new IpvsTimeouts(901, 121, 301), balancer.IpvsTimeouts);
        Assert.Equal(2, balancer.Iptables.Mangle.FindChain("INPUT")!.Rules.Count);
        Assert.Equal("DROP", balancer.Iptables.Filter.FindChain("INPUT")!.Policy);
        Assert.Equal(3, balancer.Iptables.Filter.FindChain("INPUT")!.Rules[0].Packets);
        NamespaceState ingress = node["ingress"];
        Assert.Equal(["lo", "eth0", "vxlan9"], ingress.Interfaces.Select(device => device.Name));
        Assert.Equal("link", ingress.Interfaces[1].Addresses[1].Scope);
        Assert.False(ingress.IpvsOrderKnown);
        Assert.Equal(RuleTarget.Chain, ingress.Iptables.Nat.FindChain("POSTROUTING")!.Rules[0].TargetKind);
        Assert.Equal(7, ingress.IpvsTimeouts!.UdpSeconds);
        Assert.Single(ingress.Fdb);
        Assert.Empty(NodeStateDifferences.Between(node, LbConfigReader.Parse(LbConfigWriter.Write(node), "again.yaml")));
    }

    [Theory]
    [InlineData("lb:\n  adress: 10.0.1.5/24\n", "c.yaml:2:3: lb has no key 'adress'; did you mean 'address'?")]
    [InlineData(
        "lb:\n  address: 10.0.1.5\n",
        "c.yaml:2:12: expected an address with the length of its subnet's prefix, such as 10.0.1.5/24, found '10.0.1.5'")]
    [InlineData("lb:\n  address: 10.0.1.5/24\n  mtu: 20\n", "c.yaml:3:8: expected an MTU from 68 to 65535, found '20'")]
    [InlineData(
        "lb: { address: 10.0.1.5/24 }\nservice: []\n",
        "c.yaml:2:1: the configuration has no key 'service'; did you mean 'services'?")]
    [InlineData("node: { address: 10.0.0.1/24 }\n", "c.yaml:1:1: the configuration must have 'lb' with the load balancer's address")]
    [InlineData("lb: { mtu: 1450 }\n", "c.yaml:1:5: lb must have 'address'")]
    [InlineData(
        "lb: { address: 10.0.1.5/24 }\nservices:\n  - vip: 10.0.1.2\n    scheduler: wrrr\n",
        "c.yaml:4:16: there is no scheduler 'wrrr'; did you mean 'wrr'? (there is rr, wrr, lc")]
    [InlineData(
        "lb: { address: 10.0.1.5/24 }\nservices:\n  - vip: 10.0.1.5\n",
        "c.yaml:3:5: VIP 10.0.1.5 is the load balancer's own address")]
    [InlineData("lb: { address: 10.0.1.5/24 }\nservices:\n  - servers: [10.0.1.3]\n", "c.yaml:3:5: a service must have 'vip' or 'mark'")]
    [InlineData(
        "lb: { address: 10.0.1.5/24 }\nservices:\n  - { mark: 1 }\n  - { mark: 1 }\n",
        "c.yaml:4:5: service FWM 1 stands here twice")]
    [InlineData(
        "lb: { address: 10.0.1.5/24 }\nservices:\n  - { vip: 10.0.1.2, mark: 1, port: 80 }\n",
        "c.yaml:3:37: a service with a mark takes all ports: 'port' belongs to one without")]
    [InlineData(
        "lb: { address: 10.0.1.5/24 }\nservices:\n  - { mark: 1, servers: [10.0.1.3, 10.0.1.3] }\n",
        "c.yaml:3:36: server 10.0.1.3:0 stands here twice")]
    [InlineData(
        "lb: { address: 10.0.1.5/24 }\nservices:\n  - { mark: 1, servers: [{ address: 10.0.1.3, weight: -1 }] }\n",
        "c.yaml:3:55: expected a weight from 0 to 65535, found '-1'")]
    [InlineData(
        "lb: { address: 10.0.1.5/24 }\nvteps:\n  - { address: 1.2.3.4 }\n",
        "c.yaml:3:3: 'vteps' is about the tunnel: add 'overlay' with its VNI")]
    [InlineData(
        "lb: { address: 10.0.1.5/24 }\noverlay: { vni: 16777216 }\n",
        "c.yaml:2:17: expected a VNI from 0 to 16777215, found '16777216'")]
    [InlineData(
        "lb: { address: 10.0.1.5/24 }\nrules:\n  mangle:\n    - -A INPUT -j MARK\n",
        "c.yaml:4:7: expected --set-xmark, --set-mark, --or-mark, --and-mark or --xor-mark with a value after '-j MARK'")]
    [InlineData("lb: { address: 10.0.1.5/24 }\nrules:\n  mangel: []\n", "c.yaml:3:3: there is no table 'mangel'; did you mean 'mangle'?")]
    [InlineData("lb: { address: 10.0.1.5/24 }\nlb: { address: 10.0.1.5/24 }\n", "c.yaml:2:1: key 'lb' stands here twice")]
    [InlineData("lb: { address: 10.0.1.5/24\n", "c.yaml:2:1: this is no YAML:")]
    [InlineData("- 1\n", "c.yaml:1:1: expected the keys of the configuration (node, overlay, lb, ")]
    [InlineData("", "c.yaml: there is nothing in this configuration")]
    [InlineData("lb: *nowhere\n", "c.yaml:1:5: nothing above is named &nowhere")]
    [InlineData("lb: [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\n", "c.yaml:1:21: this is nested more than 16 deep")]
    [InlineData("namespaces:\n  lb:\n    routes: [default via here]\n", "c.yaml:3:14: expected an IPv4 address, found 'here'")]
    [InlineData("namespaces:\n  lb:\n    interfaces: [{ name: a }, { name: a }]\n", "c.yaml:3:31: device 'a' stands here twice")]
    public void What_is_wrong_is_told_with_line_and_column(string yaml, string message)
    {
        NodeStateException exception = Assert.Throws<NodeStateException>(() => LbConfigReader.Parse(yaml, "c.yaml"));

        Assert.StartsWith(message, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Anchors_may_be_used()
    {
        NodeState node = LbConfigReader.Parse(
            "lb: { address: 10.0.1.5/24 }\nservices:\n  - { vip: 10.0.1.2, servers: &all [10.0.1.3, 10.0.1.4] }\n  - { vip: 10.0.1.7, servers: *all }\n",
            "c.yaml");

        Assert.Equal(2, node["lb"].IpvsServices[1].Servers.Count);
        Assert.Equal([0x100u, 0x101u], node["lb"].IpvsServices.Select(service => service.Fwmark));
    }

    [Fact]
    public void A_namespace_that_is_not_there_is_named()
    {
        NodeState node = LbConfigReader.Parse("lb: { address: 10.0.1.5/24 }", "c.yaml");

        Assert.Equal(
            "c.yaml: there is no namespace 'overlay' (no overlay.* dump, and nothing to infer it from); there is lb",
            Assert.Throws<NodeStateException>(() => node["overlay"]).Message);
    }
}
