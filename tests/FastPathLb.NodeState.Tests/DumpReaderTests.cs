using FastPathLb.Wire;

namespace FastPathLb.NodeState.Tests;

/// <summary>Forms of dumps that the recordings do not have.</summary>
public sealed class DumpReaderTests
{
    /// <summary>What the kernel lists, the server added last first.</summary>
    internal const string ProcText =
        """
        IP Virtual Server version 1.2.1 (size=4096)
        Prot LocalAddress:Port Scheduler Flags
          -> RemoteAddress:Port Forward Weight ActiveConn InActConn
        FWM  00000111 rr 
          -> 0A000104:0000      Masq    1      0          0
          -> 0A000103:0000      Masq    3      0          0
        UDP  0A000001:0035 sh ops 
          -> 0A000109:0035      Route   0      0          0
        TCP  [fe80:0000:0000:0000:0000:0000:0000:0001]:0050 rr
          -> [fe80:0000:0000:0000:0000:0000:0000:0002]:0050      Masq    1      0          0
        """;

    [Fact]
    public void The_kernels_own_list_is_read_in_order_of_creation()
    {
        IReadOnlyList<IpvsServiceState> services = IpvsProcReader.Parse(ProcText, "p.txt");

        Assert.Equal(2, services.Count);
        Assert.Equal(273u, services[0].Fwmark);
        Assert.Equal(["10.0.1.3 3", "10.0.1.4 1"], services[0].Servers.Select(server => $"{server.Address} {server.Weight}"));
        Assert.True(services[1] is { Protocol: IpProtocol.Udp, Port: 53, OnePacket: true, Scheduler: "sh" });
        Assert.Equal(new IpvsServerState(Ipv4Address.Parse("10.0.1.9"), 53, IpvsForwarding.Route, 0), services[1].Servers[0]);
    }

    [Fact]
    public void Ip_addr_without_d_tells_addresses_but_no_kinds()
    {
        const string Text =
            """
            2: eth0@if4: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UP group default
                link/ether 02:42:0a:00:01:05 brd ff:ff:ff:ff:ff:ff link-netnsid 0
                inet 10.0.1.5/24 brd 10.0.1.255 scope global eth0
                   valid_lft forever preferred_lft forever
            3: sit0@NONE: <NOARP> mtu 1480 qdisc noop state DOWN group default qlen 1000
                link/sit 0.0.0.0 brd 0.0.0.0
            4: wg0: <POINTOPOINT,NOARP,UP> mtu 1420 qdisc noqueue state UNKNOWN
                link/none
                inet 10.9.0.1 peer 10.9.0.2/32 scope global wg0
            5: eth0.7@eth0: <BROADCAST,UP> mtu 1450 qdisc noqueue state UP
                link/ether 02:42:0a:00:01:05 brd ff:ff:ff:ff:ff:ff
            """;

        IReadOnlyList<InterfaceState> devices = IpAddrReader.Parse(Text.ReplaceLineEndings("\r\n"), "a.txt");

        Assert.Equal(["eth0", "sit0", "wg0", "eth0.7"], devices.Select(device => device.Name));
        Assert.Equal([4, null, null, 2], devices.Select(device => device.PeerIndex));
        Assert.Equal([true, false, true, true], devices.Select(device => device.IsUp));
        Assert.True(devices[1].Mac.IsZero);
        Assert.Equal(("10.9.0.1", 32), (devices[2].Addresses[0].Address.ToString(), devices[2].Addresses[0].PrefixLength));
    }

    [Fact]
    public void A_tunnels_words_are_read_one_by_one()
    {
        const string Text =
            """
            3: vxlan1: <BROADCAST,UP> mtu 1450 qdisc noqueue state UNKNOWN
                link/ether ae:d4:1c:a7:08:9b brd ff:ff:ff:ff:ff:ff promiscuity 0
                vxlan id 0x1002 local 10.9.9.9 dev eth0 srcport 32768 61000 dstport 7789 nolearning ttl auto ageing none noudpcsum
            """;

        VxlanState tunnel = IpAddrReader.Parse(Text, "a.txt")[0].Vxlan!;

        Assert.Equal(4098u, tunnel.Vni.Value);
        Assert.Equal(
            ("10.9.9.9", 7789, 32768, 61000, 0),
            (tunnel.Local.ToString(), tunnel.DestinationPort, tunnel.SourcePortLow, tunnel.SourcePortHigh, tunnel.AgeingSeconds));
        Assert.True(tunnel is { Learning: false, Proxy: false, L2Miss: false, L3Miss: false, UdpChecksum: false });
    }

    [Fact]
    public void Neighbours_of_all_states_are_read_and_those_of_ipv6_passed_over()
    {
        const string Text =
            """
            10.0.1.4 dev eth0 lladdr 02:42:0a:00:01:04 used 5/5/5 probes 1 REACHABLE
            10.0.1.9 dev eth0  FAILED
            fe80::1 dev eth0 lladdr 02:42:0a:00:01:01 router STALE
            10.0.1.7 dev eth0 lladdr 02:42:0a:00:01:07 extern_learn  NOARP proxy
            """;

        IReadOnlyList<NeighborState> neighbors = IpNeighReader.Parse(Text, "n.txt");

        Assert.Equal(["REACHABLE", "FAILED", "NOARP"], neighbors.Select(neighbor => neighbor.State));
        Assert.Null(neighbors[1].Mac);
        Assert.True(neighbors[2].IsPermanent);
    }

