using FastPathLb.Balancer.Ipvs.Scheduling;
using FastPathLb.TestKit;

namespace FastPathLb.Balancer.Tests.Ipvs;

/// <summary>Each scheduler against sequences worked out by hand from its kernel file.</summary>
public sealed class SchedulerTests
{
    public static TheoryData<string> Names => [.. SchedulerCatalog.Names];

    [Fact]
    public void An_edited_service_keeps_where_its_scheduler_stood()
    {
        // ip_vs_edit_service binds a scheduler anew only where it is another one.
        using PickBench bench = new("rr", 1, 1, 1);
        Assert.Equal("C", bench.Open(1));
        bench.Run("-E -f 273 -s rr");
        Assert.Equal("B", bench.Open(1));
        bench.Run("-E -f 273 -s wrr");
        Assert.Equal("C", bench.Open(1));
    }

    public static TheoryData<string, int[], string> Sequences => new()
    {
        // ip_vs_rr.c: one after the other, weights apart from 0 do not count.
        { "rr", [1, 1, 1, 1], "DCBADCBAD" },
        { "rr", [5, 1, 9], "CBACBA" },
        { "rr", [1, 1, 0, 1], "DBADBA" },
        { "rr", [1], "AAA" },

        // ip_vs_wrr.c. Weights 1 2 4: the servers came one by one, so that the first pass is with cw 1; then cw 4, 3, 2, 1 over C B A.
        { "wrr", [1, 2, 4], "CBA" + "C" + "C" + "CB" + "CBA" + "CCCB" },

        // The divisor is 2, so that the highest is lowered by 1: passes with cw 1, then 3 and 1.
        { "wrr", [2, 4], "BA" + "B" + "BA" + "BBA" },
        { "wrr", [1, 1, 1], "CBACBA" },
        { "wrr", [0, 2], "BBB" },
        { "wrr", [3, 0, 1], "CA" + "A" + "A" + "CA" + "AACA" },

        // ip_vs_lc.c: an open connection counts 256; the first in the list wins ties.
        { "lc", [1, 1, 1], "CBACBA" },
        { "lc", [1, 0, 1], "CACA" },

        // ip_vs_wlc.c. Weights 1 3: A takes one when B has more than three times as many.
        { "wlc", [1, 3], "BABBBABBBA" },
        { "wlc", [1, 3, 0], "BABBBABBBA" },

        // ip_vs_sed.c: the connection to come counts.
        { "sed", [1, 3], "BBBABBBA" },
        { "sed", [2, 0, 2], "CACACA" },

        // ip_vs_nq.c: the idle ones first, then as sed.
        { "nq", [1, 3], "BABBBBBA" },
        { "nq", [1, 0, 1], "CACA" },

        // ip_vs_fo.c, ip_vs_ovf.c: the highest weight; ovf until it has more connections than that.
        { "fo", [1, 3, 2], "BBBBBB" },
        { "ovf", [2, 1], "AAABB-" },
        { "ovf", [1, 1], "BBAA-" },

        // ip_vs_dh.c: 10.0.1.2 * 0x61C88647 has 82 for its highest byte; 82 mod 4 is the third of D C B A, mod 3 the second of C B A.
        { "dh", [1, 1, 1, 1], "BBB" },
        { "dh", [1, 1, 1], "BBB" },
        { "dh", [7, 1], "BBB" },
        { "dh", [1, 0, 1], "---" },
    };

