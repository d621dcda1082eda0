using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Workers;
using FastPathLb.Engine.Building;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tests.Workers;

/// <summary>What one worker cannot do alone it does while the others rest, and all know of it afterwards.</summary>
public sealed class WorkerGroupTests
{
    [Fact]
    public void A_connection_follows_its_frames_from_worker_to_worker()
    {
        using TestWorkers group = new(new SmallSwarm(), 3);
        string client = SmallSwarm.Client + ":40000";
        string vip = SmallSwarm.Vip + ":80";
        Sent opened = group.Send(0, PacketBuilder.Tcp(client, vip, TcpFlags.Syn, 1000));
        Assert.Equal(0, OwnerOf(opened));
        string server = opened.Destination + ":80";

        Sent answered = group.Send(2, PacketBuilder.Tcp(server, SmallSwarm.Lb + ":40000", TcpFlags.Syn | TcpFlags.Ack, 5000, 1001));
        Assert.Equal((Verdict.Forwarded, SmallSwarm.Client), (answered.Verdict, answered.Destination));
        Assert.Equal((opened.Connection, 2), (answered.Connection, OwnerOf(answered)));

        Sent acknowledged = group.Send(1, PacketBuilder.Tcp(client, vip, TcpFlags.Ack, 1001, 5001));
        Assert.Equal((Verdict.Forwarded, opened.Destination), (acknowledged.Verdict, acknowledged.Destination));
        Assert.Equal((opened.Connection, 1), (acknowledged.Connection, OwnerOf(acknowledged)));
        RealServer real = group.Built.First.Namespace.Ipvs.Services[0].Servers.Single(item => item.TotalConnections > 0);
        Assert.Equal((1, 1), (real.ActiveConnections, real.TotalConnections));

        // Its timer came along: it ends with the worker that has it now.
        group.Wait(6 * 24 * 3600);
        Assert.Equal((0, 0, 0), (group.Built.First.Table.Count, real.ActiveConnections, real.TotalConnections));

        int OwnerOf(Sent sent) => group.Built.First.Table[sent.Connection].Owner;
    }

