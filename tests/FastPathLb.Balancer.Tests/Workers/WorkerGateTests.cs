using FastPathLb.Balancer.Workers;
using Xunit.Abstractions;

namespace FastPathLb.Balancer.Tests.Workers;

/// <summary>Who holds the gate is alone, and everybody goes on.</summary>
[Collection(Alone.Name)]
public sealed class WorkerGateTests(ITestOutputHelper output)
{
    private const int Seeds = 20;
    private const int ControlSeedsMax = 200;

    [Theory]
    [InlineData(2, 20_000)]
    [InlineData(3, 10_000)]
    [InlineData(5, 3000)]
    public void Who_holds_it_is_alone_and_all_go_on(int workers, int steps)
    {
        RequireControl(workers, steps);
        for (int seed = 0; seed < Seeds; seed++)
        {
            GateRace race = new(new RealGate(workers), workers, seed, steps);
            Assert.Null(race.Run());
            Assert.InRange(race.HeldCount, workers * steps / 80, workers * steps / 20);
        }
    }

    [Fact]
    public void One_that_rests_is_not_waited_for()
    {
        WorkerGate gate = new(3);
        gate.Begin(0);
        gate.Hold(0);
        gate.Release(0);
        gate.Pass(0);
        gate.End(0);
        gate.Begin(2);
        gate.Hold(2);
        gate.Release(2);
        gate.End(2);
        Assert.Equal(3, gate.Workers);
    }

    [Fact]
    public void A_worker_does_not_begin_while_another_holds_it_and_begins_afterwards()
    {
        WorkerGate gate = new(2);
        gate.Begin(0);
        gate.Hold(0);
        using ManualResetEventSlim began = new();
        Thread other = new(() =>
        {
            gate.Begin(1);
            began.Set();
            gate.End(1);
        });
        other.Start();
        Assert.False(began.Wait(TimeSpan.FromMilliseconds(50)));

        gate.Release(0);
        Assert.True(began.Wait(TimeSpan.FromSeconds(30)));
        Assert.True(other.Join(TimeSpan.FromSeconds(30)));
        gate.End(0);
    }

    [Fact]
    public void A_holder_waits_until_the_running_ones_pass()
    {
        WorkerGate gate = new(2);
        gate.Begin(0);
        gate.Begin(1);
        using ManualResetEventSlim held = new();
        using ManualResetEventSlim goOn = new();
        Thread holder = new(() =>
        {
            gate.Hold(1);
            held.Set();
            goOn.Wait();
            gate.Release(1);
            gate.End(1);
        });
        holder.Start();
        Assert.False(held.Wait(TimeSpan.FromMilliseconds(50)));

        Thread passing = new(() => gate.Pass(0));
        passing.Start();
        Assert.True(held.Wait(TimeSpan.FromSeconds(30)));
        Assert.False(passing.Join(TimeSpan.FromMilliseconds(50)));
        goOn.Set();
        Assert.True(passing.Join(TimeSpan.FromSeconds(30)));
        Assert.True(holder.Join(TimeSpan.FromSeconds(30)));
        gate.End(0);
    }

    /// <summary>A harness that does not catch the broken gate proves nothing about the real one.</summary>
    private void RequireControl(int workers, int steps)
    {
        for (int seed = 0; seed < ControlSeedsMax; seed++)
        {
            if (new GateRace(new BrokenGate(), workers, seed, steps).Run() is { } caught)
            {
                output.WriteLine($"control: {caught}");
                return;
            }
        }

        Assert.Fail("inconclusive: the broken gate was not caught, so this machine does not run the threads side by side");
    }
}
