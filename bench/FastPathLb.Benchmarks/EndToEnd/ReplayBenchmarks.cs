using BenchmarkDotNet.Attributes;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Replaying;
using FastPathLb.Io.Captures;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.EndToEnd;

/// <summary>
/// A capture through the load balancer into another capture, per frame. The baseline copies the file and looks at nothing.
/// </summary>
[MemoryDiagnoser]
public class ReplayBenchmarks
{
    /// <summary>Frames of the capture: 1,024 connections opened, then both directions.</summary>
    public const int FrameCount = 100_000;

    private const int FlowCount = 1024;

    private readonly string _input = Path.Combine(Path.GetTempPath(), $"fastpathlb-{Environment.ProcessId}.in.pcap");
    private readonly string _output = Path.Combine(Path.GetTempPath(), $"fastpathlb-{Environment.ProcessId}.out.pcap");
    private BuiltLoadBalancer _built = null!;
    private byte[] _bytes = [];

    [GlobalSetup]
    public void WriteCapture()
    {
        PeerCapture.Write(_input, FlowCount, FrameCount);
        _bytes = File.ReadAllBytes(_input);
        _built = PeerNode.Build(FlowCount);
        if (FileToFile() != FrameCount)
        {
            throw new InvalidOperationException("not every frame was sent on");
        }

        WarmUp.Once(
            nameof(ReplayBenchmarks),
            () =>
            {
                FileToFile();
                StreamToNothing();
            });
    }

    [GlobalCleanup]
    public void Clean()
    {
        _built?.Dispose();
        File.Delete(_input);
        File.Delete(_output);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = FrameCount)]
    public void CopyFile() => File.Copy(_input, _output, overwrite: true);

    [Benchmark(OperationsPerInvoke = FrameCount)]
    public long FileToFile()
    {
        using CaptureReader reader = CaptureReader.Open(_input);
        using CaptureWriter writer = CaptureWriter.Create(_output);
        return Run(reader, new CaptureSink(writer));
    }

    /// <summary>What is sent is counted only.</summary>
    [Benchmark(OperationsPerInvoke = FrameCount)]
    public long FileToNothing()
    {
        using CaptureReader reader = CaptureReader.Open(_input);
        return Run(reader, new CaptureSink(null));
    }

    /// <summary>From a stream, as standard input is read.</summary>
    [Benchmark(OperationsPerInvoke = FrameCount)]
    public long StreamToNothing()
    {
        using MemoryStream stream = new(_bytes);
        using CaptureReader reader = CaptureReader.Open(stream, "memory");
        return Run(reader, new CaptureSink(null));
    }

    // The same load balancer each time: what a capture of its own past holds are segments of connections it knows.
    private long Run(CaptureReader reader, CaptureSink sink)
    {
        new Replay(_built).Run(reader, sink);
        return sink.FrameCount;
    }
}
