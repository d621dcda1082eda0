using FastPathLb.Engine.Building;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tests.Workers;

/// <summary>
/// Workers that open many connections claim picks ahead. Rounds stay whole: no pick is lost or made twice, and none that was claimed is used
/// after the servers changed.
/// </summary>
public sealed class ClaimedPicksTests
{
    private const int Workers = 2;

    private int _port = 20_000;

    [Theory]
    [InlineData("rr")]
    [InlineData("wrr")]
    public void Bursts_of_workers_take_turns_as_one_round(string scheduler)
    {
        using TestWorkers group = NewGroup(scheduler);
        string order = string.Concat(Enumerable.Range(0, 6).Select(burst => OpenMany(group, burst % Workers, 64)));
        Assert.Equal(384, order.Length);
        AssertShares(order, scheduler);

        // Bursts of full claims leave none: each worker goes on where the other one ended.
        string cycle = order[64..(64 + PeriodOf(scheduler))];
        Assert.Equal(string.Concat(Enumerable.Repeat(cycle, 80))[..320], order[64..]);
    }

    [Theory]
    [InlineData("rr")]
    [InlineData("wrr")]
    public void What_a_burst_left_is_used_by_the_next_connections(string scheduler)
    {
        using TestWorkers group = NewGroup(scheduler);
        string first = OpenMany(group, 0, 64);

        // The batch before tells how many are claimed, so that this one leaves what it does not use.
        string few = OpenMany(group, 0, 64, known: 44);
        string other = OpenMany(group, 1, 64);
        string rest = OpenMany(group, 0, 44);
        AssertShares(first + few + rest + other, scheduler);
        AssertShares(few + rest, scheduler);
    }

    [Fact]
    public void Single_connections_are_in_one_order_whoever_opens_them()
    {
        using TestWorkers group = NewGroup("rr");
        string order = string.Concat(Enumerable.Range(0, 40).Select(index => OpenMany(group, index * 7 % 3 % Workers, 1)));
        Assert.Equal(string.Concat(Enumerable.Repeat(order[..4], 10)), order);
    }

    [Theory]
    [InlineData("-d -f 273 -r 10.0.1.3:0")]
    [InlineData("-e -f 273 -r 10.0.1.3:0 -m -w 0")]
    [InlineData("-E -f 273 -s wlc")]
    public void Nothing_that_was_claimed_outlives_a_change(string command)
    {
        using TestWorkers group = NewGroup("rr");
        OpenMany(group, 0, 64);
        OpenMany(group, 0, 64, known: 48);
        group.Built.Change(member => Assert.Null(
            CommandApplier.Apply(member, NodeState.NodeCommandReader.Parse("ipvsadm " + command), group.Now)));

        // A has its share already, and a quarter of the weight of the next one's: by weight it is nobody's choice now.
        string after = OpenMany(group, 0, 40) + OpenMany(group, 1, 40);
        Assert.Equal(80, after.Length);
        Assert.DoesNotContain('A', after);
    }

    [Fact]
    public void Frames_that_have_turns_claim_nothing()
    {
        using TestWorkers group = NewGroup("rr");
        OpenMany(group, 0, 64);
        ushort[] turns = [.. Enumerable.Range(0, 8).Select(_ => group.Built.Group.Turns.Deal())];
        string order = string.Concat(Enumerable.Range(0, 4).Select(pair =>
            OpenMany(group, 0, 1, turns[pair * 2]) + OpenMany(group, 1, 1, turns[(pair * 2) + 1])));
        Assert.Equal(order[..4], order[4..]);
        Assert.Equal(4, order[..4].Distinct().Count());
    }

    private static TestWorkers NewGroup(string scheduler)
    {
        TestWorkers group = new(
            new SmallSwarm
            {
                Scheduler = scheduler,
                Servers = [.. SmallSwarm.ServerAddresses.Take(4).Select((address, index) => $"{{ address: {address}, weight: {index + 1} }}")],
            },
            Workers);

        // Each worker learns of all servers what the general path decides, so that it opens by the short way.
        for (int index = 0; index < 40; index++)
        {
            group.Send(index % 4 / 2, Syn(10_000 + index));
        }

        return group;
    }

    private static int PeriodOf(string scheduler) => scheduler == "rr" ? 4 : 10;

    private static void AssertShares(string order, string scheduler)
    {
        double whole = scheduler == "rr" ? 4 : 10;
        foreach (char server in "ABCD")
        {
            int weight = scheduler == "rr" ? 1 : server - 'A' + 1;
            Assert.InRange(order.Count(each => each == server), (order.Length * weight / whole) - 4, (order.Length * weight / whole) + 4);
        }
    }

    private static PacketBuilder Syn(int port) => PacketBuilder.Tcp($"{SmallSwarm.Client}:{port}", SmallSwarm.Vip + ":80", TcpFlags.Syn, 1000);

    /// <summary>Opens connections by one batch.</summary>
    /// <param name="group">The workers.</param>
    /// <param name="worker">Who gets the batch.</param>
    /// <param name="count">Its frames.</param>
    /// <param name="turn">The turn of them.</param>
    /// <param name="known">How many of them, at its end, are of connections that are open: of those opened last.</param>
    /// <returns>Letters of the servers of those that were opened.</returns>
    private string OpenMany(TestWorkers group, int worker, int count, ushort turn = 0, int known = 0)
    {
        PacketBuilder[] packets = [.. Enumerable.Range(0, count).Select(index => Syn(index < count - known ? _port++ : 20_000 + index - count + known))];
        return string.Concat(group.SendAll(worker, packets, turn).Take(count - known).Select(frame =>
            (char)('A' + SmallSwarm.ServerAddresses.ToList().IndexOf(Ipv4Address.Read(frame.AsSpan(30)).ToString()))));
    }
}
