using BenchmarkDotNet.Attributes;
using FastPathLb.Balancer;
using FastPathLb.Engine.Building;
using FastPathLb.Pipeline;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.Pipeline;

/// <summary>
/// The whole data path on batches of 256 frames of open TCP connections, both directions mixed, flows in random order. The
/// baseline only makes the frames: what is above it is the data path's own.
/// </summary>
[MemoryDiagnoser]
public class EstablishedBenchmarks
{
    private readonly FrameBatch _batch = new();
    private BuiltLoadBalancer _built = null!;
    private FlowFrames _frames = null!;

    /// <summary>Open connections.</summary>
    [Params(1024, 65536, 1048576, 16777216)]
    public int Connections { get; set; }

    /// <summary>Length of the inner Ethernet frame.</summary>
    [Params(64, 512, 1500)]
    public int InnerBytes { get; set; }

    /// <summary>With VXLAN around it on both sides, or without.</summary>
    [Params(AttachPoint.Underlay, AttachPoint.Overlay)]
    public AttachPoint Attach { get; set; }

    [GlobalSetup]
    public void OpenConnections()
    {
        _built = PeerNode.Build(Connections, Attach);
        _frames = new FlowFrames(new PeerFlows(_built, Connections), InnerBytes, Attach);
        if (Process() != FrameBatch.CountMax)
        {
            throw new InvalidOperationException($"not every frame was sent on: {_batch.Frames[0].Reason}");
        }

        WarmUp.Once($"{nameof(EstablishedBenchmarks)} {Attach}", () =>
        {
            for (int batch = 0; batch < 100; batch++)
            {
                Process();
            }
        });
    }

    [GlobalCleanup]
    public void Clean()
    {
        _built?.Dispose();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = FrameBatch.CountMax)]
    public int FramesAlone()
    {
        _batch.Clear();
        _frames.Fill(_batch);
        return _batch.Count;
    }

    [Benchmark(OperationsPerInvoke = FrameBatch.CountMax)]
    public int Process()
    {
        _batch.Clear();
        _frames.Fill(_batch);
        _built.Balancer.Process(_batch);
        return _batch.Emitted.Length;
    }
}
