using FastPathLb.Live.Running;
using FastPathLb.Pipeline;

namespace FastPathLb.Live.Recording;

/// <summary>
/// One worker's share of a recording: it copies what comes in and what goes out into a ring, from which <see cref="FrameRecorder"/> writes it.
/// Owned by the worker.
/// </summary>
/// <remarks>
/// Frames of a batch are copied before they are processed, since those that are sent on are rewritten where they lie. Where the ring is
/// full the worker waits: a recording lacks nothing in its midst.
/// </remarks>
internal sealed class WorkerRecorder : IFrameSink
{
    private readonly FrameRecorder _recorder;
    private readonly IFrameSink _device;

    /// <summary>Joins a worker's device to a recording.</summary>
    public WorkerRecorder(FrameRecorder recorder, IFrameSink device, FrameRing ring)
    {
        _recorder = recorder;
        _device = device;
        Ring = ring;
    }

    /// <summary>What it recorded and is not written yet.</summary>
    public FrameRing Ring { get; }

    /// <summary>Records the frames that came in. Before they are processed.</summary>
    public void RecordReceived(FrameBatch batch)
    {
        Span<FrameDescriptor> frames = batch.Frames;
        for (int index = 0; index < frames.Length && !_recorder.HasEnded; index++)
        {
            Add(frames[index].TimestampNanoseconds, batch.FrameBytes(index));
        }

        Publish();
    }

    /// <summary>Records what is sent, and sends it.</summary>
    public void Send(FrameBatch batch)
    {
        ReadOnlySpan<EmittedFrame> emitted = batch.Emitted;
        for (int index = 0; index < emitted.Length && !_recorder.HasEnded; index++)
        {
            Add(emitted[index].TimestampNanoseconds, batch.EmittedBytes(index));
        }

        Publish();
        _device.Send(batch);
    }

    private void Add(long timestamp, ReadOnlySpan<byte> frame)
    {
        if (Ring.TryAdd(frame, frame.Length, timestamp))
        {
            return;
        }

        Publish();
        SpinWait spin = default;
        while (!_recorder.HasEnded && !Ring.TryAdd(frame, frame.Length, timestamp))
        {
            _recorder.Hurry();
            spin.SpinOnce();
        }
    }

    private void Publish()
    {
        Ring.Publish();
        if (Ring.IsPressed)
        {
            _recorder.Hurry();
        }
    }
}
