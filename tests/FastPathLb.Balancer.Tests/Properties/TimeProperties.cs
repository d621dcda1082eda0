using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;
using FsCheck;
using FsCheck.Fluent;

namespace FastPathLb.Balancer.Tests.Properties;

/// <summary>What happens in a pause does not depend on how often somebody looked at the clock meanwhile.</summary>
public sealed class TimeProperties
{
    private const double StepSeconds = 0.1;

    private static readonly SmallSwarm s_persistent = new()
    {
        PersistenceSeconds = 90,
        Servers = [.. SmallSwarm.ServerAddresses.Take(3)],
    };

    [Fact]
    public void A_clock_that_goes_back_ends_nothing_early_and_hangs_nowhere()
    {
        // A node's clock is set back an hour: the kernel counts on. A connection lives its whole time from its latest packet, fragments
        // that are never completed are given up after thirty seconds, and what is sent has the time of the frame that caused it.
        const long Second = 1_000_000_000;
        using TestBalancer balancer = new(new SmallSwarm());
        PacketBuilder datagram = PacketBuilder.Udp(SmallSwarm.Client + ":1", SmallSwarm.Vip + ":53", new byte[64]) with { DontFragment = false };
        balancer.Send(datagram);
        balancer.Wait(200);
        long back = balancer.Now - (3600 * Second);
        balancer.Now = back;
        balancer.Send(datagram);
        Assert.Equal(back + 1000, balancer.SentAt[0]);
        Assert.Equal(Verdict.Held, balancer.Send(datagram with
        {
            Payload = datagram.BuildPacket().AsMemory(20, 40),
            IsRawPayload = true,
            MoreFragments = true,
            Identification = 7,
        }).Verdict);

        balancer.Now = back + (3600 * Second);
        balancer.Wait(299);
        Assert.Single(balancer.Connections);
        balancer.Wait(2);
        Assert.Empty(balancer.Connections);
    }

    [Fact]
    public void A_leap_is_as_good_as_many_steps() => Compare(new SmallSwarm { Servers = [.. SmallSwarm.ServerAddresses.Take(3)] });

    [Fact]
    public void A_leap_is_as_good_as_many_steps_where_templates_wait_for_connections() => Compare(s_persistent);

    [Fact]
    public void A_leap_is_as_good_as_many_steps_for_a_removed_server() =>
        Assert.Equal(CountsAfterReturn(StepSeconds), CountsAfterReturn(double.MaxValue));

    // What a server has counted that was removed with a connection open and comes back after an hour.
    private static long CountsAfterReturn(double stepSeconds)
    {
        using TestBalancer balancer = new(new SmallSwarm
        {
            Servers = [SmallSwarm.ServerAddresses[0]],
            Sysctls = new Dictionary<string, int> { ["vs.expire_nodest_conn"] = 0 },
        });
        balancer.Send(PacketBuilder.Tcp(SmallSwarm.Client + ":1", SmallSwarm.Vip + ":80", TcpFlags.Syn, 1000));
        Assert.Null(balancer.Run($"ipvsadm -d -f 273 -r {SmallSwarm.ServerAddresses[0]}:0"));
        for (double left = 3600; left > 0; left -= stepSeconds)
        {
            balancer.Wait(Math.Min(left, stepSeconds));
        }

        Assert.Null(balancer.Run($"ipvsadm -a -f 273 -r {SmallSwarm.ServerAddresses[0]}:0 -m"));
        return balancer.Server(SmallSwarm.ServerAddresses[0]).Counters.Connections;
    }

    private static void Compare(SmallSwarm swarm) => Check.One(Seeded.Config(40, 4), Prop.ForAll(Act.Lists(changesServers: false), acts =>
    {
        using TestBalancer leaping = new(swarm);
        using TestBalancer stepping = new(swarm);
        foreach (Act act in acts)
        {
            if (act.Kind == ActKind.Wait)
            {
                leaping.Wait(act.Seconds);
                for (double left = act.Seconds; left > 0; left -= StepSeconds)
                {
                    stepping.Wait(Math.Min(left, StepSeconds));
                }

                stepping.Now = leaping.Now;
                stepping.Wait(0);
            }
            else
            {
                PacketBuilder packet = PacketOf(act);
                leaping.Send(packet);
                stepping.Send(packet);
            }

            Assert.Equal(Describe(stepping), Describe(leaping));
        }
    }));

    private static PacketBuilder PacketOf(Act act)
    {
        string client = $"{(act.Flow % 2 == 0 ? SmallSwarm.Client : SmallSwarm.OtherClient)}:{1000 + act.Flow}";
        string vip = $"{SmallSwarm.Vip}:{(act.Flow < 3 ? 80 : 443)}";
        return act.Kind switch
        {
            ActKind.ClientDatagram or ActKind.ServerDatagram => PacketBuilder.Udp(client, vip),
            ActKind.ClientAck or ActKind.ServerAck => PacketBuilder.Tcp(client, vip, TcpFlags.Ack, 1001, 5001),
            ActKind.ClientFin or ActKind.ServerFin => PacketBuilder.Tcp(client, vip, TcpFlags.Fin | TcpFlags.Ack, 1001, 5001),
            ActKind.ClientRst or ActKind.ServerRst => PacketBuilder.Tcp(client, vip, TcpFlags.Rst, 1001),
            _ => PacketBuilder.Tcp(client, vip, TcpFlags.Syn, 1000),
        };
    }

    // Connections and templates that are alive, each with its end to a tenth of a second.
    private static string Describe(TestBalancer balancer) => string.Join('\n', balancer.Connections.Concat(balancer.Templates)
        .Select(connection => $"{connection.Original.Kind} {connection.Original} {balancer.ServerOf(connection)} {connection.IpvsState} "
            + $"{connection.Control > 0} {(connection.Flags & ConnectionFlags.TemplateAssured) != 0} "
            + $"{(connection.IpvsExpires - TestBalancer.Epoch) / 1_000_000_000.0:F0}")
        .Order(StringComparer.Ordinal));
}
