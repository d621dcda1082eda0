using BenchmarkDotNet.Attributes;
using FastPathLb.Balancer;
using FastPathLb.Engine.Building;
using FastPathLb.Pipeline;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.Pipeline;

/// <summary>
/// Frames of open connections on one worker, while none or one other works on the same table without pause: what a frame costs more for
/// company. The baseline makes the frames alone. How two compare with one in all: <c>workers</c> (README).
/// </summary>
[MemoryDiagnoser]
public class WorkerBenchmarks
{
    private readonly List<WorkerLoad> _loads = [];
    private readonly List<Thread> _others = [];
    private BuiltLoadBalancer? _alone;
    private BuiltWorkers? _group;
    private volatile bool _isOver;

    /// <summary>Workers, the measured one among them.</summary>
    [Params(1, 2)]
    public int Workers { get; set; }

    /// <summary>Open connections of all workers.</summary>
    [Params(1024, 65536, 1048576)]
    public int Connections { get; set; }

    [GlobalSetup]
    public void Begin()
    {
        LoadBalancer[] members;
        if (Workers == 1)
        {
            _alone = PeerNode.Build(Connections);
            members = [_alone.Balancer];
        }
        else
        {
            _group = PeerNode.BuildWorkers(Connections, Workers);
            members = [.. _group.Members.Select(member => member.Balancer)];
        }

        int[][] flows = WorkerLoad.Deal(Connections, Workers, _group?.Group.Steering);
        for (int worker = 0; worker < Workers; worker++)
        {
            _loads.Add(new WorkerLoad(members[worker], flows[worker]));
        }

        WarmUp.Once($"{nameof(WorkerBenchmarks)} {Workers}", () =>
        {
            foreach (WorkerLoad load in _loads)
            {
                load.Run(FrameBatch.CountMax * 64, hasWork: true);
            }
        });
        foreach (WorkerLoad load in _loads.Skip(1))
        {
            Thread thread = new(() =>
            {
                while (!_isOver)
                {
                    load.Run(FrameBatch.CountMax, hasWork: true);
                }
            });
            thread.Start();
            _others.Add(thread);
        }
    }

    [GlobalCleanup]
    public void End()
    {
        _isOver = true;
        _others.ForEach(thread => thread.Join());
        _others.Clear();
        _isOver = false;
        _loads.ForEach(load => load.Dispose());
        _loads.Clear();
        _group?.Dispose();
        _alone?.Dispose();
        (_group, _alone) = (null, null);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = FrameBatch.CountMax)]
    public double FramesAlone() => _loads[0].Run(FrameBatch.CountMax, hasWork: false);

    [Benchmark(OperationsPerInvoke = FrameBatch.CountMax)]
    public double Process()
    {
        long before = _loads[0].FramesSent;
        double time = _loads[0].Run(FrameBatch.CountMax, hasWork: true);
        return _loads[0].FramesSent - before == FrameBatch.CountMax ? time : throw new InvalidOperationException("not every frame was sent on");
    }
}
