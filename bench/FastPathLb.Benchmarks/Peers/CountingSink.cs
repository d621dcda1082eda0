using FastPathLb.Pipeline;

namespace FastPathLb.Benchmarks.Peers;

/// <summary>Counts what is sent.</summary>
internal sealed class CountingSink : IFrameSink
{
    public long FrameCount { get; private set; }

    public void Send(FrameBatch batch) => FrameCount += batch.Emitted.Length;
}
