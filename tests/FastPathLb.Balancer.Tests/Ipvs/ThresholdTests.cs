using FastPathLb.Balancer.Ipvs;
using FastPathLb.TestKit;

namespace FastPathLb.Balancer.Tests.Ipvs;

/// <summary>Overload with a lower and an upper threshold (ip_vs_dest_update_overload).</summary>
public sealed class ThresholdTests
{
    [Fact]
    public void Between_the_thresholds_it_stays_as_it_was()
    {
        using PickBench bench = new(new SmallSwarm { Servers = ["{ address: 10.0.1.3, upper: 4, lower: 2 }"] });
        RealServer server = bench.Balancer.Server("10.0.1.3");

        Assert.Equal("AAA", bench.Open(3));
        Assert.False(server.IsOverloaded);
        bench.Balancer.Wait(10);
        Assert.Equal("A-", bench.Open(2));
        Assert.True(server.IsOverloaded);

        // The first three end after a minute: on the way from two to one, below the lower threshold, it is free again.
        bench.Balancer.Wait(51);
        Assert.Equal((1, false), (server.TotalConnections, server.IsOverloaded));
        Assert.Equal("AAA-", bench.Open(4));
    }

    [Fact]
    public void Thresholds_may_change_while_running()
    {
        using PickBench bench = new("rr", 1);
        Assert.Equal("AAA", bench.Open(3));
        bench.Edit('A', 1, upper: 3);
        Assert.Equal("-", bench.Open(1));
        bench.Edit('A', 1, upper: 5);
        Assert.Equal("AA-", bench.Open(3));
        bench.Edit('A', 1);
        Assert.Equal("AAA", bench.Open(3));
    }

    [Fact]
    public void A_server_counts_what_is_open_and_what_is_closed()
    {
        using PickBench bench = new("rr", 1);
        RealServer server = bench.Balancer.Server("10.0.1.3");
        Assert.Equal("AAA", bench.Open(3));
        Assert.Equal((3, 0), (server.ActiveConnections, server.InactiveConnections));
        bench.Reset(2);
        Assert.Equal((2, 1), (server.ActiveConnections, server.InactiveConnections));
        bench.Balancer.Wait(11);
        Assert.Equal((2, 0), (server.ActiveConnections, server.InactiveConnections));
        bench.Balancer.Wait(60);
        Assert.Equal((0, 0), (server.ActiveConnections, server.InactiveConnections));
    }
}
