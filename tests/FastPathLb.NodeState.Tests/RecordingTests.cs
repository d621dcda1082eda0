using FastPathLb.Wire;

namespace FastPathLb.NodeState.Tests;

public sealed class RecordingTests
{
    [Fact]
    public void There_are_recordings() => Assert.True(Recordings.All.Count >= 38, $"{Recordings.All.Count} recordings");

    [Theory]
    [MemberData(nameof(Recordings.Names), MemberType = typeof(Recordings))]
    public void Every_dump_is_read_in_full(string name)
    {
        NodeState node = Recordings.Read(name);

        NamespaceState balancer = node["lb"];
        Assert.NotEmpty(balancer.IpvsServices);
        Assert.True(balancer.IpvsOrderKnown);
        Assert.Equal(1, balancer.GetSysctl("net.ipv4.vs.conntrack"));
        Assert.Equal(0, balancer.GetSysctl("net.ipv4.vs.conn_reuse_mode"));
        InterfaceState port = balancer.FindInterface("eth0")!;
        Assert.Equal(MacAddress.FromDocker(port.Addresses[0].Address), port.Mac);
        Assert.Equal(1450, port.Mtu);
        VxlanState tunnel = node["overlay"].FindInterface("vxlan0")!.Vxlan!;
        Assert.Equal(4097u, tunnel.Vni.Value);
        Assert.Equal(4789, tunnel.DestinationPort);
        Assert.True(tunnel.Proxy && tunnel.Learning && tunnel.L2Miss && tunnel.L3Miss && tunnel.UdpChecksum);
        Assert.Equal("172.19.177.14", SwarmAddress(node));
        foreach (RuleState rule in balancer.Iptables.Tables.SelectMany(table => table.Chains).SelectMany(chain => chain.Rules))
        {
            Assert.Empty(rule.Unsupported);
            Assert.NotEqual(RuleTarget.Extension, rule.TargetKind);
        }
    }

    [Fact]
    public void Two_services_are_read_with_their_marks_and_servers()
    {
        NodeState node = Recordings.Read("rr-two-services");

        NamespaceState balancer = node["lb"];
        Assert.Equal([273u, 274u], balancer.IpvsServices.Select(service => service.Fwmark));
        Assert.All(balancer.IpvsServices, service => Assert.Equal("rr", service.Scheduler));
        Assert.Equal(
            [new IpvsServerState(Ipv4Address.Parse("10.0.1.3"), 0), new IpvsServerState(Ipv4Address.Parse("10.0.1.4"), 0)],
            balancer.IpvsServices[0].Servers);
        RuleState mark = balancer.Iptables.Mangle.FindChain("INPUT")!.Rules[0];
        Assert.Equal("-d 10.0.1.2/32 -j MARK --set-xmark 0x111/0xffffffff", mark.Text);
        Assert.Equal(new MarkAction(0x111, 0xFFFFFFFF), mark.MarkAction);
        Assert.Equal("10.0.1.2/32", mark.Destination!.Prefix.ToString());
        RuleState nat = balancer.Iptables.Nat.FindChain("POSTROUTING")!.Rules[0];
        Assert.True(nat.IpvsMatch);
        Assert.Equal(RuleTarget.SourceNat, nat.TargetKind);
        Assert.Equal("10.0.1.5", nat.NatAction!.FirstAddress.ToString());
        Assert.Equal(
            ["10.0.1.5/24", "10.0.1.2/32", "10.0.1.7/32"],
            balancer.FindInterface("eth0")!.Addresses.Select(item => $"{item.Address}/{item.PrefixLength}"));
        Assert.Equal(3, balancer.Neighbors.Count);
        Assert.Equal("10.0.1.1", balancer.Routes[0].Via.ToString());
        Assert.Equal(0, balancer.Routes[0].Destination.Length);
        Assert.Equal(("overlay", "vlb"), Named(node.FindPeer("lb", balancer.FindInterface("eth0")!)));
    }

