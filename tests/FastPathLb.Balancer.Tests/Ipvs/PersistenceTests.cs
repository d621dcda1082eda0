using FastPathLb.Conntrack;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tests.Ipvs;

/// <summary>Persistence (ip_vs_sched_persist): a template keeps a client with its server.</summary>
public sealed class PersistenceTests
{
    private static readonly SmallSwarm s_swarm = new()
    {
        PersistenceSeconds = 60,
        Servers = SmallSwarm.Weighted(1, 1, 1),
        Sysctls = new Dictionary<string, int> { ["vs.expire_nodest_conn"] = 0, ["vs.expire_quiescent_template"] = 0 },
    };

    [Fact]
    public void A_client_stays_with_its_server()
    {
        using PickBench bench = new(s_swarm);
        Assert.Equal("CCCC", bench.Open(4));
        Assert.Equal('B', bench.OpenFrom(SmallSwarm.OtherClient, 1));
        Assert.Equal("C", bench.Open(1));
        Assert.Equal(2, bench.Balancer.Templates.Count);
        Assert.Equal(1, bench.Balancer.Server("10.0.1.6").PersistentConnections);
    }

    [Fact]
    public void A_mark_holds_all_ports_and_protocols_together()
    {
        using PickBench bench = new(s_swarm);
        Assert.Equal('C', bench.OpenFrom(SmallSwarm.Client, 1, vip: SmallSwarm.Vip + ":80"));
        Assert.Equal('C', bench.OpenFrom(SmallSwarm.Client, 1, vip: SmallSwarm.Vip + ":443"));
        Sent sent = bench.Balancer.Send(PacketBuilder.Udp(SmallSwarm.Client + ":1", SmallSwarm.Vip + ":53"));
        Assert.Equal('C', PickBench.LetterOf(sent.Destination));
        Assert.Single(bench.Balancer.Templates);
    }

    [Fact]
    public void A_netmask_holds_clients_together()
    {
        using PickBench bench = new(s_swarm with { Netmask = "255.255.255.252" });
        Assert.Equal('C', bench.OpenFrom("10.0.1.8", 1));
        Assert.Equal('C', bench.OpenFrom("10.0.1.9", 1));
        Assert.Equal('B', bench.OpenFrom("10.0.1.77", 1));
        Assert.Equal(["10.0.1.8", "10.0.1.76"], bench.Balancer.Templates.Select(template => new Ipv4Address(template.Original.Source).ToString()));
    }

    [Fact]
    public void A_new_connection_starts_the_time_anew()
    {
        using PickBench bench = new(s_swarm);
        Assert.Equal("C", bench.Open(1));
        bench.Balancer.Wait(50);
        Assert.Equal("C", bench.Open(1));
        bench.Balancer.Wait(50);
        Assert.Equal("C", bench.Open(1));
    }

    [Fact]
    public void Without_connections_a_template_ends_in_time()
    {
        using PickBench bench = new(s_swarm);
        Assert.Equal("C", bench.Open(1));
        bench.Reset(1);
        bench.Balancer.Wait(59);
        Assert.Single(bench.Balancer.Templates);
        bench.Balancer.Wait(2);
        Assert.Empty(bench.Balancer.Templates);
        Assert.Equal(0, bench.Balancer.Server("10.0.1.6").PersistentConnections);
        Assert.Equal("B", bench.Open(1));
    }

    [Fact]
    public void A_template_waits_for_its_connections()
    {
        using PickBench bench = new(s_swarm);
        Assert.Equal('C', bench.OpenFrom(SmallSwarm.Client, 1));

        // Established for 15 minutes: the template asks again every minute.
        Complete(bench, 1);
        bench.Balancer.Wait(300);
        Assert.Single(bench.Balancer.Templates);
        Assert.Equal('C', bench.OpenFrom(SmallSwarm.Client, 2));
    }

    [Fact]
    public void A_template_is_assured_by_an_established_connection()
    {
        using PickBench bench = new(s_swarm);
        bench.OpenFrom(SmallSwarm.Client, 1);
        Assert.True((bench.Balancer.Templates[0].Flags & ConnectionFlags.TemplateAssured) == 0);
        Complete(bench, 1);
        Assert.True((bench.Balancer.Templates[0].Flags & ConnectionFlags.TemplateAssured) != 0);
    }

    [Fact]
    public void A_template_of_weight_0_is_kept_or_not()
    {
        using PickBench kept = new(s_swarm);
        Assert.Equal("C", kept.Open(1));
        kept.Edit('C', 0);
        Assert.Equal("C", kept.Open(1));

        using PickBench left = new(s_swarm with { Sysctls = new Dictionary<string, int> { ["vs.expire_quiescent_template"] = 1 } });
        Assert.Equal("C", left.Open(1));
        left.Edit('C', 0);
        Assert.Equal("B", left.Open(1));
        Assert.Equal("B", left.Open(1));
    }

    [Fact]
    public void A_template_whose_server_is_removed_is_left()
    {
        using PickBench bench = new(s_swarm);
        Assert.Equal("C", bench.Open(1));
        bench.Remove('C');
        Assert.Equal("B", bench.Open(1));
        bench.Add('C');
        Assert.Equal("B", bench.Open(1));
    }

    [Fact]
    public void A_service_by_address_and_port_has_a_template_for_each_port()
    {
        SmallSwarm swarm = s_swarm with
        {
            MoreServices =
            [
                "{ vip: 10.0.1.20, protocol: tcp, port: 80, persistence: 60, servers: [10.0.1.3, 10.0.1.4] }",
                "{ vip: 10.0.1.20, protocol: tcp, port: 0, persistence: 60, servers: [10.0.1.6, 10.0.1.10] }",
            ],
        };
        using PickBench bench = new(swarm);
        Assert.Equal("BB", $"{bench.OpenFrom(SmallSwarm.Client, 1, vip: "10.0.1.20:80")}{bench.OpenFrom(SmallSwarm.Client, 2, vip: "10.0.1.20:80")}");

        // Port zero: all other ports, together.
        Assert.Equal("DD", $"{bench.OpenFrom(SmallSwarm.Client, 1, vip: "10.0.1.20:81")}{bench.OpenFrom(SmallSwarm.Client, 1, vip: "10.0.1.20:82")}");
        Assert.Equal(2, bench.Balancer.Templates.Count);
    }

    [Fact]
    public void Without_persistence_a_service_of_port_zero_takes_nothing()
    {
        using PickBench bench = new(new SmallSwarm
        {
            MoreServices = ["{ vip: 10.0.1.20, protocol: tcp, port: 0, servers: [10.0.1.6] }"],
        });
        Assert.Equal('-', bench.OpenFrom(SmallSwarm.Client, 1, vip: "10.0.1.20:81"));
    }

    private static void Complete(PickBench bench, int port)
    {
        string server = SmallSwarm.ServerAddresses[2];
        bench.Balancer.Send(PacketBuilder.Tcp($"{server}:80", $"{SmallSwarm.Lb}:{port}", TcpFlags.Syn | TcpFlags.Ack, 5000, 1001));
        bench.Balancer.Send(PacketBuilder.Tcp($"{SmallSwarm.Client}:{port}", $"{SmallSwarm.Vip}:80", TcpFlags.Ack, 1001, 5001));
        Assert.Contains(bench.Balancer.Connections, connection => connection.IpvsState == IpvsTcpState.Established);
    }
}
