using FastPathLb.Balancer;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Placing;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Workload;

/// <summary>
/// The workload on one or several workers, each a thread on a processor of its own, over one table. Frames of both directions, those
/// of each worker's own connections, out of memory in random order; the generator's time is measured alone and subtracted.
/// </summary>
public sealed class WorkerMeasurement : IDisposable
{
    private const long Hour = 3600L * 1_000_000_000;
    private const int WarmUpFlows = 1024;
    private const int WarmUpFrames = 1 << 16;
    private const int WarmUpRoundsMax = 48;
    private const int WarmUpRoundsWithoutGain = 5;

    // Well above the 100 ms after the last newly called method, when the runtime's compiler begins.
    private const int WarmUpPauseMilliseconds = 250;

    // What took less than this share of the least before is a gain.
    private const double WarmUpGain = 0.9;

    // A run of a thousand openings is over in a tenth of a millisecond: there are more of them then.
    private const int OpeningsMin = 1 << 16;

    private readonly BuiltWorkers? _group;
    private readonly BuiltLoadBalancer? _alone;
    private readonly LoadBalancer[] _members;
    private readonly int[][] _flows;
    private readonly ProcessorList _processors;

    private WorkerMeasurement(int flows, int workers, WorkerPlacement placement)
    {
        Flows = flows;
        _processors = placement.Processors ?? ProcessorList.Allowed();
        if (workers == 1)
        {
            _alone = PeerNode.Build(flows, memory: placement.Memory);
            _members = [_alone.Balancer];
        }
        else
        {
            _group = PeerNode.BuildWorkers(flows, workers, placement.Memory);
            _members = [.. _group.Members.Select(member => member.Balancer)];
        }

        _flows = WorkerLoad.Deal(flows, _members.Length, _group?.Group.Steering);
    }

    /// <summary>Connections of all workers.</summary>
    public int Flows { get; }

    /// <summary>Measures frames of open connections, both ways.</summary>
    /// <param name="flows">Connections of all workers.</param>
    /// <param name="workers">Workers.</param>
    /// <param name="frames">Frames of each worker in each run.</param>
    /// <param name="runs">Runs; the least and the middle one are told.</param>
    /// <param name="placement">Where workers run; unless it is said, on the processors that the process may use, in turn.</param>
    public static WorkerFigures Established(int flows, int workers, int frames, int runs, WorkerPlacement placement = default)
    {
        using WorkerMeasurement measurement = new(flows, workers, placement);
        return measurement.Established(frames, runs);
    }

    /// <summary>Measures the first frames of new connections.</summary>
    /// <param name="flows">Connections of all workers.</param>
    /// <param name="workers">Workers.</param>
    /// <param name="runs">Runs, between which all connections expire; more where they are short.</param>
    /// <param name="placement">Where workers run; unless it is said, on the processors that the process may use, in turn.</param>
    public static WorkerFigures Opening(int flows, int workers, int runs, WorkerPlacement placement = default)
    {
        using WorkerMeasurement measurement = new(flows, workers, placement);
        return measurement.Opening(runs);
    }