    [Fact]
    public void Routes_of_all_types_are_read()
    {
        const string Text =
            """
            default via 10.0.1.1 dev eth0 metric 100
            unicast 10.0.1.0/24 dev eth0 proto kernel scope link src 10.0.1.5
            blackhole 10.66.0.0/16
            local 10.0.1.5 dev eth0 table local proto kernel scope host src 10.0.1.5
            10.7.0.0/16 proto static
            	nexthop via 10.0.1.8 dev eth0 weight 1
            	nexthop via 10.0.1.9 dev eth0 weight 1
            """;

        IReadOnlyList<RouteState> routes = IpRouteReader.Parse(Text, "r.txt");

        Assert.Equal(["unicast", "unicast", "blackhole", "local", "unicast"], routes.Select(route => route.Type));
        Assert.Equal(100, routes[0].Metric);
        Assert.Equal("10.0.1.5/32", routes[3].Destination.ToString());
        Assert.Equal(("10.0.1.8", "eth0"), (routes[4].Via.ToString(), routes[4].Device));
        Assert.Equal("", routes[2].Device);
    }

    [Fact]
    public void Forwarding_entries_of_all_kinds_are_read()
    {
        const string Text =
            """
            02:42:0a:00:01:03 dev vxlan0 dst 172.19.188.123 port 8472 vni 4099 via eth0 self permanent
            02:42:0a:00:01:04 dev veth1 vlan 1 master br0 static
            00:00:00:00:00:00 dev vxlan0 dst fe80::1 self permanent
            02:42:0a:00:01:05 dev veth2 master br0
            """;

        IReadOnlyList<FdbEntryState> entries = BridgeFdbReader.Parse(Text, "f.txt");

        Assert.Equal(4099u, entries[0].Vni);
        Assert.Equal([true, false, true, false], entries.Select(entry => entry.IsPermanent));
        Assert.Null(entries[2].Destination);
        Assert.Equal("br0", entries[3].Master);
    }

    [Fact]
    public void Settings_are_numbers_or_texts()
    {
        IReadOnlyDictionary<string, string> sysctls = SysctlReader.Parse("net.ipv4.vs.sync_threshold = 3\t50\nnet/ipv4/ip_forward=1\nsysctl: cannot stat x\n", "s");
        NamespaceState space = new() { Name = "lb", Sysctls = sysctls };

        Assert.Equal(3, space.GetSysctl("net.ipv4.vs.sync_threshold", 9));
        Assert.Equal(1, space.GetSysctl("net.ipv4.ip_forward", 0));
        Assert.Equal(9, space.GetSysctl("net.ipv4.vs.conntrack", 9));
        Assert.Equal(120, space.GetSysctl("net.netfilter.nf_conntrack_udp_timeout_stream"));
    }

    [Fact]
    public void The_script_of_ipvsadm_is_read_with_all_its_options()
    {
        const string Text =
            """
            -A -t 10.0.0.1:80 -s wrr -p 300 -M 255.255.255.0
            -a -t 10.0.0.1:80 -r 10.0.0.9:8080 -m -w 100 -x 50 -y 20
            -a -t 10.0.0.1:80 -r 10.0.0.8:80 -g -w 1
            -A -u 10.0.0.1:53 -s sh -b sh-port,sh-fallback -o
            -a -u 10.0.0.1:53 -r 10.0.0.9:53 -i -w 0 --tun-type ipip
            -A -t [fe80::1]:80 -s rr
            -a -t [fe80::1]:80 -r [fe80::2]:80 -m -w 1
            --add-service --fwmark-service=0x111 --scheduler mh
            --add-server --fwmark-service 273 --real-server 10.0.1.3 --masquerading --weight=7 --u-threshold 5
            """;

        IReadOnlyList<IpvsServiceState> services = IpvsadmSaveReader.Parse(Text, "i.txt");

        Assert.Equal(3, services.Count);
        Assert.True(services[0] is { Protocol: IpProtocol.Tcp, Port: 80, Scheduler: "wrr", PersistenceSeconds: 300, Fwmark: 0 });
        Assert.Equal("255.255.255.0", services[0].Netmask.ToString());
        Assert.Equal(new IpvsServerState(Ipv4Address.Parse("10.0.0.9"), 8080, IpvsForwarding.Masq, 100, 50, 20), services[0].Servers[0]);
        Assert.Equal(IpvsForwarding.Route, services[0].Servers[1].Forwarding);
        Assert.True(services[1] is { Protocol: IpProtocol.Udp, OnePacket: true });
        Assert.Equal(["sh-port", "sh-fallback"], services[1].SchedulerFlags);
        Assert.Equal((IpvsForwarding.Tunnel, 0), (services[1].Servers[0].Forwarding, services[1].Servers[0].Weight));
        Assert.Equal(273u, services[2].Fwmark);
        Assert.Equal(new IpvsServerState(Ipv4Address.Parse("10.0.1.3"), 0, IpvsForwarding.Masq, 7, 5), services[2].Servers[0]);
    }