    [Theory]
    [MemberData(nameof(Sequences))]
    public void Connections_go_to_servers_in_this_order(string scheduler, int[] weights, string expected)
    {
        using PickBench bench = new(scheduler, weights);

        Assert.Equal(expected, bench.Open(expected.Length));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Without_a_server_that_takes_any_there_is_none(string scheduler)
    {
        using PickBench empty = new(scheduler);
        Assert.Equal("--", empty.Open(2));
        using PickBench idle = new(scheduler, 0, 0, 0);
        Assert.Equal("--", idle.Open(2));
        idle.Edit('B', 1);
        string picks = idle.Open(2);
        Assert.True(picks == "BB" || (picks == "--" && scheduler is "dh" or "sh" or "mh"), $"{scheduler}: {picks}");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_only_server_takes_all(string scheduler)
    {
        using PickBench bench = new(scheduler, 9);
        Assert.Equal("AAA", bench.Open(3));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_overloaded_server_takes_no_more_until_it_has_fewer(string scheduler)
    {
        using PickBench bench = new(new SmallSwarm { Scheduler = scheduler, Servers = ["{ address: 10.0.1.3, weight: 9, upper: 2 }"] });

        Assert.Equal("AA--", bench.Open(4));
        Assert.True(bench.Balancer.Server("10.0.1.3").IsOverloaded);

        // Both have no answer for a minute and expire. The lower threshold is three quarters of 2, rounded up.
        bench.Balancer.Wait(61);
        Assert.False(bench.Balancer.Server("10.0.1.3").IsOverloaded);
        Assert.Equal("AA-", bench.Open(3));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Servers_may_come_and_go_at_any_time(string scheduler)
    {
        for (int seed = 0; seed < 5; seed++)
        {
            using PickBench bench = new(scheduler);
            Random random = new(seed);
            Dictionary<char, int> weights = [];
            for (int step = 0; step < 150; step++)
            {
                char server = (char)('A' + random.Next(5));
                int weight = random.Next(4);
                switch (random.Next(5))
                {
                    case 0 when weights.TryAdd(server, weight):
                        bench.Add(server, weight);
                        break;
                    case 1 when weights.Remove(server):
                        bench.Remove(server);
                        break;
                    case 2 when weights.ContainsKey(server):
                        weights[server] = weight;
                        bench.Edit(server, weight);
                        break;
                    default:
                        char pick = bench.Open(1)[0];
                        bool couldPick = weights.Values.Any(value => value > 0);
                        Assert.True(
                            pick == '-' ? !couldPick || scheduler is "dh" or "sh" or "mh" or "ovf" : weights.GetValueOrDefault(pick) > 0,
                            $"{scheduler}, seed {seed}, step {step}: picked {pick} of {string.Join(' ', weights)}");
                        break;
                }
            }
        }
    }

    [Fact]
    public void Rr_goes_on_behind_a_server_that_was_added_in_front()
    {
        using PickBench bench = new("rr", 1, 1, 1, 1);
        Assert.Equal("D", bench.Open(1));
        bench.Add('E');
        Assert.Equal("CBAEDC", bench.Open(6));
    }

    [Fact]
    public void Rr_goes_on_behind_a_server_that_was_removed()
    {
        using PickBench bench = new("rr", 1, 1, 1, 1);
        Assert.Equal("DC", bench.Open(2));
        bench.Remove('C');
        Assert.Equal("BADB", bench.Open(4));
        bench.Remove('A');
        Assert.Equal("DBD", bench.Open(3));
    }

    [Fact]
    public void Rr_begins_anew_where_the_first_of_the_list_was_removed()
    {
        using PickBench bench = new("rr", 1, 1, 1);
        Assert.Equal("C", bench.Open(1));
        bench.Remove('C');
        Assert.Equal("BAB", bench.Open(3));
    }

    [Fact]
    public void Rr_passes_over_an_overloaded_server()
    {
        using PickBench bench = new("rr", 1, 1, 1);
        bench.Edit('B', 1, upper: 1);
        Assert.Equal("CBACACA", bench.Open(7));
    }

    [Fact]
    public void Wrr_measures_again_when_a_weight_changes()
    {
        using PickBench bench = new("wrr", 1, 2, 4);
        Assert.Equal("CB", bench.Open(2));

        // From the list's head again, with cw 1 as before; then 4, 3, 2, 1.
        bench.Edit('A', 3);
        Assert.Equal("CBA" + "C" + "CA" + "CBA" + "CBA", bench.Open(12));
    }

    [Fact]
    public void Wrr_passes_over_an_overloaded_server()
    {
        using PickBench bench = new("wrr", 1, 1);
        bench.Edit('B', 1, upper: 1);
        Assert.Equal("BAAA", bench.Open(4));
    }

    [Fact]
    public void Lc_counts_a_closed_connection_as_one()
    {
        using PickBench bench = new("lc", 1, 1, 1);
        Assert.Equal("CBA", bench.Open(3));
        bench.Reset(2);
        Assert.Equal("B", bench.Open(1));
        bench.Reset(1);
        bench.Reset(3);
        Assert.Equal("CAC", bench.Open(3));
    }

    [Fact]
    public void Fo_takes_the_next_where_the_highest_is_full_or_gone()
    {
        using PickBench bench = new("fo", 1, 3, 2);
        bench.Edit('B', 3, upper: 2);
        Assert.Equal("BBCC", bench.Open(4));
        bench.Remove('C');
        Assert.Equal("A", bench.Open(1));
        bench.Edit('B', 3, upper: 5);
        Assert.Equal("B", bench.Open(1));
    }

    [Theory]
    [InlineData("10.0.1.8", 'C')] // 156 mod 3 is 0
    [InlineData("10.0.1.9", 'A')] // 254 mod 3 is 2
    [InlineData("10.0.2.1", 'B')] // 184 mod 3 is 1
    [InlineData("10.0.2.4", 'C')] // 222 mod 3 is 0
    public void Sh_hashes_the_client(string client, char expected)
    {
        using PickBench bench = new("sh", 1, 1, 1);
        Assert.Equal(expected, bench.Pick(client, 1));
        Assert.Equal(expected, bench.Pick(client, 2));
    }

    [Theory]
    [InlineData("10.0.1.8", 'B')] // 156 mod 4 is 0
    [InlineData("10.0.1.9", 'B')] // 254 mod 4 is 2
    [InlineData("10.0.1.7", 'A')] // 59 mod 4 is 3
    [InlineData("10.0.2.7", 'A')] // 3
    public void Sh_fills_its_buckets_by_weight(string client, char expected)
    {
        using PickBench bench = new("sh", 1, 3);
        Assert.Equal(expected, bench.Pick(client));
    }

    [Theory]
    [InlineData("10.0.1.8", 'B')] // 64 mod 3 is 1
    [InlineData("10.0.1.9", 'C')] // 162 mod 3 is 0
    [InlineData("10.0.2.1", 'A')] // 92 mod 3 is 2
    public void Sh_port_hashes_the_port_too(string client, char expected)
    {
        using PickBench bench = new(new SmallSwarm
        {
            Scheduler = "sh",
            SchedulerFlags = ["sh-port"],
            Servers = SmallSwarm.Weighted(1, 1, 1),
        });
        Assert.Equal(expected, bench.Pick(client));
    }

    [Fact]
    public void Sh_fallback_takes_another_bucket_where_the_server_takes_none()
    {
        using PickBench plain = new("sh", 1, 0);
        Assert.Equal('-', plain.Pick("10.0.1.8"));

        // Bucket 156 is B's, which takes none; then 56, B's too, then 57, A's.
        using PickBench bench = new(new SmallSwarm
        {
            Scheduler = "sh",
            SchedulerFlags = ["sh-fallback"],
            Servers = SmallSwarm.Weighted(1, 0),
        });
        Assert.Equal('A', bench.Pick("10.0.1.8"));
    }

    [Fact]
    public void Mh_shares_by_weight_and_moves_few_when_a_server_goes()
    {
        using PickBench bench = new("mh", 1, 2, 1);
        Dictionary<string, char> before = Enumerable.Range(0, 4000).ToDictionary(index => $"10.{index >> 8}.{index & 255}.1", _ => ' ');
        foreach (string client in before.Keys)
        {
            before[client] = bench.Pick(client);
        }

        Assert.InRange(before.Values.Count(pick => pick == 'A'), 850, 1150);
        Assert.InRange(before.Values.Count(pick => pick == 'B'), 1850, 2150);
        Assert.InRange(before.Values.Count(pick => pick == 'C'), 850, 1150);

        bench.Remove('C');
        int moved = before.Count(item => item.Value != 'C' && bench.Pick(item.Key) != item.Value);
        Assert.InRange(moved, 0, 600);

        bench.Add('C');
        Assert.All(before, item => Assert.Equal(item.Value, bench.Pick(item.Key)));
    }

    [Fact]
    public void Mh_keeps_the_place_of_a_server_of_weight_0()
    {
        using PickBench bench = new("mh", 1, 1);
        string[] clients = [.. Enumerable.Range(0, 200).Select(index => $"10.9.{index}.1")];
        char[] before = [.. clients.Select(client => bench.Pick(client))];
        bench.Edit('B', 0);

        // last_weight keeps the table as it was: B's clients have nobody, unless mh-fallback finds them somebody.
        Assert.Equal(before.Select(pick => pick == 'B' ? '-' : pick), clients.Select(client => bench.Pick(client)));
        bench.Run("-E -f 273 -s mh -b mh-fallback");
        Assert.All(clients, client => Assert.Equal('A', bench.Pick(client)));
    }

    [Fact]
    public void Mh_port_hashes_the_port_too()
    {
        using PickBench plain = new("mh", 1, 1);
        using PickBench ports = new(new SmallSwarm { Scheduler = "mh", SchedulerFlags = ["mh-port"], Servers = SmallSwarm.Weighted(1, 1) });
        Assert.Single(Enumerable.Range(1, 100).Select(port => plain.Pick("10.0.1.8", (ushort)port)).Distinct());
        Assert.Equal(2, Enumerable.Range(1, 100).Select(port => ports.Pick("10.0.1.8", (ushort)port)).Distinct().Count());
    }

    [Fact]
    public void A_service_may_change_its_scheduler_while_running()
    {
        using PickBench bench = new("rr", 1, 3);
        Assert.Equal("BAB", bench.Open(3));
        bench.Run("-E -f 273 -s fo");
        Assert.Equal("BBB", bench.Open(3));
        bench.Run("-E -f 273 -s rr");
        Assert.Equal("BA", bench.Open(2));
    }

    [Fact]
    public void A_scheduler_that_is_not_known_is_refused()
    {
        Assert.False(SchedulerCatalog.Contains("lblc"));
        Assert.All(SchedulerCatalog.Names, name => Assert.True(SchedulerCatalog.Contains(name)));
        Assert.ThrowsAny<Exception>(() => new PickBench("lblc", 1));
    }
}
