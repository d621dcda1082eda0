using BenchmarkDotNet.Attributes;
using FastPathLb.Balancer;
using FastPathLb.Engine.Building;
using FastPathLb.Pipeline;
using FastPathLb.Wire;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.Pipeline;

/// <summary>
/// First packets: each SYN is scheduled, translated and put into the table in both directions. They expire between the measured
/// times, so that each begins with the same table.
/// </summary>
[MemoryDiagnoser]
public class OpeningBenchmarks
{
    private const int OpeningCount = 65536;
    private const int WeeksSeconds = 20 * 24 * 3600;
    private const long HandshakeTimeouts = 200_000_000_000;

    private readonly FrameBatch _batch = new();
    private readonly FrameTemplate _underlay = FrameTemplate.Forward(TcpFlags.Syn);
    private readonly FrameTemplate _overlay = FrameTemplate.Forward(TcpFlags.Syn, hasEnvelope: false);
    private BuiltLoadBalancer _built = null!;
    private FrameTemplate _template = null!;
    private long _now;

    /// <summary>Connections that are open already.</summary>
    [Params(0, 1048576 - OpeningCount, 16777216 - OpeningCount)]
    public int Connections { get; set; }

    /// <summary>With VXLAN around it on both sides, or without.</summary>
    [Params(AttachPoint.Underlay, AttachPoint.Overlay)]
    public AttachPoint Attach { get; set; }

    [GlobalSetup]
    public void OpenConnections()
    {
        _built = PeerNode.Build(Connections + OpeningCount, Attach, establishedSeconds: WeeksSeconds);
        _template = Attach == AttachPoint.Underlay ? _underlay : _overlay;
        _now = new PeerFlows(_built, Connections).Now;
        WarmUp.Once($"{nameof(OpeningBenchmarks)} {Attach}", () =>
        {
            Process();
            Expire();
        });
    }

    [GlobalCleanup]
    public void Clean()
    {
        _built?.Dispose();
    }

    [IterationSetup]
    public void Expire()
    {
        _batch.Clear();
        _built.Balancer.Advance(_now += HandshakeTimeouts, _batch);
        if (_built.Table.Count != Connections)
        {
            throw new InvalidOperationException($"{_built.Table.Count} connections are left, not {Connections}");
        }
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = OpeningCount)]
    public int FramesAlone() => Run(hasWork: false);

    [Benchmark(OperationsPerInvoke = OpeningCount)]
    public int Process()
    {
        int sent = Run(hasWork: true);
        return sent == OpeningCount ? sent : throw new InvalidOperationException($"{sent} of {OpeningCount} connections opened");
    }

    private int Run(bool hasWork)
    {
        int sent = 0;
        for (int first = 0; first < OpeningCount; first += FrameBatch.CountMax)
        {
            _batch.Clear();
            for (int index = 0; index < FrameBatch.CountMax; index++)
            {
                uint flow = (uint)(Connections + first + index);
                _template.WriteTo(
                    _batch.Reserve(_template.LengthBytes), PeerFrames.ClientAddress(flow), PeerFrames.VirtualAddress,
                    ((uint)PeerFrames.ClientPort(flow) << 16) | PeerFrames.ServicePort(flow));
                _batch.Commit(_template.LengthBytes, _template.LengthBytes, _now += PeerFlows.FrameNanoseconds, 0);
            }

            if (hasWork)
            {
                _built.Balancer.Process(_batch);
                sent += _batch.Emitted.Length;
            }
        }

        return sent;
    }
}
