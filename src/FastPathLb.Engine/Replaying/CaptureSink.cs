using FastPathLb.Io.Captures;
using FastPathLb.Pipeline;

namespace FastPathLb.Engine.Replaying;

/// <summary>A capture as a sink of frames, each with the time of the frame that caused it.</summary>
public sealed class CaptureSink : IFrameSink
{
    private readonly CaptureWriter? _writer;

    /// <summary>Writes to a capture, or counts alone where there is none.</summary>
    public CaptureSink(CaptureWriter? writer) => _writer = writer;

    /// <summary>Frames sent.</summary>
    public long FrameCount { get; private set; }

    /// <summary>Bytes sent.</summary>
    public long ByteCount { get; private set; }

    /// <inheritdoc/>
    public void Send(FrameBatch batch)
    {
        ReadOnlySpan<EmittedFrame> emitted = batch.Emitted;
        long bytes = 0;
        foreach (ref readonly EmittedFrame frame in emitted)
        {
            bytes += frame.LengthBytes;
            _writer?.Write(
                frame.TimestampNanoseconds, batch.Slice(frame.Offset, frame.LengthBytes), originalLengthBytes: frame.WireLengthBytes);
        }

        FrameCount += emitted.Length;
        ByteCount += bytes;
    }
}
