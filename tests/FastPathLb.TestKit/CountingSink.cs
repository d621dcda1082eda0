using FastPathLb.Pipeline;

namespace FastPathLb.TestKit;

/// <summary>Counts what is sent and keeps nothing: allocates nothing.</summary>
public sealed class CountingSink : IFrameSink
{
    /// <summary>Frames sent.</summary>
    public long FrameCount { get; private set; }

    /// <summary>Bytes sent.</summary>
    public long ByteCount { get; private set; }

    /// <inheritdoc/>
    public void Send(FrameBatch batch)
    {
        ReadOnlySpan<EmittedFrame> emitted = batch.Emitted;
        FrameCount += emitted.Length;
        for (int index = 0; index < emitted.Length; index++)
        {
            ByteCount += emitted[index].LengthBytes;
        }
    }
}
