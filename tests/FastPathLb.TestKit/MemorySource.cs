using FastPathLb.Pipeline;

namespace FastPathLb.TestKit;

/// <summary>Frames from memory, in batches of at most so many.</summary>
public sealed class MemorySource : IFrameSource
{
    private readonly IReadOnlyList<TimedFrame> _frames;
    private readonly int _batchMax;
    private int _next;

    /// <summary>Gives out frames in order.</summary>
    public MemorySource(IReadOnlyList<TimedFrame> frames, int batchMax = FrameBatch.CountMax)
    {
        _frames = frames;
        _batchMax = batchMax;
    }

    /// <inheritdoc/>
    public bool Receive(FrameBatch batch)
    {
        int count = 0;
        for (; _next < _frames.Count && count < _batchMax; count++, _next++)
        {
            TimedFrame frame = _frames[_next];
            if (!batch.TryAdd(frame.Bytes, frame.TimestampNanoseconds, _next + 1, frame.WireLengthBytes))
            {
                break;
            }
        }

        return count > 0;
    }
}