    [Fact]
    public void The_tunnel_and_its_entries_are_read()
    {
        NodeState node = Recordings.Read("rr-two-services");

        NamespaceState overlay = node["overlay"];
        InterfaceState tunnel = overlay.FindInterface("vxlan0")!;
        Assert.Equal("br0", tunnel.Master);
        Assert.Equal("172.19.177.14", tunnel.Vxlan!.Local.ToString());
        Assert.Equal(300, tunnel.Vxlan.AgeingSeconds);
        Assert.Equal("bridge", overlay.FindInterface("br0")!.Kind);
        FdbEntryState entry = overlay.Fdb.Single(item => item.Mac == MacAddress.Parse("02:42:0a:00:01:0a"));
        Assert.Equal("172.19.188.123", entry.Destination.ToString());
        Assert.True(entry is { IsPermanent: true, IsSelf: true, Device: "vxlan0", Master: null });
        Assert.Equal(6, overlay.Neighbors.Count);
        Assert.All(overlay.Neighbors, neighbor => Assert.True(neighbor.IsPermanent));
        Assert.Equal("02:fc:00:00:00:02", node["host"].Neighbors[0].Mac.ToString());
    }

    [Theory]
    [InlineData("sched-sh-sh-port", "sh", "sh-port")]
    [InlineData("sched-mh-mh-port", "mh", "mh-port")]
    [InlineData("sched-mh", "mh", null)]
    [InlineData("sched-ovf", "ovf", null)]
    public void Schedulers_come_with_their_flags(string name, string scheduler, string? flag)
    {
        IpvsServiceState service = Recordings.Read(name)["lb"].IpvsServices[0];

        Assert.Equal(scheduler, service.Scheduler);
        Assert.Equal(flag is null ? [] : [flag], service.SchedulerFlags);
        Assert.Equal([3, 1, 2, 4], service.Servers.Select(server => server.Weight));
    }

    [Fact]
    public void Persistence_is_read()
    {
        IpvsServiceState service = Recordings.Read("persistence")["lb"].IpvsServices[0];

        Assert.Equal(60, service.PersistenceSeconds);
        Assert.Equal("255.255.255.255", service.Netmask.ToString());
    }

    [Theory]
    [MemberData(nameof(Recordings.Names), MemberType = typeof(Recordings))]
    public void The_list_of_ipvsadm_says_the_same_services_as_its_script(string name)
    {
        foreach (string file in Directory.GetFiles(Recordings.Folder(name), "ipvsadm-Ln.*.txt"))
        {
            Assert.NotEmpty(IpvsadmListReader.Parse(File.ReadAllText(file), file));
        }

        if (name is "chaos-1" or "chaos-2" or "drain" or "swarm-scale" or "swarm-web")
        {
            return;
        }

        IReadOnlyList<IpvsServiceState> listed = IpvsadmListReader.Parse(Recordings.Text(name, "ipvsadm-Ln.after.txt"), "after");
        NodeState node = Recordings.Read(name);
        NamespaceState other = node["lb"] with { IpvsServices = listed };
        NodeState changed = node with { Namespaces = new Dictionary<string, NamespaceState>(node.Namespaces) { ["lb"] = other } };
        Assert.Empty(NodeStateDifferences.Between(node, changed));
    }

    [Theory]
    [InlineData("chaos-1", 3)]
    [InlineData("swarm-scale", 21)]
    public void Events_are_read(string name, int count)
    {
        IReadOnlyList<NodeEvent> events = EventFileReader.Read(Path.Combine(Recordings.Folder(name), "events.txt"));

        Assert.True(events.Count >= count);
        Assert.Equal(events.Select(item => item.TimestampNanoseconds).Order(), events.Select(item => item.TimestampNanoseconds));
    }

    [Theory]
    [MemberData(nameof(Recordings.Names), MemberType = typeof(Recordings))]
    public void Checkpoints_are_read(string name)
    {
        IReadOnlyList<Checkpoint> checkpoints = CheckpointFileReader.Read(Path.Combine(Recordings.Folder(name), "checkpoints.txt"));

        Assert.Equal("after", checkpoints[^1].Tag);
    }

    private static string SwarmAddress(NodeState node) =>
        node["host"].Interfaces.First(device => device.Kind is not "loopback").Addresses[0].Address.ToString();

    private static (string, string) Named((string Namespace, InterfaceState Interface)? peer) =>
        (peer!.Value.Namespace, peer.Value.Interface.Name);
}