    [Fact]
    public void The_list_of_ipvsadm_is_read_with_all_its_flags()
    {
        const string Text =
            """
            IP Virtual Server version 1.2.1 (size=4096)
            Prot LocalAddress:Port Scheduler Flags
              -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
            TCP  10.0.0.1:80 wrr persistent 300 mask 255.255.255.0
              -> 10.0.0.8:80                  Route   1      0          0
              -> 10.0.0.9:8080                Tunnel  3      7          1
            UDP  10.0.0.1:53 sh (sh-fallback,sh-port) ops
              -> 127.0.0.1:53                 Local   1      0          0
            TCP  [fe80::1]:80 rr
              -> [fe80::2]:80                 Masq    1      0          0
            FWM  5 IPv6 rr
            FWM  6 rr
            """;

        IReadOnlyList<IpvsServiceState> services = IpvsadmListReader.Parse(Text, "l.txt");

        Assert.Equal(3, services.Count);
        Assert.Equal((300, "255.255.255.0"), (services[0].PersistenceSeconds, services[0].Netmask.ToString()));
        Assert.Equal([IpvsForwarding.Route, IpvsForwarding.Tunnel], services[0].Servers.Select(server => server.Forwarding));
        Assert.Equal(["sh-fallback", "sh-port"], services[1].SchedulerFlags);
        Assert.True(services[1].OnePacket);
        Assert.Equal(IpvsForwarding.Local, services[1].Servers[0].Forwarding);
        Assert.Equal(6u, services[2].Fwmark);
        Assert.Equal(new IpvsTimeouts(900, 120, 300), IpvsadmTimeoutReader.Parse("Timeout (tcp tcpfin udp): 900 120 300\n", "t.txt"));
    }

    [Fact]
    public void Heads_of_docker_node_ls_tell_the_columns()
    {
        const string Text =
            """
            ID                            HOSTNAME   STATUS    AVAILABILITY   MANAGER STATUS   ENGINE VERSION
            o69sn56wqeuq4iqnsqsfo20js     n1         Down      Drain                           19.03.1
            ewn7jt487nxuxe9sagn4gnp4o *   n2         Ready     Active         Reachable        24.0.7
            """;

        IReadOnlyList<DockerNode> nodes = DockerNodeReader.Parse(Text, "n.txt");

        Assert.Equal(new DockerNode("o69sn56wqeuq4iqnsqsfo20js", "n1", false, "Down", "Drain", "", "19.03.1"), nodes[0]);
        Assert.Equal(new DockerNode("ewn7jt487nxuxe9sagn4gnp4o", "n2", true, "Ready", "Active", "Reachable", "24.0.7"), nodes[1]);
    }

    [Fact]
    public void Inspects_of_tasks_stand_beside_those_of_containers()
    {
        const string Text =
            """
            [{"ID":"t1","ServiceID":"s1","NodeID":"n1","Slot":2,"Status":{"State":"running"},"DesiredState":"running",
              "NetworksAttachments":[{"Network":{"ID":"net1"},"Addresses":["10.0.1.3/24"]}]},
             {"Id":"c1","Name":"/web.2","Config":{"Labels":null},"NetworkSettings":{"Networks":{"mynet":{"IPAddress":"","MacAddress":""}}}}]
            """;

        (IReadOnlyList<DockerContainer> containers, IReadOnlyList<DockerTask> tasks) = DockerContainerReader.Parse(Text, "c.json");

        Assert.Equal("web.2", Assert.Single(containers).Name);
        Assert.Null(containers[0].Endpoints[0].Address);
        DockerTask task = Assert.Single(tasks);
        Assert.Equal(("s1", 2, "running", "10.0.1.3"), (task.ServiceId, task.Slot, task.State, task.Addresses[0].Address.ToString()));
    }

    [Fact]
    public void Options_of_networks_are_understood()
    {
        const string Text =
            """
            [{"Name":"secret","Id":"x","Driver":"overlay","IPAM":{"Config":[{"Subnet":"10.7.0.0/16","Gateway":"10.7.0.1"},{"Subnet":"fd00::/64"}]},
              "Options":{"encrypted":"","dsr":"","com.docker.network.driver.mtu":"1400","com.docker.network.driver.overlay.vxlanid_list":"4100,4101"}}]
            """;

        DockerNetwork network = DockerNetworkReader.Parse(Text, "n.json")[0];

        Assert.True(network is { IsEncrypted: true, IsDirectReturn: true, Mtu: 1400, IsVerbose: false });
        Assert.Equal([4100u, 4101u], network.Vnis.Select(vni => vni.Value));
        Assert.Single(network.Subnets);
    }
}
