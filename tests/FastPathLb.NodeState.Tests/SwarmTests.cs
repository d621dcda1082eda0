using FastPathLb.Wire;

namespace FastPathLb.NodeState.Tests;

public sealed class SwarmTests
{
    private static readonly NodeState s_node = Recordings.Read("swarm-web");

    [Fact]
    public void All_namespaces_of_the_first_node_are_there()
    {
        Assert.Equal(["host", "ingress", "ingress-overlay", "lb", "overlay"], s_node.Namespaces.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("mynet", s_node.FindNetwork(s_node["lb"])!.Name);
        Assert.Equal("ingress", s_node.FindNetwork(s_node["ingress"])!.Name);
    }

    [Fact]
    public void Marks_ports_and_routes_of_the_ingress_sandbox_are_read()
    {
        NamespaceState ingress = s_node["ingress"];

        RuleState rule = ingress.Iptables.Mangle.FindChain("PREROUTING")!.Rules[0];
        Assert.Equal(new ProtocolMatch(IpProtocol.Tcp, false), rule.Protocol);
        Assert.True(rule.DestinationPorts!.Accepts(8080));
        Assert.False(rule.DestinationPorts.Accepts(8081));
        Assert.Equal(0x100u, rule.MarkAction!.Apply(7));
        Assert.Equal("eth1", ingress.Routes[0].Device);
        Assert.Equal("172.18.0.1", ingress.Routes[0].Via.ToString());
        RuleState dns = ingress.Iptables.Nat.FindChain("DOCKER_OUTPUT")!.Rules[0];
        Assert.Equal(new PortRange(36017, 36017), dns.NatAction!.Ports);
        Assert.Equal("127.0.0.11", dns.NatAction.FirstAddress.ToString());
        RuleState answer = ingress.Iptables.Nat.FindChain("DOCKER_POSTROUTING")!.Rules[0];
        Assert.Null(answer.NatAction!.FirstAddress);
        Assert.Equal(new PortRange(53, 53), answer.NatAction.Ports);
    }

    [Fact]
    public void The_hosts_rules_are_understood()
    {
        IptablesState host = s_node["host"].Iptables;

        RuleState local = host.Nat.FindChain("PREROUTING")!.Rules[0];
        Assert.Equal(["LOCAL"], local.DestinationType!.Types);
        Assert.Equal(("DOCKER-INGRESS", RuleTarget.Chain), (local.Target, local.TargetKind));
        Assert.Equal((204, 12240), (local.Packets, local.Bytes));
        RuleState masquerade = host.Nat.FindChain("POSTROUTING")!.Rules[1];
        Assert.Equal(new InterfaceMatch("docker_gwbridge", true), masquerade.OutInterface);
        Assert.Equal(RuleTarget.Masquerade, masquerade.TargetKind);
        Assert.True(host.Nat.FindChain("OUTPUT")!.Rules[1].Destination!.IsNegated);
        RuleState state = host.Filter.FindChain("DOCKER-INGRESS")!.Rules[1];
        Assert.Equal(ConntrackStates.Related | ConntrackStates.Established, state.ConntrackStates!.States);
        Assert.Equal(2909, host.Mangle.FindChain("PREROUTING")!.Packets);
        Assert.Equal("-", host.Filter.FindChain("DOCKER-USER")!.Policy);
        Assert.All(host.Tables.SelectMany(table => table.Chains).SelectMany(chain => chain.Rules), rule => Assert.Empty(rule.Unsupported));
    }

    [Fact]
    public void Ends_of_veth_pairs_are_found_in_other_namespaces()
    {
        (string space, InterfaceState port) = s_node.FindPeer("lb", s_node["lb"].FindInterface("eth0")!)!.Value;
        Assert.Equal(("overlay", "veth0"), (space, port.Name));
        (space, port) = s_node.FindPeer("ingress", s_node["ingress"].FindInterface("eth1")!)!.Value;
        Assert.Equal("host", space);
        Assert.Equal("docker_gwbridge", port.Master);
    }

    [Fact]
    public void Docker_networks_are_read_with_their_services()
    {
        DockerNetwork network = s_node.Docker.FindNetwork("mynet")!;

        Assert.True(network is { IsOverlay: true, IsIngress: false, IsVerbose: true, IsEncrypted: false, IsDirectReturn: false });
        Assert.Equal([4097u], network.Vnis.Select(vni => vni.Value));
        Assert.Equal("10.0.1.6", network.LoadBalancer!.Address.ToString());
        Assert.Equal(["172.19.177.14", "172.19.188.123"], network.Peers.Select(peer => peer.Address.ToString()));
        DockerNetworkService web = network.Services.Single(service => service.Name == "web");
        Assert.Equal(257u, web.Fwmark);
        Assert.Equal("10.0.1.2", web.VirtualAddress.ToString());
        Assert.Equal("172.19.188.123", web.Tasks.Single(task => task.Address.ToString() == "10.0.1.3").HostAddress.ToString());
        Assert.True(s_node.Docker.FindNetwork("ingress")!.IsIngress);
        Assert.False(s_node.Docker.FindNetwork("docker_gwbridge")!.IsOverlay);
    }

    [Fact]
    public void Docker_services_containers_and_nodes_are_read()
    {
        DockerService web = s_node.Docker.Services.Single(service => service.Name == "web");
        Assert.Equal(new DockerPort(IpProtocol.Tcp, 80, 8080, "ingress"), Assert.Single(web.Ports));
        Assert.Equal(("vip", 2), (web.EndpointMode, web.Replicas));
        Assert.Equal(["10.0.0.4", "10.0.1.2"], web.VirtualAddresses.Select(address => address.Address.ToString()));
        Assert.Single(web.Networks);

        Assert.Equal(2, s_node.Docker.Containers.Count);
        DockerContainer client = s_node.Docker.Containers.Single(container => container.ServiceName == "client");
        Assert.Equal("10.0.1.8", client.Endpoints[0].Address.ToString());
        Assert.Equal("401a74b7ce00", client.HostName);
        Assert.True(client.IsRunning);

        Assert.Equal(
            ["client.1 node1 Running", "web.1 node2 Running", "web.2 node1 Running"],
            s_node.Docker.ListedTasks.Select(task => $"{task.Name} {task.NodeName} {task.DesiredState}"));
        Assert.Equal(["node1", "node2"], s_node.Docker.Nodes.Select(node => node.HostName));
        Assert.True(s_node.Docker.Nodes[0] is { IsSelf: true, ManagerStatus: "Leader", EngineVersion: "20.10.24+dfsg1" });
        Assert.True(s_node.Docker.Nodes[1] is { IsSelf: false, ManagerStatus: "", Availability: "Active" });
    }

    [Fact]
    public void What_the_first_nodes_dump_lacks_is_said()
    {
        Assert.Equal(
            ["host.ip-neigh.txt is missing: 02:42 and the address stand in for the MACs of 172.19.188.123."],
            s_node.Inferred);
    }

    [Fact]
    public void The_second_node_is_read_by_its_prefix()
    {
        NodeState node = Recordings.Read("swarm-web", "node2.");

        Assert.Equal("10.0.1.5", node["lb"].FindInterface("eth0")!.Addresses[0].Address.ToString());
        Assert.False(node["lb"].IpvsOrderKnown);
        Assert.Equal(["10.0.1.3", "10.0.1.4"], node["lb"].IpvsServices[0].Servers.Select(server => server.Address.ToString()));
        Assert.Equal("172.19.188.123", node["host"].FindInterface("eth0")!.Addresses[0].Address.ToString());
        Assert.Equal(1, node["lb"].GetSysctl("net.ipv4.vs.conntrack"));
        Assert.Contains(node.Inferred, sentence => sentence.StartsWith("node2.lb.ipvsadm-Ln.txt is sorted", StringComparison.Ordinal));
        Assert.Contains(
            node.Inferred,
            sentence => sentence.StartsWith("node2.host.ip-addr.txt is missing: eth0 has 172.19.188.123/20", StringComparison.Ordinal));
        Assert.Equal(2, node.Docker.Services.Count);
        Assert.Equal("172.18.0.1", node["host"].FindInterface("docker_gwbridge")!.Addresses[0].Address.ToString());
        RuleState published = node["host"].Iptables.Nat.FindChain("DOCKER-INGRESS")!.Rules[0];
        Assert.Equal(("172.18.0.2", true), (published.NatAction!.FirstAddress.ToString(), published.DestinationPorts!.Accepts(8080)));
        Assert.Equal("172.18.0.1", node["ingress"].Routes[0].Via.ToString());
    }

    [Fact]
    public void Every_change_of_the_rolling_update_is_read()
    {
        IReadOnlyList<NodeEvent> events = EventFileReader.Read(Path.Combine(Recordings.Folder("swarm-scale"), "events.txt"));

        Assert.Equal(21, events.Count);
        Assert.Equal(1795336049516030000, events[0].TimestampNanoseconds);
        Assert.Equal(
            new IpvsAddServer(new IpvsKey(257, default, default, 0), new IpvsServerState(Ipv4Address.Parse("10.0.1.9"), 0)),
            events[0].Command);
        Assert.Equal(0, Assert.IsType<IpvsEditServer>(events[1].Command).Server.Weight);
        Assert.Equal("10.0.1.9", Assert.IsType<IpvsDeleteServer>(events[2].Command).Address.ToString());
        Assert.Equal(257u, Assert.IsType<IpvsDeleteService>(events[13].Command).Service.Fwmark);
        Assert.Equal("10.0.1.2", Assert.IsType<AddressDelete>(events[14].Command).Address.Address.ToString());
        IptablesDelete delete = Assert.IsType<IptablesDelete>(events[15].Command);
        Assert.Equal(("mangle", "INPUT", (int?)null), (delete.Table, delete.Chain, delete.Position));
        NodeState node = Recordings.Read("swarm-scale");
        Assert.Single(node["lb"].Iptables.Mangle.FindChain("INPUT")!.Rules, rule => rule.IsSameRuleAs(delete.Rule!));
        Assert.Equal("rr", Assert.IsType<IpvsAddService>(events[17].Command).Service.Scheduler);
        Assert.Equal(0x104u, Assert.IsType<IptablesAppend>(events[20].Command).Rule.MarkAction!.Value);
    }
}
