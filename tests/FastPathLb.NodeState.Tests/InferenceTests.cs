namespace FastPathLb.NodeState.Tests;

/// <summary>A real dump with files taken away, one case after the other.</summary>
public sealed class InferenceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("node-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Addresses_of_the_balancer_come_from_dockers_endpoint_and_the_marks()
    {
        NodeState node = ReadSwarmWithout("lb.ip-addr.txt");

        AssertSame(node, "lb");
        AssertSays(
            node,
            "lb.ip-addr.txt is missing: eth0 has 10.0.1.6/24, MAC 02:42:0a:00:01:06, MTU 1450 and the VIPs 10.0.1.2, 10.0.1.7.");
    }

    [Fact]
    public void Addresses_of_the_balancer_come_from_the_snat_rule_where_docker_says_nothing()
    {
        Copy("rr-two-services", file => file.StartsWith("lb.", StringComparison.Ordinal) && file != "lb.ip-addr.txt");
        NodeState node = NodeDumpReader.Read(_folder);

        InterfaceState port = node["lb"].FindInterface("eth0")!;
        Assert.Equal(
            ["10.0.1.5/24", "10.0.1.2/32", "10.0.1.7/32"],
            port.Addresses.Select(address => $"{address.Address}/{address.PrefixLength}"));
        Assert.Equal("02:42:0a:00:01:05", port.Mac.ToString());
        AssertSays(node, "lb.ip-addr.txt is missing: eth0 has 10.0.1.5/24");
    }

    [Fact]
    public void A_folder_of_the_balancers_dumps_alone_is_enough()
    {
        Copy("rr-basic", file => file.StartsWith("lb.", StringComparison.Ordinal) && file.EndsWith(".txt", StringComparison.Ordinal));

        NodeState node = NodeDumpReader.Read(_folder);

        Assert.Equal(["lb"], node.Namespaces.Keys);
        Assert.Empty(node.Inferred);
    }

    [Fact]
    public void Without_address_and_rules_nothing_can_be_inferred()
    {
        Copy("rr-basic", file => file is "lb.ipvsadm-save.txt" or "lb.sysctl.txt");

        AssertRefused($"{_folder}: lb.ip-addr.txt is missing, and nothing tells the load balancer's own address: neither a network-inspect.NET.json "
            + "with an endpoint lb-NET, nor an SNAT rule in lb.iptables-save.txt");
    }

    [Fact]
    public void An_empty_folder_is_no_dump() =>
        AssertRefused($"{_folder}: nothing here tells of a load balancer: expected dumps such as lb.ip-addr.txt");

    [Fact]
    public void Marks_come_from_the_verbose_inspect()
    {
        NodeState node = ReadSwarmWithout("lb.iptables-save.txt");

        Assert.Equal(
            ["-d 10.0.1.7/32 -j MARK --set-xmark 0x102/0xffffffff", "-d 10.0.1.2/32 -j MARK --set-xmark 0x101/0xffffffff"],
            node["lb"].Iptables.Mangle.FindChain("INPUT")!.Rules.Select(rule => rule.Text));
        Assert.Equal("-d 10.0.1.0/24 -m ipvs --ipvs -j SNAT --to-source 10.0.1.6", node["lb"]
            .Iptables.Nat.FindChain("POSTROUTING")!.Rules[0]
            .Text);
        AssertSays(
            node,
            "lb.iptables-save.txt is missing: Swarm's rules are taken (10.0.1.7 has mark 0x102, 10.0.1.2 has mark 0x101; SNAT to 10.0.1.6).");
    }

    [Fact]
    public void Marks_come_from_the_order_of_vips_and_services_where_docker_says_nothing()
    {
        Copy("rr-two-services", file => file.StartsWith("lb.", StringComparison.Ordinal) && file != "lb.iptables-save.txt");

        NodeState node = NodeDumpReader.Read(_folder);

        Assert.DoesNotContain(
            NodeStateDifferences.Between(Only(Recordings.Read("rr-two-services"), "lb"), node),
            item => item.Section != "peers");
        AssertSays(
            node,
            "lb.iptables-save.txt is missing: Swarm's rules are taken (10.0.1.2 has mark 0x111, 10.0.1.7 has mark 0x112; SNAT to 10.0.1.5).");
    }

    [Fact]
    public void Marks_that_cannot_be_told_apart_are_refused()
    {
        Copy("rr-two-services", file => file.StartsWith("lb.", StringComparison.Ordinal) && file != "lb.iptables-save.txt");
        File.AppendAllText(Path.Combine(_folder, "lb.ipvsadm-save.txt"), "-A -f 275 -s rr\n");

        AssertRefused($"{_folder}: lb.iptables-save.txt is missing, and nothing tells which of 2 VIPs has which of the 3 marks of IPVS: "
            + "a network-inspect-v.NET.json would");
    }

    [Fact]
    public void Services_come_from_the_verbose_inspect()
    {
        NodeState node = ReadSwarmWithout("lb.ipvsadm-save.txt", "ingress.ipvsadm-save.txt");

        IReadOnlyList<IpvsServiceState> services = node["lb"].IpvsServices;
        Assert.Equal([0x101u, 0x102u], services.Select(service => service.Fwmark));
        Assert.Equal(["10.0.1.4", "10.0.1.3"], services[0].Servers.Select(server => server.Address.ToString()));
        Assert.False(node["lb"].IpvsOrderKnown);
        Assert.Equal(["10.0.0.5", "10.0.0.6"], node["ingress"].IpvsServices[0].Servers.Select(server => server.Address.ToString()));
        AssertSays(
            node,
            "lb.ipvsadm-save.txt is missing: services by rr from Docker's inspects: mark 0x101 (web) has 10.0.1.4, 10.0.1.3; mark 0x102 (client) has 10.0.1.8.");
    }

    [Fact]
    public void Services_come_from_service_and_task_inspects_where_the_network_is_not_verbose()
    {
        CopySwarm("lb.ipvsadm-save.txt", "network-inspect-v.mynet.json");
        DockerService web = Recordings.Read("swarm-web").Docker.Services[0];
        string network = web.VirtualAddresses[1].NetworkId;
        string client = Recordings.Read("swarm-web").Docker.Services[1].Id;
        File.WriteAllText(
            Path.Combine(_folder, "task-inspect.json"),
            $$"""
            [{"ID":"a","ServiceID":"{{web.Id}}","Status":{"State":"running"},"NetworksAttachments":[{"Network":{"ID":"{{network}}"},"Addresses":["10.0.1.3/24"]}]},
             {"ID":"b","ServiceID":"{{web.Id}}","Status":{"State":"shutdown"},"NetworksAttachments":[{"Network":{"ID":"{{network}}"},"Addresses":["10.0.1.9/24"]}]},
             {"ID":"c","ServiceID":"{{client}}","Status":{"State":"running"},"NetworksAttachments":[{"Network":{"ID":"{{network}}"},"Addresses":["10.0.1.8/24"]}]}]
            """);

        NodeState node = NodeDumpReader.Read(_folder);

        Assert.Equal(["10.0.1.3"], node["lb"].IpvsServices[0].Servers.Select(server => server.Address.ToString()));
    }

    [Fact]
    public void Services_that_nothing_tells_are_refused()
    {
        Copy("rr-basic", file => file.StartsWith("lb.", StringComparison.Ordinal) && file != "lb.ipvsadm-save.txt");

        AssertRefused($"{_folder}: neither lb.ipvsadm-save.txt nor lb.ipvsadm-Ln.txt is there, and nothing tells the servers behind mark 0x111 (VIP 10.0.1.2): "
            + "a network-inspect-v.NET.json would");
    }

    [Fact]
    public void The_order_of_servers_is_known_only_from_a_script_or_an_unsorted_list()
    {
        Copy("rr-basic", file => file.StartsWith("lb.", StringComparison.Ordinal));
        string list = Recordings.Text("rr-basic", "ipvsadm-Ln.after.txt");
        File.Delete(Path.Combine(_folder, "lb.ipvsadm-save.txt"));
        File.WriteAllText(Path.Combine(_folder, "lb.ipvsadm-Ln.txt"), list);
        NodeState node = NodeDumpReader.Read(_folder);
        Assert.False(node["lb"].IpvsOrderKnown);
        AssertSays(node, "lb.ipvsadm-Ln.txt is sorted: the servers are taken to have been added in the order listed.");

        File.WriteAllText(Path.Combine(_folder, "lb.ipvsadm-nosort.txt"), list);
        NamespaceState balancer = NodeDumpReader.Read(_folder)["lb"];
        Assert.True(balancer.IpvsOrderKnown);
        Assert.Equal(node["lb"].IpvsServices[0].Servers.Reverse(), balancer.IpvsServices[0].Servers);

        File.Delete(Path.Combine(_folder, "lb.ipvsadm-Ln.txt"));
        balancer = NodeDumpReader.Read(_folder)["lb"];
        Assert.True(balancer.IpvsOrderKnown);
        Assert.Equal(node["lb"].IpvsServices[0].Servers.Reverse(), balancer.IpvsServices[0].Servers);
    }

    [Fact]
    public void Timeouts_are_read_where_dumped()
    {
        Copy("rr-basic", file => file.StartsWith("lb.", StringComparison.Ordinal));
        File.WriteAllText(Path.Combine(_folder, "lb.ipvsadm-timeout.txt"), "Timeout (tcp tcpfin udp): 60 20 30\n");

        NodeState node = NodeDumpReader.Read(_folder);

        Assert.Equal(new IpvsTimeouts(60, 20, 30), node["lb"].IpvsTimeouts);
        Assert.Empty(NodeStateDifferences.Between(node, LbConfigReader.Parse(LbConfigWriter.Write(node), "y")));
    }

    [Fact]
    public void Routes_neighbours_and_settings_are_swarms()
    {
        NodeState node = ReadSwarmWithout("lb.ip-route.txt", "lb.ip-neigh.txt", "lb.sysctl.txt", "ingress.ip-route.txt");

        Assert.Equal("10.0.1.0/24", Assert.Single(node["lb"].Routes).Destination.ToString());
        Assert.Equal("172.18.0.1", node["ingress"].Routes[0].Via.ToString());
        NeighborState neighbor = node["lb"].Neighbors.Single(item => item.Address.ToString() == "10.0.1.3");
        Assert.Equal(("02:42:0a:00:01:03", NeighborState.InferredState), (neighbor.Mac.ToString(), neighbor.State));
        Assert.DoesNotContain(node["lb"].Neighbors, item => item.Address.ToString() == "10.0.1.6");
        Assert.Equal(1, node["lb"].GetSysctl("net.ipv4.vs.expire_nodest_conn"));
        AssertSays(node, "lb.ip-route.txt is missing: the routes are those of its addresses, without a default route.");
        AssertSays(node, "ingress.ip-route.txt is missing: the routes are those of its addresses and the default via 172.18.0.1.");
        AssertSays(
            node,
            "lb.sysctl.txt is missing: Swarm's settings are taken: vs.conn_reuse_mode=0, vs.conntrack=1, vs.expire_nodest_conn=1, vs.expire_quiescent_template=1.");
        AssertSays(
            node,
            "lb.ip-neigh.txt is missing: 10.0.1.3, 10.0.1.4, 10.0.1.5, 10.0.1.8 have their MACs by Docker's rule (02:42 and the address).");
    }

    [Fact]
    public void The_tunnel_comes_from_dockers_options()
    {
        NodeState node = ReadSwarmWithout("overlay.ip-addr.txt");

        NamespaceState overlay = node["overlay"];
        Assert.Equal(4097u, overlay.FindInterface("vxlan0")!.Vxlan!.Vni.Value);
        Assert.Equal("10.0.1.1", overlay.FindInterface("br0")!.Addresses[0].Address.ToString());
        Assert.Equal(("overlay", "veth0"), Named(node.FindPeer("lb", node["lb"].FindInterface("eth0")!)));
        AssertSays(node, "overlay.ip-addr.txt is missing: br0 has 10.0.1.1/24 and vxlan0 VNI 4097, port 4789; their MACs are stand-ins.");
    }

    [Fact]
    public void A_vni_that_nothing_tells_is_refused()
    {
        Copy("rr-basic", file => !file.StartsWith("overlay.ip-addr", StringComparison.Ordinal));

        AssertRefused($"{_folder}: overlay.ip-addr.txt is missing, and no network-inspect.NET.json tells the VNI");
    }

    [Fact]
    public void Ip_addr_without_d_is_completed_from_dockers_options()
    {
        CopySwarm();
        string path = Path.Combine(_folder, "overlay.ip-addr.txt");
        File.WriteAllLines(path, File.ReadAllLines(path).Where(line => !line.StartsWith("    vxlan ", StringComparison.Ordinal)));

        NodeState node = NodeDumpReader.Read(_folder);

        Assert.Equal(4097u, node["overlay"].FindInterface("vxlan0")!.Vxlan!.Vni.Value);
        AssertSays(node, "overlay.ip-addr.txt was made without -d: vxlan0 has VNI 4097, port 4789 and Swarm's settings.");
    }

    [Fact]
    public void Forwarding_entries_come_from_the_tasks_and_their_nodes()
    {
        NodeState node = ReadSwarmWithout("overlay.bridge-fdb.txt", "overlay.ip-neigh.txt");

        FdbEntryState entry = node["overlay"].Fdb.Single(item => item.Destination is not null);
        Assert.Equal(
            ("02:42:0a:00:01:03", "172.19.188.123", true, true),
            (entry.Mac.ToString(), entry.Destination.ToString(), entry.IsSelf, entry.IsPermanent));
        Assert.Equal("10.0.1.3 PERMANENT", string.Join(';', node["overlay"].Neighbors.Select(item => $"{item.Address} {item.State}")));
        Assert.Equal(["02:42:0a:00:01:08", "02:42:0a:00:01:04"], node["overlay"]
            .Fdb.Where(item => item.Master == "br0")
            .Select(item => item.Mac.ToString()));
        AssertSays(node, "overlay.bridge-fdb.txt is missing: 02:42:0a:00:01:03 is behind 172.19.188.123.");
    }

    [Fact]
    public void Forwarding_entries_come_from_neighbours_where_there_is_one_other_node()
    {
        NodeState node = ReadSwarmWithout("overlay.bridge-fdb.txt", "network-inspect-v.mynet.json");

        Assert.Equal(
            ["02:42:0a:00:01:03", "02:42:0a:00:01:05"],
            node["overlay"].Fdb.Where(item => item.Destination is not null).Select(item => item.Mac.ToString()).Order());
    }

    [Fact]
    public void Forwarding_entries_that_nothing_tells_are_refused()
    {
        Copy("rr-basic", file => !file.StartsWith("overlay.bridge", StringComparison.Ordinal));

        NodeStateException exception = Assert.Throws<NodeStateException>(() => NodeDumpReader.Read(_folder));

        Assert.Matches("overlay.bridge-fdb.txt is missing, and nothing tells which node 10.0.1.[0-9]+ is on", exception.Message);
    }

    [Fact]
    public void Neighbours_of_the_tunnel_come_from_dockers_macs()
    {
        Copy("rr-basic", file => file != "overlay.ip-neigh.txt");

        NodeState node = NodeDumpReader.Read(_folder);

        Assert.Empty(NodeStateDifferences.Between(Recordings.Read("rr-basic"), node));
        AssertSays(
            node,
            "overlay.ip-neigh.txt is missing: vxlan0 answers ARP for 10.0.1.3, 10.0.1.4, 10.0.1.6, 10.0.1.8, 10.0.1.9, 10.0.1.10, by Docker's rule for MACs.");
    }

    [Fact]
    public void The_host_comes_from_the_tunnels_own_address()
    {
        Copy("rr-basic", file => !file.StartsWith("host.", StringComparison.Ordinal));

        NodeState node = NodeDumpReader.Read(_folder);

        Assert.Equal("172.19.177.14/20", Address(node["host"]));
        NeighborState hop = Assert.Single(node["host"].Neighbors);
        Assert.Equal(("172.19.188.123", NeighborState.InferredState), (hop.Address.ToString(), hop.State));
        AssertSays(node, "host.ip-addr.txt is missing: eth0 has 172.19.177.14/20, and 02:42:ac:13:b1:0e stands in for its MAC.");
    }

    [Fact]
    public void The_host_comes_from_the_tasks_that_run_here()
    {
        NodeState node = ReadSwarmWithout(
            "host.ip-addr.txt",
            "host.iptables-save.txt",
            "overlay.bridge-fdb.txt",
            "ingress-overlay.bridge-fdb.txt");

        Assert.Equal("172.19.177.14/20", Address(node["host"]));
    }

    [Fact]
    public void Dockers_inspects_alone_tell_nearly_all()
    {
        Copy("swarm-web", file => file.EndsWith(".json", StringComparison.Ordinal) && !file.StartsWith("node2.", StringComparison.Ordinal));
        NodeState whole = Recordings.Read("swarm-web");

        NodeState node = NodeDumpReader.Read(_folder);

        Assert.Equal(whole.Namespaces.Keys.Order(StringComparer.Ordinal), node.Namespaces.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(
            "-p tcp -m tcp --dport 8080 -j MARK --set-xmark 0x100/0xffffffff",
            Assert.Single(node["ingress"].Iptables.Mangle.FindChain("PREROUTING")!.Rules).Text);
        Assert.Equal(whole["ingress"].FindInterface("eth1")!.Addresses, node["ingress"].FindInterface("eth1")!.Addresses);
        Assert.Equal(("overlay", "veth0"), Named(node.FindPeer("lb", node["lb"].FindInterface("eth0")!)));
        Assert.Equal(4096u, node["ingress-overlay"].FindInterface("vxlan0")!.Vxlan!.Vni.Value);
        Assert.Empty(NodeStateDifferences.Between(node, LbConfigReader.Parse(LbConfigWriter.Write(node), "y")));
    }

    [Fact]
    public void A_dsr_network_has_no_translation()
    {
        Copy("swarm-web", file => file == "network-inspect-v.mynet.json");
        string path = Path.Combine(_folder, "network-inspect-v.mynet.json");
        File.WriteAllText(path, File.ReadAllText(path)
            .Replace("\"Options\": {\n            \"com", "\"Options\": {\n            \"dsr\": \"\", \"com", StringComparison.Ordinal));

        NamespaceState balancer = NodeDumpReader.Read(_folder)["lb"];

        Assert.Empty(balancer.Iptables.Nat.FindChain("POSTROUTING")!.Rules);
        Assert.All(
            balancer.IpvsServices.SelectMany(service => service.Servers),
            server => Assert.Equal(IpvsForwarding.Route, server.Forwarding));

        // moby switches it on with the SNAT rule alone.
        Assert.Equal(0, balancer.GetSysctl("net.ipv4.vs.conntrack"));
        Assert.Equal(1, balancer.GetSysctl("net.ipv4.vs.expire_nodest_conn"));
        IReadOnlyList<string> said = NodeDumpReader.Read(_folder).Inferred;
        Assert.Contains(said, sentence => sentence.EndsWith("; no SNAT, for servers answer clients themselves).", StringComparison.Ordinal));
        Assert.Contains(said, sentence => sentence.Contains("mark 0x101 (web), direct return, has ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(4790, 4790)]
    [InlineData(0, 4789)]
    public void The_port_of_VXLAN_and_the_nodes_address_come_from_docker_info(int told, int expected)
    {
        Copy("swarm-web", file => file is "network-inspect-v.mynet.json" or "network-inspect-v.ingress.json");
        File.WriteAllText(
            Path.Combine(_folder, "docker-info.json"),
            $$$"""{"ID":"x","Swarm":{"NodeID":"y","NodeAddr":"172.19.177.14","Cluster":{"ID":"z","DataPathPort":{{{told}}} } } }""");

        NodeState node = NodeDumpReader.Read(_folder);

        Assert.All(
            (string[])["overlay", "ingress-overlay"],
            name => Assert.Equal(expected, node[name].FindInterface("vxlan0")!.Vxlan!.DestinationPort));
        Assert.Contains(
            node.Inferred,
            sentence => sentence.EndsWith($"and vxlan0 VNI 4097, port {expected}; their MACs are stand-ins.", StringComparison.Ordinal));
        Assert.Equal("y", node.Docker.Info!.NodeId);
        Assert.Equal("172.19.177.14", node["host"].FindInterface("eth0")!.Addresses[0].Address.ToString());
    }

    [Fact]
    public void A_dump_of_the_tunnel_is_taken_at_its_word_about_the_port()
    {
        CopySwarm();
        File.WriteAllText(Path.Combine(_folder, "docker-info.json"), """{"Swarm":{"NodeAddr":"","Cluster":null}}""");
        string path = Path.Combine(_folder, "overlay.ip-addr.txt");
        File.WriteAllText(path, File.ReadAllText(path).Replace("dstport 4789", "dstport 7789", StringComparison.Ordinal));

        NodeState node = NodeDumpReader.Read(_folder);

        Assert.Equal(new DockerInfo("", null, null), node.Docker.Info);
        Assert.Equal(7789, node["overlay"].FindInterface("vxlan0")!.Vxlan!.DestinationPort);
    }

    [Fact]
    public void A_namespace_that_cannot_be_completed_is_left_out_with_the_reason_if_another_balances()
    {
        CopySwarm("ingress.ipvsadm-save.txt", "network-inspect-v.ingress.json");

        NodeState node = NodeDumpReader.Read(_folder);

        AssertSame(node, "lb");
        const string Reason = "neither ingress.ipvsadm-save.txt nor ingress.ipvsadm-Ln.txt is there, and nothing tells the servers behind mark 0x100 (VIP 10.0.0.4)";
        AssertSays(node, $"ingress is left out: {Reason}");
        Assert.StartsWith(Reason, node.LeftOut["ingress"], StringComparison.Ordinal);
        NodeStateException exception = Assert.Throws<NodeStateException>(() => node["ingress"]);
        Assert.StartsWith($"{_folder}: namespace 'ingress' was left out: {Reason}", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_network_gets_namespaces_of_its_own()
    {
        CopySwarm();
        string text = Recordings.Text("swarm-web", "network-inspect-v.mynet.json").Replace("mynet", "other", StringComparison.Ordinal)
            .Replace("10.0.1.", "10.0.9.", StringComparison.Ordinal).Replace("4097", "4105", StringComparison.Ordinal)
            .Replace("wzuo2c933e1ye22b2793nf4tu", "another", StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "network-inspect-v.other.json"), text);

        NodeState node = NodeDumpReader.Read(_folder);

        Assert.Equal("10.0.9.6/24", Address(node["lb-other"]));
        Assert.Equal(4105u, node["overlay-other"].FindInterface("vxlan0")!.Vxlan!.Vni.Value);
        AssertSame(node, "lb");
    }

    private void Copy(string name, Func<string, bool> isWanted)
    {
        foreach (string path in Directory.GetFiles(Recordings.Folder(name)))
        {
            string file = Path.GetFileName(path);
            if (isWanted(file) && !file.EndsWith(".gz", StringComparison.Ordinal))
            {
                File.Copy(path, Path.Combine(_folder, file));
            }
        }
    }

    private void CopySwarm(params string[] without) => Copy("swarm-web", file => !without.Contains(file));

    private NodeState ReadSwarmWithout(params string[] files)
    {
        CopySwarm(files);
        return NodeDumpReader.Read(_folder);
    }

    private void AssertRefused(string message) =>
        Assert.StartsWith(message, Assert.Throws<NodeStateException>(() => NodeDumpReader.Read(_folder)).Message, StringComparison.Ordinal);

    private static void AssertSays(NodeState node, string sentence) =>
        Assert.Contains(node.Inferred, item => item.StartsWith(sentence, StringComparison.Ordinal));

    // What was inferred is what had been dumped.
    private static void AssertSame(NodeState node, string space) => Assert.DoesNotContain(
        NodeStateDifferences.Between(Only(Recordings.Read("swarm-web"), space), Only(node, space)),
        item => item.Section != "peers");

    private static NodeState Only(NodeState node, string space) =>
        node with { Namespaces = new Dictionary<string, NamespaceState> { [space] = node[space] } };

    private static string Address(NamespaceState space)
    {
        InterfaceAddress address = space.Interfaces.First(device => device.Kind != "loopback").Addresses[0];
        return $"{address.Address}/{address.PrefixLength}";
    }

    private static (string, string) Named((string Namespace, InterfaceState Interface)? peer) =>
        (peer!.Value.Namespace, peer.Value.Interface.Name);
}
