using System.Diagnostics;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Engine.Building;
using FastPathLb.TestKit;
using Xunit.Abstractions;

namespace FastPathLb.Balancer.Tests.Workers;

/// <summary>
/// Workers on threads of their own, on one table: see <see cref="GroupStress"/>. Longer with FASTPATHLB_FUZZ_SECONDS; FASTPATHLB_SEED
/// gives other inputs.
/// </summary>
[Collection(Alone.Name)]
public sealed class GroupStressTests(ITestOutputHelper output)
{
    private const int Batches = 800;
    private const int ControlSeedsMax = 100;

    private static readonly SmallSwarm s_swarm = new()
    {
        Servers = [.. SmallSwarm.ServerAddresses.Take(3)],
        Capacity = 1 << 16,
    };

    private static int Seed => Fuzzing.Seed(20261123);

    private static double Seconds => Fuzzing.Seconds(2.5);

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Every_flow_keeps_its_server_and_port_and_nothing_is_left_when_all_is_over(int workers)
    {
        RequireControls(workers);
        long began = Stopwatch.GetTimestamp();
        long frames = 0;
        int seed = Seed;
        for (; seed == Seed || Stopwatch.GetElapsedTime(began).TotalSeconds < Seconds; seed++)
        {
            TestWorkers group = new(s_swarm, workers);
            GroupStress stress = new(group.Built.Group.Members, group.Built.Group.Steering, seed)
            {
                WanderOneIn = seed % 2 == 0 ? 20 : 2,
                LengthMax = seed % 3 == 0 ? 8 : 40,
            };
            string? fault = stress.Run(Batches);
            Assert.True(fault is null, fault);
            frames += stress.Frames;
            Assert.InRange(stress.Clashes, 0, 5);

            group.Built.Group.Gather();
            Assert.Equal(stress.Frames, group.Built.First.Balancer.Counters.FramesIn);
            group.Now = stress.Now;
            Assert.NotEqual(0, group.Built.First.Table.Count);
            group.Wait(6 * 24 * 3600);
            Assert.Equal(0, group.Built.First.Table.Count);
            foreach (RealServer server in group.Built.First.Namespace.Ipvs.Services[0].Servers)
            {
                Assert.Equal((0, 0), (server.ActiveConnections, server.TotalConnections));
            }

            // A worker that hangs still uses the memory: it is given back only where none does.
            group.Dispose();
        }

        output.WriteLine($"{seed - Seed} seeds, {frames:N0} frames");
    }

    /// <summary>
    /// Workers that do not know each other's connections, and workers that take them over while their owners run, must be caught, or
    /// the harness proves nothing.
    /// </summary>
    private void RequireControls(int workers)
    {
        Require("strangers", seed =>
        {
            BuiltLoadBalancer[] strangers = [.. Enumerable.Range(0, workers).Select(_ => s_swarm.Build())];
            using TestWorkers steered = new(s_swarm, workers);
            string? caught = new GroupStress([.. strangers.Select(item => item.Balancer)], steered.Built.Group.Steering, seed).Run(Batches);
            Array.ForEach(strangers, stranger => stranger.Dispose());
            return caught;
        });
        Require("no gate", seed =>
        {
            using TestWorkers group = new(s_swarm, workers);
            return new GroupStress(group.Built.Group.Members, group.Built.Group.Steering, seed)
            {
                IsGateless = true,
                WanderOneIn = 2,
                LengthMax = 8,
            }.Run(Batches);
        });
    }

    private void Require(string control, Func<int, string?> run)
    {
        for (int seed = Seed; seed < Seed + ControlSeedsMax; seed++)
        {
            if (run(seed) is { } caught)
            {
                output.WriteLine($"{control}: {caught}");
                return;
            }
        }

        Assert.Fail($"inconclusive: {control} was not caught, so this machine does not run the threads side by side");
    }
}
