using FastPathLb.Pipeline;

namespace FastPathLb.Workload;

/// <summary>Counts what is sent.</summary>
public sealed class CountingSink : IFrameSink
{
    /// <summary>Frames sent.</summary>
    public long FrameCount { get; private set; }

    /// <inheritdoc/>
    public void Send(FrameBatch batch) => FrameCount += batch.Emitted.Length;
}
