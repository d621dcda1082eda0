using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tests.Ipvs;

/// <summary>What net.ipv4.vs.* changes.</summary>
public sealed class SysctlTests
{
    private const TcpFlags SynAck = TcpFlags.Syn | TcpFlags.Ack;
    private const TcpFlags FinAck = TcpFlags.Fin | TcpFlags.Ack;
    private const string Client = SmallSwarm.Client + ":1";
    private const string Vip = SmallSwarm.Vip + ":80";
    private const string Lb = SmallSwarm.Lb + ":1";

    [Theory]
    [InlineData(0, 'B')]
    [InlineData(1, 'A')]
    public void Conn_reuse_mode_decides_whether_a_closed_port_is_scheduled_anew(int mode, char expected)
    {
        using PickBench bench = Make(("vs.conn_reuse_mode", mode));
        LiveAndClose(bench);
        Assert.Equal(IpvsTcpState.TimeWait, Assert.Single(bench.Balancer.Connections).IpvsState);

        Assert.Equal(expected, bench.OpenFrom(SmallSwarm.Client, 1));
    }

    [Fact]
    public void Conn_reuse_mode_lets_an_open_connection_be()
    {
        using PickBench bench = Make(("vs.conn_reuse_mode", 1));
        Assert.Equal('B', bench.OpenFrom(SmallSwarm.Client, 1));
        Assert.Equal('B', bench.OpenFrom(SmallSwarm.Client, 1));
        Assert.Single(bench.Balancer.Connections);
    }

    [Fact]
    public void With_expire_nodest_conn_connections_end_with_their_server()
    {
        using PickBench bench = Make(("vs.expire_nodest_conn", 1));
        bench.OpenFrom(SmallSwarm.Client, 1);
        bench.Remove('B');
        Assert.Empty(bench.Balancer.Connections);

        // Nobody knows the connection any more: the load balancer's own stack resets it.
        Sent sent = bench.Balancer.Send(PacketBuilder.Tcp(Client, Vip, TcpFlags.Ack, 1001, 5001));
        Assert.Equal((Verdict.Answered, DropReason.LocalNoListener), (sent.Verdict, sent.Reason));
    }

    [Fact]
    public void Without_it_they_wait_for_it_to_come_back()
    {
        using PickBench bench = Make(("vs.expire_nodest_conn", 0));
        bench.OpenFrom(SmallSwarm.Client, 1);
        long counted = bench.Balancer.Server("10.0.1.4").Counters.Connections;
        bench.Remove('B');
        Sent sent = bench.Balancer.Send(PacketBuilder.Tcp(Client, Vip, TcpFlags.Ack, 1001, 5001));
        Assert.Equal((Verdict.Dropped, DropReason.IpvsServerGone), (sent.Verdict, sent.Reason));
        Assert.Equal('A', bench.OpenFrom(SmallSwarm.Client, 2));

        bench.Add('B');
        Assert.Equal("10.0.1.4", bench.Balancer.Send(PacketBuilder.Tcp(Client, Vip, TcpFlags.Ack, 1001, 5001)).Destination);
        Assert.Equal(counted, bench.Balancer.Server("10.0.1.4").Counters.Connections);
        Assert.Equal(1, bench.Balancer.Server("10.0.1.4").TotalConnections);
    }

    [Fact]
    public void A_removed_server_is_forgotten_after_two_minutes_without_connections()
    {
        using PickBench bench = Make(("vs.expire_nodest_conn", 1));
        bench.OpenFrom(SmallSwarm.Client, 1);
        Assert.Equal(1, bench.Balancer.Server("10.0.1.4").Counters.Connections);
        bench.Remove('B');
        bench.Balancer.Wait(100);
        bench.Add('B');
        Assert.Equal(1, bench.Balancer.Server("10.0.1.4").Counters.Connections);
        bench.Remove('B');
        bench.Balancer.Wait(250);
        bench.Add('B');
        Assert.Equal(0, bench.Balancer.Server("10.0.1.4").Counters.Connections);
    }

    [Fact]
    public void A_server_of_weight_0_keeps_its_connections()
    {
        using PickBench bench = Make(("vs.expire_nodest_conn", 0));
        bench.OpenFrom(SmallSwarm.Client, 1);
        bench.Edit('B', 0);
        Assert.Equal("10.0.1.4", bench.Balancer.Send(PacketBuilder.Tcp(Client, Vip, TcpFlags.Ack, 1001, 5001)).Destination);
        Assert.Equal("AAA", bench.Open(3));
    }

    [Fact]
    public void With_expire_nodest_conn_a_SYN_leaves_a_server_of_weight_0()
    {
        // expire_nodest_conn and weight 0: tcp.syn means the client begins anew (ip_vs_in_hook).
        using PickBench bench = Make(("vs.expire_nodest_conn", 1), ("vs.conn_reuse_mode", 0));
        LiveAndClose(bench);
        bench.Edit('B', 0);
        Assert.Equal('A', bench.OpenFrom(SmallSwarm.Client, 1));
    }

