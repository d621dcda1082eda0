using FastPathLb.Live.Running;
using FastPathLb.Pipeline;
using Microsoft.Extensions.Logging;

namespace FastPathLb.Live.Recording;

/// <summary>
/// Records what passes a running load balancer, both directions, as a capture of its own interface would: what <c>verify</c> reads. Workers
/// copy frames into rings of their own (<see cref="WorkerRecorder"/>); a thread writes them, in the order of their times, so that no worker waits for a disk.
/// </summary>
/// <remarks>
/// Of several workers' frames it writes those that are older than <see cref="OrderMilliseconds"/>, which no batch takes: what comes later is
/// younger. Records are written whole, at least once a second, so that a killed run leaves a capture that ends between two of them. When the
/// disk is full, recording ends with one line in the log and the load balancer goes on.
/// </remarks>
public sealed class FrameRecorder : IDisposable
{
    private const int RingBytes = 4 * 1024 * 1024;
    private const int OrderMilliseconds = 50;
    private const int IntervalMilliseconds = 20;
    private const long NanosecondsPerMillisecond = 1_000_000;
    private const long FlushIntervalNanoseconds = 1_000_000_000;
    private const int FramesPerRelease = 64;
    private const int FramesPerDrain = 16_384;

    private readonly RecordingFiles _files;
    private readonly LiveClock _clock;
    private readonly ILogger _logger;
    private readonly WorkerRecorder[] _shares;
    private readonly AutoResetEvent _hurry = new(initialState: false);
    private readonly Thread _thread;
    private long _frameCount;
    private long _flushDue;
    private int _isHurried;
    private volatile string? _failure;
    private volatile bool _hasEnded;
    private volatile bool _isClosing;

    /// <summary>Opens the first file.</summary>
    /// <param name="options">Where to.</param>
    /// <param name="devices">Where each worker's frames go, once they are recorded.</param>
    /// <param name="clock">What stamps frames.</param>
    /// <param name="logger">Where a failure is said.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public FrameRecorder(RecordingOptions options, IReadOnlyList<IFrameSink> devices, LiveClock clock, ILogger logger)
    {
        _files = new RecordingFiles(options);
        _clock = clock;
        _logger = logger;
        _shares = [.. devices.Select(device => new WorkerRecorder(this, device, new FrameRing(RingBytes)))];
        _thread = new Thread(Write) { IsBackground = true, Name = "recorder" };
        _thread.Start();
    }

    /// <summary>Frames recorded.</summary>
    public long FrameCount => Volatile.Read(ref _frameCount);

    /// <summary>Why recording ended early, or null.</summary>
    public string? Failure => _failure;

    /// <summary>Whether nothing is recorded any more.</summary>
    internal bool HasEnded => _hasEnded;

    /// <summary>The workers' shares, in their order.</summary>
    internal IReadOnlyList<WorkerRecorder> Shares => _shares;

    /// <summary>Writes what is left, and closes. After the workers have ended.</summary>
    public void Dispose()
    {
        _isClosing = true;
        _hurry.Set();
        _thread.Join();
        _hurry.Dispose();
        if (_failure is not null)
        {
            return;
        }

        try
        {
            _files.Dispose();
        }
        catch (IOException problem)
        {
            End(problem);
        }
    }

    /// <summary>A ring fills: it is to be emptied now. Any worker.</summary>
    internal void Hurry()
    {
        // One signal is enough until it is heard.
        if (Volatile.Read(ref _isHurried) == 0 && Interlocked.Exchange(ref _isHurried, 1) == 0)
        {
            _hurry.Set();
        }
    }

    private void Write()
    {
        try
        {
            bool isLast;
            do
            {
                _hurry.WaitOne(IntervalMilliseconds);
                Volatile.Write(ref _isHurried, 0);

                // Asked before the rings are emptied: what a worker added before it ended is among them.
                isLast = _isClosing;
                long now = _clock.Read();
                long horizon = isLast || _shares.Length == 1 ? long.MaxValue : now - (OrderMilliseconds * NanosecondsPerMillisecond);
                while (Drain(horizon) && isLast)
                {
                    // The rest of them.
                }

                if (now >= _flushDue)
                {
                    _flushDue = now + FlushIntervalNanoseconds;
                    _files.Flush();
                }
            }
            while (!isLast);
        }
        catch (IOException problem)
        {
            End(problem);
        }

        _hasEnded = true;
    }

    /// <summary>Writes what is older than a moment, and more where a ring has little room left.</summary>
    /// <returns>Whether there may be more.</returns>
    private bool Drain(long horizon)
    {
        int written = 0;
        while (written < FramesPerDrain && Oldest() is { } share && share.Ring.TryPeek(out RingedFrame frame)
            && (frame.TimestampNanoseconds <= horizon || IsPressed()))
        {
            _files.Write(frame.TimestampNanoseconds, frame.Bytes);
            share.Ring.Take(frame);
            Volatile.Write(ref _frameCount, _frameCount + 1);
            if (++written % FramesPerRelease == 0)
            {
                Release();
            }
        }

        Release();
        return written == FramesPerDrain;
    }

    private void Release()
    {
        foreach (WorkerRecorder share in _shares)
        {
            share.Ring.Release();
        }
    }

    private bool IsPressed()
    {
        foreach (WorkerRecorder share in _shares)
        {
            if (share.Ring.IsPressed)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The share whose next frame is the oldest, or null where none has one.</summary>
    private WorkerRecorder? Oldest()
    {
        WorkerRecorder? oldest = null;
        long time = long.MaxValue;
        foreach (WorkerRecorder share in _shares)
        {
            if (share.Ring.TryPeek(out RingedFrame frame) && frame.TimestampNanoseconds < time)
            {
                oldest = share;
                time = frame.TimestampNanoseconds;
            }
        }

        return oldest;
    }

    private void End(IOException problem)
    {
        _failure = problem.Message;
        _hasEnded = true;
        LiveLog.RecordingEnded(_logger, problem.Message, FrameCount);
        try
        {
            _files.Dispose();
        }
        catch (IOException)
        {
            // Said already.
        }
    }
}
