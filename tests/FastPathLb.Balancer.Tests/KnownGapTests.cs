using FastPathLb.Balancer.Tests.Ipvs;
using FastPathLb.Balancer.Tests.Paths;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;
using static FastPathLb.Balancer.Tests.Paths.PathStep;
using static FastPathLb.Balancer.Tests.Paths.Traffic;

namespace FastPathLb.Balancer.Tests;

/// <summary>Rules of Linux that are found and not kept yet. Each fails when it is kept.</summary>
public sealed class KnownGapTests
{
    [Fact]
    public void A_router_records_itself_in_a_route()
    {
        // __ip_options_compile on the way in, ip_forward_options on the way out.
        byte[] before = [7, 7, 4, 0, 0, 0, 0, 0];
        byte[] after = [7, 7, 8, 10, 0, 1, 5, 0];
        PacketBuilder packet = PacketBuilder.Udp(Client, "10.0.1.3:9") with { Ipv4Options = before };
        Gap("the record-route option is filled in", new PathCase(
            "record route",
            In(packet).Becomes(packet with { TimeToLive = 63, Ipv4Options = after })));
    }

    [Fact]
    public void An_edited_service_keeps_where_its_scheduler_stood()
    {
        // ip_vs_edit_service binds a scheduler anew only where it is another one.
        KnownGap.Expect("a service that is edited keeps its scheduler's state", () =>
        {
            using PickBench bench = new("rr", 1, 1, 1);
            Assert.Equal("C", bench.Open(1));
            bench.Run("-E -f 273 -s rr");
            Assert.Equal("B", bench.Open(1));
        });
    }

    [Fact]
    public void An_answer_to_what_conntrack_found_invalid_is_un_NATed_too()
    {
        // Conntrack begins a second entry behind IPVS for a segment it found invalid (client to server, from the next free port). The
        // answer comes back by that entry as server to client, and ip_vs_conn_out_get finds the connection by just that.
        Gap("IPVS finds its connection by server and client whatever entry of conntrack the reply belongs to", new PathCase(
            "a RST that answers a segment out of the window",
            [
                .. Established,
                In(PacketBuilder.Tcp(Client, Vip, TcpFlags.Ack, 900_000_000, 5001))
                    .Becomes(PacketBuilder.Tcp(SmallSwarm.Lb + ":40001", Server, TcpFlags.Ack, 900_000_000, 5001) with { TimeToLive = 63 }),
                In(PacketBuilder.Tcp(Server, SmallSwarm.Lb + ":40001", TcpFlags.Ack, 5001, 1001))
                    .Becomes(PacketBuilder.Tcp(Vip, Client, TcpFlags.Ack, 5001, 1001) with { TimeToLive = 63 }),
            ]));
    }

    [Fact]
    public void An_answer_that_the_tunnel_swallows_says_so()
    {
        // The VXLAN device answers ARP by proxy and lets none out; the verdict tells of an answer that was never sent.
        Gap("the tunnel's reason reaches the verdict", new PathCase(
            "ARP through the tunnel",
            new SmallSwarm { AttachPoint = AttachPoint.Underlay },
            In(SmallSwarm.FromNode2.Wrap(PacketBuilder.Arp(MacAddress.Broadcast, new ArpFields(
                ArpOperation.Request, MacAddress.FromDocker(Ipv4Address.Parse(SmallSwarm.Client)), Ipv4Address.Parse(SmallSwarm.Client), default,
                Ipv4Address.Parse(SmallSwarm.Vip))))).Ends(Verdict.Dropped, DropReason.ArpAtTunnel)));
    }

    [Fact]
    public void A_packet_for_an_interface_without_a_cable_is_dropped()
    {
        // The ingress sandbox has eth1 to docker_gwbridge: what goes out there leaves no attach point, but must not throw.
        KnownGap.Expect("a frame that leaves by an interface nobody listens at is dropped for a reason", () =>
        {
            using TestBalancer balancer = new(new SmallSwarm
            {
                Namespaces =
                [
                    "lb: { interfaces: [{ name: eth0, index: 2, mac: 02:42:0a:00:01:05, mtu: 1450, addresses: [10.0.1.5/24, 10.0.1.2/32] }, "
                    + "{ name: eth1, index: 3, mac: 02:42:ac:12:00:02, mtu: 1500, addresses: [172.18.0.2/16] }] }",
                ],
            });
            Sent sent = balancer.Send(PacketBuilder.Udp(Client, "172.18.0.1:53"));
            Assert.Equal(Verdict.Dropped, sent.Verdict);
        });
    }

    private static void Gap(string why, PathCase item) => KnownGap.Expect(why, () =>
    {
        string? problem = item.Run();
        Assert.True(problem is null, problem);
    });
}