    [Fact]
    public void Secure_tcp_keeps_a_half_open_connection_half_open()
    {
        using PickBench plain = Make();
        plain.OpenFrom(SmallSwarm.Client, 1);
        plain.Balancer.Send(PacketBuilder.Tcp(Client, Vip, TcpFlags.Ack, 1001, 5001));
        Assert.Equal(IpvsTcpState.Established, plain.Balancer.Connections[0].IpvsState);

        using PickBench secure = Make(("vs.secure_tcp", 3));
        secure.OpenFrom(SmallSwarm.Client, 1);
        secure.Balancer.Send(PacketBuilder.Tcp(Client, Vip, TcpFlags.Ack, 1001, 5001));
        Assert.Equal(IpvsTcpState.SynReceived, secure.Balancer.Connections[0].IpvsState);
    }

    /// <summary>Half open connections go one by one, whichever second chance picks them.</summary>
    [Theory]
    [InlineData(0, 60)]
    [InlineData(1, 60)]
    [InlineData(3, 0)]
    public void Drop_entry_ends_half_open_connections_in_mode_3_alone(int mode, int left)
    {
        using PickBench bench = Make(("vs.drop_entry", mode));
        for (ushort port = 101; port <= 160; port++)
        {
            bench.OpenFrom(SmallSwarm.Client, port);
        }

        List<int> counts = [];
        for (int second = 0; second < 50; second++)
        {
            bench.Balancer.Wait(1);
            counts.Add(bench.Balancer.Connections.Count(connection => connection.IpvsState == IpvsTcpState.SynReceived));
        }

        if (left > 0)
        {
            Assert.Equal(left, counts[^1]);
        }
        else
        {
            // About one in 32 a second: of 60 some 48 are gone after 50 seconds.
            Assert.InRange(counts[^1], 1, 35);
            Assert.Equal(counts.OrderDescending(), counts);
        }
    }

    [Theory]
    [InlineData(0, "DCBA")]
    [InlineData(1, "DCBA")]
    [InlineData(2, "DCBA")]
    [InlineData(3, "-D-C")]
    public void Drop_packet_sheds_one_in_am_droprate_in_mode_3_alone(int mode, string picks)
    {
        // Modes 1 and 2 wait for memory to be short. The rate counts whether it was set before or after.
        using PickBench bench = new(new SmallSwarm { Servers = SmallSwarm.Weighted(1, 1, 1, 1) });
        Assert.Null(bench.Balancer.Run("sysctl -w net.ipv4.vs.am_droprate=2"));
        Assert.Null(bench.Balancer.Run($"sysctl -w net.ipv4.vs.drop_packet={mode}"));
        Assert.Equal(picks, bench.Open(4));
    }

    [Fact]
    public void Ipvsadm_set_changes_three_timeouts()
    {
        using PickBench bench = Make();
        bench.Run("--set 100 20 30");
        LiveAndClose(bench, close: false);
        Assert.Equal(100, Left(bench), 0.1);
        bench.Balancer.Send(PacketBuilder.Udp(SmallSwarm.Client + ":9", SmallSwarm.Vip + ":53"));
        Assert.Equal(30, (bench.Balancer.Connections[1].IpvsExpires - bench.Balancer.Now) / 1e9, 0.1);
        bench.Balancer.Send(PacketBuilder.Tcp("10.0.1.4:80", Lb, FinAck, 5001, 1001));
        Assert.Equal(IpvsTcpState.FinWait, bench.Balancer.Connections[0].IpvsState);
        Assert.Equal(20, Left(bench), 0.1);
    }

    [Fact]
    public void Without_conntrack_IPVS_translates_both_ways_alone()
    {
        using PickBench bench = Make(("vs.conntrack", 0));
        Assert.Equal('B', bench.OpenFrom(SmallSwarm.Client, 1));

        // No source translation: the server answers the client's own address, by way of the load balancer.
        Sent reply = bench.Balancer.Send(PacketBuilder.Tcp("10.0.1.4:80", Client, SynAck, 5000, 1001));
        Assert.Equal(Verdict.Forwarded, reply.Verdict);
        Assert.Equal(
            SmallSwarm.FromBalancer(PacketBuilder.Tcp(Vip, Client, SynAck, 5000, 1001) with { TimeToLive = 63 }).Build(), reply.Frame);
    }

    private static PickBench Make(params (string Name, int Value)[] sysctls) => new(new SmallSwarm
    {
        Sysctls = sysctls.ToDictionary(item => item.Name, item => item.Value),
    });

    private static double Left(PickBench bench) => (bench.Balancer.Connections[0].IpvsExpires - bench.Balancer.Now) / 1e9;

    // A connection to B, opened and, if asked for, closed by the client and then the server.
    private static void LiveAndClose(PickBench bench, bool close = true)
    {
        Assert.Equal('B', bench.OpenFrom(SmallSwarm.Client, 1));
        bench.Balancer.Send(PacketBuilder.Tcp("10.0.1.4:80", Lb, SynAck, 5000, 1001));
        bench.Balancer.Send(PacketBuilder.Tcp(Client, Vip, TcpFlags.Ack, 1001, 5001));
        if (close)
        {
            bench.Balancer.Send(PacketBuilder.Tcp(Client, Vip, FinAck, 1001, 5001));
            bench.Balancer.Send(PacketBuilder.Tcp("10.0.1.4:80", Lb, FinAck, 5001, 1002));
            bench.Balancer.Send(PacketBuilder.Tcp(Client, Vip, TcpFlags.Ack, 1002, 5002));
        }
    }
}
