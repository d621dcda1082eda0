using FastPathLb.Pipeline;

namespace FastPathLb.TestKit;

/// <summary>Keeps copies of what is sent.</summary>
public sealed class MemorySink : IFrameSink
{
    private readonly List<TimedFrame> _frames = [];

    /// <summary>The frames in order.</summary>
    public IReadOnlyList<TimedFrame> Frames => _frames;

    /// <summary>Forgets them.</summary>
    public void Clear() => _frames.Clear();

    /// <inheritdoc/>
    public void Send(FrameBatch batch)
    {
        for (int index = 0; index < batch.Emitted.Length; index++)
        {
            _frames.Add(new TimedFrame(
                batch.EmittedBytes(index).ToArray(), batch.Emitted[index].TimestampNanoseconds, batch.Emitted[index].LengthBytes));
        }
    }
}
