using System.Diagnostics;

namespace FastPathLb.Engine.Tests;

/// <summary>
/// Ends the process with the input that hangs in it: a loop that never ends cannot be interrupted, and a test run that never ends tells
/// nobody why.
/// </summary>
internal sealed class HangWatch : IDisposable
{
    private readonly TimeSpan _limit;
    private readonly Timer _timer;
    private volatile Func<string>? _describe;
    private long _began;

    public HangWatch(TimeSpan limit)
    {
        _limit = limit;
        _timer = new Timer(_ => Look(), null, limit, limit);
    }

    /// <summary>Runs an input.</summary>
    /// <returns>How long it took.</returns>
    public TimeSpan Run(Func<string> describe, Action input)
    {
        Volatile.Write(ref _began, Stopwatch.GetTimestamp());
        _describe = describe;
        try
        {
            input();
            return Stopwatch.GetElapsedTime(_began);
        }
        finally
        {
            _describe = null;
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        if (_describe is { } describe && Stopwatch.GetElapsedTime(Volatile.Read(ref _began)) > _limit)
        {
            Environment.FailFast($"hangs: {describe()}");
        }
    }
}
