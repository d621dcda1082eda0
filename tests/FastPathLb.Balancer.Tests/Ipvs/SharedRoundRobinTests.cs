using FastPathLb.Balancer.Ipvs;
using FastPathLb.Conntrack;

namespace FastPathLb.Balancer.Tests.Ipvs;

/// <summary>rr where workers share it: one round of all, whoever claims how many.</summary>
public sealed class SharedRoundRobinTests
{
    private const int Servers = 61;
    private const int Threads = 4;
    private const int ClaimsOfThread = 4_000;
    private const int ClaimMax = 48;

    private delegate int Claiming(Span<int> places);

    [Fact]
    public void The_round_goes_on_while_it_is_shared_and_after()
    {
        using PickBench bench = new("rr", 1, 1, 1, 1);
        Assert.Equal("D", bench.Open(1));
        bench.Balancer.Service.Scheduler.BeginSharing();
        Assert.Equal("CBADC", Claim(bench, 5));
        Assert.Equal('B', PickOne(bench));
        Assert.Equal("A", Claim(bench, 1));
        bench.Balancer.Service.Scheduler.EndSharing();
        Assert.Equal("DCB", bench.Open(3));
    }

    [Fact]
    public void A_round_that_has_not_begun_begins_at_the_lists_head()
    {
        using PickBench bench = new("rr", 1, 1, 1);
        bench.Balancer.Service.Scheduler.BeginSharing();
        bench.Balancer.Service.Scheduler.EndSharing();
        Assert.Equal("C", bench.Open(1));
    }

    [Fact]
    public void Changes_between_meet_the_round_where_it_stood()
    {
        using PickBench bench = new("rr", 1, 1, 1, 1);
        bench.Balancer.Service.Scheduler.BeginSharing();
        Assert.Equal("DC", Claim(bench, 2));
        bench.Balancer.Service.Scheduler.EndSharing();
        bench.Remove('C');
        bench.Add('E');
        bench.Balancer.Service.Scheduler.BeginSharing();
        Assert.Equal("BAEDB", Claim(bench, 5));
        bench.Balancer.Service.Scheduler.EndSharing();
    }

    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(48)]
    public void Who_takes_nothing_is_passed_over_and_claims_are_full_all_the_same(int count)
    {
        using PickBench bench = new("rr", 1, 1, 0, 1);
        bench.Balancer.Service.Scheduler.BeginSharing();
        Assert.Equal(string.Concat(Enumerable.Repeat("DBA", count))[..count], Claim(bench, count));
        Assert.Equal("DBA"[count % 3], PickOne(bench));
    }

    [Fact]
    public void Where_nobody_takes_any_nothing_is_claimed()
    {
        using PickBench bench = new("rr", 0, 0);
        bench.Balancer.Service.Scheduler.BeginSharing();
        Assert.Equal("", Claim(bench, 8));
        Assert.Equal('-', PickOne(bench));
    }

    [Fact]
    public void No_turn_of_the_round_is_lost_or_taken_twice_by_threads()
    {
        using ConnectionTable table = new(16);
        VirtualService service = NewService(table);
        service.Scheduler.BeginSharing();
        int[] counts = Race(service.Scheduler.Claim);
        Assert.InRange(counts.Max() - counts.Min(), 0, 1);
    }

    [Fact]
    public void Who_comes_between_does_not_make_the_only_server_be_missed()
    {
        using ConnectionTable table = new(16);
        VirtualService service = NewService(table);
        foreach (RealServer server in service.Servers.Skip(1))
        {
            server.Weight = 0;
        }

        service.Scheduler.BeginSharing();
        int[] counts = Race(places =>
        {
            places[0] = service.Scheduler.PickAmongWorkers(0, 0, 0) is null ? 1 : 0;
            return 1;
        });
        Assert.Equal(0, counts[1]);
        Assert.Equal(Threads * ClaimsOfThread, counts[0]);
    }

    [Fact]
    public void The_race_shows_a_round_whose_turns_are_not_counted_at_once()
    {
        long shared = 0;
        int[] counts = Race(places =>
        {
            long first = Volatile.Read(ref shared);
            Thread.Yield();
            Volatile.Write(ref shared, first + places.Length);
            for (int index = 0; index < places.Length; index++)
            {
                places[index] = (int)((first + index) % Servers);
            }

            return places.Length;
        });
        Assert.True(counts.Max() - counts.Min() > 1, "the race cannot tell a wrong round from a right one");
    }

    private static string Claim(PickBench bench, int count)
    {
        VirtualService service = bench.Balancer.Service;
        int[] places = new int[count];
        int claimed = service.Scheduler.Claim(places);
        return string.Concat(places.Take(claimed).Select(place =>
            PickBench.LetterOf(new Wire.Ipv4Address(service.Servers[place].Address).ToString())));
    }

    private static char PickOne(PickBench bench) =>
        bench.Balancer.Service.Scheduler.PickAmongWorkers(0, 0, 0) is { } server
            ? PickBench.LetterOf(new Wire.Ipv4Address(server.Address).ToString()) : '-';

    private static VirtualService NewService(ConnectionTable table)
    {
        VirtualService service = new(default, "rr", []);
        for (int number = 0; number < Servers; number++)
        {
            service.Link(new RealServer(number, service, (uint)number, 0, table, 0) { Weight = 1 });
        }

        return service;
    }

    /// <summary>Claims from several threads at the same time.</summary>
    /// <returns>How often each server was picked.</returns>
    private static int[] Race(Claiming claim)
    {
        int[] counts = new int[Servers];
        using Barrier barrier = new(Threads);
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(seed => new Thread(() =>
        {
            Random random = new(seed);
            int[] places = new int[ClaimMax];
            barrier.SignalAndWait();
            for (int turn = 0; turn < ClaimsOfThread; turn++)
            {
                int claimed = claim(places.AsSpan(0, random.Next(1, ClaimMax + 1)));
                foreach (int place in places.AsSpan(0, claimed))
                {
                    Interlocked.Increment(ref counts[place]);
                }
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        return counts;
    }
}