    /// <summary>
    /// Runs everything often enough for the compiler's last tier, with pauses in which it can work: until it has long got no faster, which takes
    /// longer where neighbours have the processor.
    /// </summary>
    public static void WarmUp(int workers)
    {
        double least = double.MaxValue;
        int withoutGain = 0;
        for (int round = 0; round < WarmUpRoundsMax && withoutGain < WarmUpRoundsWithoutGain; round++)
        {
            double took = Established(WarmUpFlows, workers, WarmUpFrames, 1).Nanoseconds.Least
                + Opening(4 * WarmUpFlows, workers, 1).Nanoseconds.Least;
            withoutGain = took < least * WarmUpGain ? 0 : withoutGain + 1;
            least = Math.Min(least, took);
            Thread.Sleep(WarmUpPauseMilliseconds);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _group?.Dispose();
        _alone?.Dispose();
    }

    private WorkerFigures Established(int frames, int runs)
    {
        double[][] floor = NewRows(runs);
        double[][] raw = NewRows(runs);
        Together((worker, line) =>
        {
            using WorkerLoad load = new(_members[worker], _flows[worker]);
            for (int run = -1; run < runs; run++)
            {
                line.Wait();
                double alone = load.Run(frames, hasWork: false);
                line.Wait();
                double whole = load.Run(frames, hasWork: true);
                if (run >= 0)
                {
                    (floor[run][worker], raw[run][worker]) = (alone, whole);
                }
            }

            if (load.FramesSent != (long)frames * (runs + 1))
            {
                throw new InvalidOperationException($"worker {worker} sent {load.FramesSent} frames");
            }
        });
        return FiguresOf(raw, floor);
    }

    private WorkerFigures Opening(int runsMin)
    {
        int runs = Math.Max(runsMin, OpeningsMin / Flows);
        double[][] floor = NewRows(runs);
        double[][] raw = NewRows(runs);
        Together((worker, line) =>
        {
            LoadBalancer balancer = _members[worker];
            int[] flows = _flows[worker];
            using FrameRing ring = new(flows.Length);
            for (int index = 0; index < flows.Length; index++)
            {
                PeerFrames.WriteForward(ring[index][..PeerFrames.FrameBytes], (uint)flows[index], IpProtocol.Tcp, TcpFlags.Syn);
            }

            FrameBatch batch = new();
            CountingSink sink = new();
            batch.ConnectSink(sink);
            FrameGenerator generator = new(batch, FrameBatch.CountMax, ring) { Now = PeerFlows.StartNanoseconds, IsSequential = true };
            for (int run = -1; run < runs; run++)
            {
                line.Wait();
                generator.Restart();
                double alone = TimedPass.Run(balancer, batch, generator, flows.Length, hasWork: false);
                line.Wait();
                generator.Restart();
                double whole = TimedPass.Run(balancer, batch, generator, flows.Length, hasWork: true);
                if (run >= 0)
                {
                    (floor[run][worker], raw[run][worker]) = (alone, whole);
                }

                line.Wait();
                generator.Now += Hour;
                batch.Clear();
                balancer.Advance(generator.Now, batch);
            }

            if (sink.FrameCount != (long)flows.Length * (runs + 1))
            {
                throw new InvalidOperationException($"worker {worker} sent {sink.FrameCount} frames");
            }
        });
        return FiguresOf(raw, floor);
    }

    private double[][] NewRows(int runs) => [.. Enumerable.Range(0, runs).Select(_ => new double[_members.Length])];

    /// <summary>Runs a thread for each worker, each on a processor of its own.</summary>
    private void Together(Action<int, StartingLine> work)
    {
        StartingLine line = new(_members.Length);
        Exception? failure = null;
        Thread[] threads = new Thread[_members.Length];
        for (int worker = 0; worker < threads.Length; worker++)
        {
            int own = worker;
            threads[own] = new Thread(() =>
            {
                try
                {
                    _ = _processors.TryPin(own % _processors.Count);
                    work(own, line);
                }
                catch (InvalidOperationException exception)
                {
                    failure = exception;
                    line.Leave();
                }
            });
            threads[own].Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        if (failure is not null)
        {
            throw new InvalidOperationException("a worker failed", failure);
        }
    }

    private WorkerFigures FiguresOf(double[][] raw, double[][] floor)
    {
        // Of each worker the least of its runs, as everywhere: what neighbours on the machine add is not the program's.
        double framesPerSecond = 0;
        double least = 0;
        double[] middle = new double[raw.Length];
        for (int worker = 0; worker < _members.Length; worker++)
        {
            int own = worker;
            double net = raw.Min(run => run[own]) - floor.Min(run => run[own]);
            framesPerSecond += 1e9 / net;
            least += net / _members.Length;
        }

        for (int run = 0; run < raw.Length; run++)
        {
            middle[run] = raw[run].Average() - floor[run].Average();
        }

        return new WorkerFigures(_members.Length, Flows, new Figures(least, Figures.Of(middle).Median), framesPerSecond);
    }
}
