using FastPathLb.Io.Captures;
using FastPathLb.Pipeline;
using Microsoft.Extensions.Logging;

namespace FastPathLb.Live.Recording;

/// <summary>
/// Records what passes a running load balancer, both directions, as a capture of its own interface would: what <c>verify</c> reads.
/// Owned by one worker.
/// </summary>
/// <remarks>
/// Frames of a batch are written before they are processed, since those that are sent on are rewritten where they lie. Records are
/// written whole, at least once a second, so that a killed run leaves a capture that ends between two of them. When the disk is full, recording
/// ends with one line in the log and the load balancer goes on.
/// </remarks>
public sealed class FrameRecorder : IFrameSink, IDisposable
{
    private const long FlushIntervalNanoseconds = 1_000_000_000;

    private readonly RecordingOptions _options;
    private readonly IFrameSink _device;
    private readonly ILogger _logger;
    private readonly Queue<string> _files = new();
    private CaptureWriter? _writer;
    private int _number;
    private long _flushDue;

    /// <summary>Opens the first file.</summary>
    /// <param name="options">Where to.</param>
    /// <param name="device">Where emitted frames go, once they are recorded.</param>
    /// <param name="logger">Where a failure is said.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public FrameRecorder(RecordingOptions options, IFrameSink device, ILogger logger)
    {
        _options = options;
        _device = device;
        _logger = logger;
        _writer = Open();
    }

    /// <summary>Frames recorded.</summary>
    public long FrameCount { get; private set; }

    /// <summary>Why recording ended early, or null.</summary>
    public string? Failure { get; private set; }

    private bool IsRing => _options.FileBytesMax > 0;

    /// <summary>Records the frames that came in. Before they are processed.</summary>
    public void RecordReceived(FrameBatch batch)
    {
        if (_writer is null)
        {
            return;
        }

        Span<FrameDescriptor> frames = batch.Frames;
        for (int index = 0; index < frames.Length; index++)
        {
            Write(frames[index].TimestampNanoseconds, batch.FrameBytes(index));
        }
    }

    /// <summary>Records what is sent, and sends it.</summary>
    public void Send(FrameBatch batch)
    {
        ReadOnlySpan<EmittedFrame> emitted = batch.Emitted;
        for (int index = 0; index < emitted.Length && _writer is not null; index++)
        {
            Write(emitted[index].TimestampNanoseconds, batch.EmittedBytes(index));
        }

        _device.Send(batch);
    }

    /// <summary>Writes what is collected, where it is time.</summary>
    public void FlushDue(long now)
    {
        if (now < _flushDue)
        {
            return;
        }

        _flushDue = now + FlushIntervalNanoseconds;
        try
        {
            _writer?.Flush();
        }
        catch (IOException problem)
        {
            End(problem);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            _writer?.Dispose();
        }
        catch (IOException problem)
        {
            Failure ??= problem.Message;
            LiveLog.RecordingEnded(_logger, problem.Message, FrameCount);
        }

        _writer = null;
    }

    private void Write(long timestamp, ReadOnlySpan<byte> frame)
    {
        try
        {
            if (IsRing && _writer!.LengthBytes >= _options.FileBytesMax)
            {
                _writer.Dispose();
                _writer = Open();
            }

            _writer?.Write(timestamp, frame);
            FrameCount++;
        }
        catch (IOException problem)
        {
            End(problem);
        }
    }

    private CaptureWriter Open()
    {
        string path = _options.Path;
        if (IsRing)
        {
            // fastpathlb.pcap.gz becomes fastpathlb.3.pcap.gz.
            string name = Path.GetFileName(path);
            int dot = name.IndexOf('.', StringComparison.Ordinal);
            string numbered = dot < 0 ? $"{name}.{_number}" : $"{name[..dot]}.{_number}{name[dot..]}";
            path = Path.Combine(Path.GetDirectoryName(path) ?? string.Empty, numbered);
            _number++;
        }

        CaptureWriter writer = CaptureWriter.Create(path);
        _files.Enqueue(path);
        while (_files.Count > Math.Max(1, _options.FileCount))
        {
            File.Delete(_files.Dequeue());
        }

        return writer;
    }

    private void End(IOException problem)
    {
        Failure = problem.Message;
        LiveLog.RecordingEnded(_logger, problem.Message, FrameCount);
        CaptureWriter? writer = _writer;
        _writer = null;
        try
        {
            writer?.Dispose();
        }
        catch (IOException)
        {
            // Said already.
        }
    }
}
