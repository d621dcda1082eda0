using FastPathLb.Pipeline;

namespace FastPathLb.Engine.Replaying;

/// <summary>One worker's frames of a block, and what they cause. Handed to and fro between the reading thread and the worker's.</summary>
internal sealed class WorkerShare
{
    private int _next;
    private int _nextLogged;

    /// <summary>Makes an empty share.</summary>
    public WorkerShare() => Batch.ConnectSink(Log);

    /// <summary>The frames.</summary>
    public FrameBatch Batch { get; } = new();

    /// <summary>What did not fit into the batch.</summary>
    public EmissionLog Log { get; } = new();

    /// <summary>Begins a new block.</summary>
    public void Clear()
    {
        Batch.Clear();
        Log.Clear();
        _next = 0;
        _nextLogged = 0;
    }

    /// <summary>Passes on what was caused up to one of the share's frames, in the order in which it was.</summary>
    /// <param name="inputIndex">The frame, or <see cref="int.MaxValue"/> for all that is left.</param>
    /// <param name="merged">Where it goes.</param>
    public void PassOn(int inputIndex, FrameBatch merged)
    {
        for (; _nextLogged < Log.Frames.Count && Log.Frames[_nextLogged].InputIndex <= inputIndex; _nextLogged++)
        {
            EmittedFrame frame = Log.Frames[_nextLogged];
            Copy(frame, Log.BytesOf(frame), merged);
        }

        if (_nextLogged < Log.Frames.Count)
        {
            return;
        }

        ReadOnlySpan<EmittedFrame> emitted = Batch.Emitted;
        for (; _next < emitted.Length && emitted[_next].InputIndex <= inputIndex; _next++)
        {
            Copy(emitted[_next], Batch.EmittedBytes(_next), merged);
        }
    }

    private static void Copy(in EmittedFrame frame, ReadOnlySpan<byte> bytes, FrameBatch merged)
    {
        int offset = merged.RentOutput(bytes.Length);
        bytes.CopyTo(merged.Slice(offset, bytes.Length));
        merged.Emit(offset, bytes.Length, frame.TimestampNanoseconds, -1, frame.PortIndex, frame.WireLengthBytes);
    }
}