    [Fact]
    public void Workers_that_share_a_table_without_a_group_leave_others_connections_alone()
    {
        using TestWorkers group = new(new SmallSwarm(), 2);
        LoadBalancer[] strangers = [.. group.Built.Members.Select(member => new LoadBalancer(member.Namespace, member.Device))];
        PacketBuilder syn = PacketBuilder.Tcp(SmallSwarm.Client + ":40000", SmallSwarm.Vip + ":80", TcpFlags.Syn, 1000);
        Assert.Equal((Verdict.Forwarded, DropReason.None), Send(strangers[0], syn));
        Assert.Equal((Verdict.Dropped, DropReason.OtherWorker), Send(strangers[1], syn));
        Assert.Equal((Verdict.Forwarded, DropReason.None), Send(strangers[0], syn));

        (Verdict Verdict, DropReason Reason) Send(LoadBalancer balancer, PacketBuilder packet)
        {
            FrameBatch batch = new();
            batch.TryAdd(SmallSwarm.ToBalancer(packet).Build(), group.Now += 1000);
            balancer.Process(batch);
            return (batch.Frames[0].Verdict, batch.Frames[0].Reason);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void A_question_is_answered_once_and_all_learn_who_asked(int worker)
    {
        using TestWorkers group = new(new SmallSwarm(), 3);
        MacAddress moved = MacAddress.Parse("02:42:0a:00:01:99");
        Ipv4Address server = Ipv4Address.Parse(SmallSwarm.ServerAddresses[0]);
        Sent sent = group.Send(worker, PacketBuilder.Arp(
            SmallSwarm.LbMac, new ArpFields(ArpOperation.Request, moved, server, default, Ipv4Address.Parse(SmallSwarm.Lb))));

        Assert.Equal(Verdict.Answered, sent.Verdict);
        Assert.Equal(moved, MacAddress.Read(sent.Frame));
        Assert.All(group.Built.Members, member => Assert.Equal(moved, member.Namespace.Neighbors.Entries[server.Value]));
    }

    [Fact]
    public void What_waits_for_a_next_hop_at_any_worker_is_sent_by_the_one_that_is_told()
    {
        using TestWorkers group = new(new SmallSwarm(), 2);
        int[] ports = [PortOf(0), PortOf(1)];
        foreach (int worker in (int[])[0, 1])
        {
            Sent opened = group.Send(
                worker, PacketBuilder.Tcp($"{SmallSwarm.Stranger}:{ports[worker]}", SmallSwarm.Vip + ":80", TcpFlags.Syn, 1000));
            Sent held = group.Send(worker, PacketBuilder.Tcp(
                opened.Destination + ":80", $"{SmallSwarm.Lb}:{ports[worker]}", TcpFlags.Syn | TcpFlags.Ack, 1, 1001));
            Assert.Equal(DropReason.NeighborUnresolved, held.Reason);
        }

        MacAddress mac = MacAddress.Parse("02:42:0a:00:01:4d");
        Sent told = group.Send(1, PacketBuilder.Arp(SmallSwarm.LbMac, new ArpFields(
            ArpOperation.Reply, mac, Ipv4Address.Parse(SmallSwarm.Stranger), SmallSwarm.LbMac, Ipv4Address.Parse(SmallSwarm.Lb))));
        Assert.Equal(2, told.Frames.Count);
        Assert.All(told.Frames, frame => Assert.Equal(mac, MacAddress.Read(frame)));
        Assert.Equal(ports.Order(), told.Frames.Select(frame => (frame[36] << 8) | frame[37]).Order());

        static int PortOf(int worker) => Enumerable.Range(40_000, 1000).First(port => FrameSteering.WorkerOfPort((ushort)port, 2) == worker);
    }

    [Fact]
    public void A_datagram_in_fragments_belongs_to_its_flows_connection_whoever_puts_it_together()
    {
        using TestWorkers group = new(new SmallSwarm(), 3);
        PacketBuilder whole = PacketBuilder.Udp(SmallSwarm.Client + ":40000", SmallSwarm.Vip + ":53", new byte[40]);
        Sent opened = group.Send(2, whole);
        byte[] packet = (whole with { DontFragment = false, Identification = 77 }).BuildPacket();
        PacketBuilder first = PacketBuilder.Other(SmallSwarm.Client, SmallSwarm.Vip, IpProtocol.Udp, packet.AsMemory(20, 24)) with
        {
            MoreFragments = true,
            DontFragment = false,
            Identification = 77,
        };
        PacketBuilder last = PacketBuilder.Other(SmallSwarm.Client, SmallSwarm.Vip, IpProtocol.Udp, packet.AsMemory(44)) with
        {
            FragmentOffsetBytes = 24,
            DontFragment = false,
            Identification = 77,
        };

        Assert.Equal(Verdict.Held, group.Send(0, first).Verdict);
        Sent sent = group.Send(0, last);
        Assert.Equal((Verdict.Forwarded, opened.Connection), (sent.Verdict, sent.Connection));
        Assert.All(sent.Frames, frame => Assert.Equal(opened.Destination, Ipv4Address.Read(frame.AsSpan(30)).ToString()));
        Assert.Equal(0, group.Built.First.Table[opened.Connection].Owner);
        Assert.Equal(opened.Destination, group.Send(2, whole).Destination);
    }

    [Fact]
    public void Counters_of_all_are_gathered_once()
    {
        using TestWorkers group = new(new SmallSwarm(), 3);
        for (int flow = 0; flow < 30; flow++)
        {
            group.Send(flow % 3, PacketBuilder.Udp($"{SmallSwarm.Client}:{40_000 + flow}", SmallSwarm.Vip + ":53"));
        }

        group.Built.Group.Gather();
        group.Built.Group.Gather();
        VirtualService service = group.Built.First.Namespace.Ipvs.Services[0];
        Assert.Equal((30, 30), (service.Counters.Connections, service.Counters.InPackets));
        Assert.All(service.Servers, server => Assert.Equal(15, server.Counters.Connections));
        Assert.Equal(30, group.Built.First.Balancer.Counters.FramesIn);
        Assert.Equal(0, group.Built.Members[1].Balancer.Counters.FramesIn);
    }

    [Fact]
    public void Round_robin_is_one_round_for_all()
    {
        using TestWorkers group = new(new SmallSwarm { Servers = [.. SmallSwarm.ServerAddresses.Take(4)] }, 3);
        Random random = new(1);
        string[] servers =
        [
            .. Enumerable.Range(0, 40).Select(flow => group.Send(
                random.Next(3), PacketBuilder.Udp($"{SmallSwarm.Client}:{40_000 + flow}", SmallSwarm.Vip + ":53")).Destination),
        ];
        Assert.Equal(4, servers[..4].Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(servers[..36], servers[4..]);
    }

    [Fact]
    public void Thresholds_hold_for_the_sum_of_all_workers()
    {
        SmallSwarm swarm = new() { Servers = ["{ address: 10.0.1.3, upper: 4 }", "10.0.1.4"], Scheduler = "wlc" };
        using TestWorkers group = new(swarm, 2);
        string[] servers =
        [
            .. Enumerable.Range(0, 20).Select(flow => group.Send(
                flow % 2, PacketBuilder.Udp($"{SmallSwarm.Client}:{40_000 + flow}", SmallSwarm.Vip + ":53")).Destination),
        ];
        Assert.Equal(4, servers.Count(server => server == "10.0.1.3"));
    }

    [Fact]
    public void A_change_reaches_all_and_ends_connections_of_each()
    {
        using TestWorkers group = new(
            new SmallSwarm { Sysctls = new Dictionary<string, int> { ["net.ipv4.vs.expire_nodest_conn"] = 1 } }, 2);
        for (int flow = 0; flow < 20; flow++)
        {
            group.Send(flow % 2, PacketBuilder.Udp($"{SmallSwarm.Client}:{40_000 + flow}", SmallSwarm.Vip + ":53"));
        }

        RealServer removed = group.Built.First.Namespace.Ipvs.Services[0].Servers[0];
        string address = new Ipv4Address(removed.Address).ToString();
        Assert.Equal(10, removed.TotalConnections);
        Change($"ipvsadm -d -f {SmallSwarm.Mark} -r {address}:0");
        Assert.All(group.Built.Members, member => Assert.Single(member.Namespace.Ipvs.Services[0].Servers));
        for (int flow = 0; flow < 20; flow++)
        {
            Sent sent = group.Send(flow % 2, PacketBuilder.Udp($"{SmallSwarm.Client}:{40_000 + flow}", SmallSwarm.Vip + ":53"));
            Assert.NotEqual(address, sent.Destination);
        }

        Change($"ipvsadm -a -f {SmallSwarm.Mark} -r {address}:0 -m -w 1");
        HashSet<string> met = [];
        for (int flow = 20; flow < 24; flow++)
        {
            met.Add(group.Send(flow % 2, PacketBuilder.Udp($"{SmallSwarm.Client}:{40_000 + flow}", SmallSwarm.Vip + ":53")).Destination);
        }

        Assert.Equal(2, met.Count);

        void Change(string command) => group.Built.Change(member =>
            Assert.Null(CommandApplier.Apply(member, NodeState.NodeCommandReader.Parse(command), group.Now)));
    }
}
