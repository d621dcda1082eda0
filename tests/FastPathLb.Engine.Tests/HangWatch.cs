using System.Diagnostics;

namespace FastPathLb.Engine.Tests;

/// <summary>
/// Ends the process with the input that hangs in it: a loop that never ends cannot be interrupted, and a test run that never ends tells
/// nobody why.
/// </summary>
internal sealed class HangWatch : IDisposable
{
    /// <summary>So long no input takes on any machine: what takes longer does not end.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly TimeSpan _limit;
    private readonly Timer _timer;
    private volatile Func<string>? _describe;
    private long _began;

    public HangWatch(TimeSpan limit)
    {
        _limit = limit;
        _timer = new Timer(_ => Look(), null, limit / 4, limit / 4);
    }

    /// <summary>Runs an input.</summary>
    public void Run(Func<string> describe, Action input)
    {
        Volatile.Write(ref _began, Stopwatch.GetTimestamp());
        _describe = describe;
        try
        {
            input();
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
