using System.Diagnostics;

namespace FastPathLb.Live.Running;

/// <summary>
/// Real time that never goes back, nanoseconds since the Unix epoch: wall time at the start, and from then on what a monotonic clock
/// measured. An administrator who sets the clock does not make connections expire.
/// </summary>
public sealed class LiveClock
{
    private const long NanosecondsPerTick = 100;

    private static readonly double s_nanosecondsPerCount = 1e9 / Stopwatch.Frequency;

    private readonly long _startNanoseconds = (DateTime.UtcNow.Ticks - DateTime.UnixEpoch.Ticks) * NanosecondsPerTick;
    private readonly long _startCount = Stopwatch.GetTimestamp();

    /// <summary>Now. Read once per batch.</summary>
    public long Read() => _startNanoseconds + (long)((Stopwatch.GetTimestamp() - _startCount) * s_nanosecondsPerCount);
}
