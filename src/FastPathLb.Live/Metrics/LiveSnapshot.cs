using FastPathLb.Pipeline;

namespace FastPathLb.Live.Metrics;

/// <summary>A load balancer's figures at one moment between two batches; nothing in it changes any more.</summary>
public sealed record LiveSnapshot
{
    /// <summary>When, nanoseconds since the Unix epoch.</summary>
    public required long Time { get; init; }

    /// <summary>The interface.</summary>
    public required string Device { get; init; }

    /// <summary>How frames are exchanged with the kernel.</summary>
    public required string Kind { get; init; }

    /// <summary>The workers' figures, in the order of their numbers.</summary>
    public required IReadOnlyList<WorkerFigures> Workers { get; init; }

    /// <summary>Frames and bytes of the interface, and what was lost there.</summary>
    public DeviceFigures Interface => Workers.Aggregate(default(DeviceFigures), (sum, worker) => sum + worker.Queue);

    /// <summary>Frames by what became of them.</summary>
    public IReadOnlyList<(Verdict Verdict, long Frames)> Verdicts =>
        [.. Workers.SelectMany(worker => worker.Verdicts).GroupBy(item => item.Verdict, item => item.Frames).Select(item => (item.Key, item.Sum()))];

    /// <summary>Frames by the reason why they went no further; reasons that did not happen are left out.</summary>
    public IReadOnlyList<(DropReason Reason, long Frames)> Reasons =>
    [
        .. Workers.SelectMany(worker => worker.Reasons).GroupBy(item => item.Reason, item => item.Frames)
            .OrderBy(item => item.Key).Select(item => (item.Key, item.Sum())),
    ];

    /// <summary>Frames that took the short way of established connections.</summary>
    public long EstablishedFrames => Workers.Sum(worker => worker.EstablishedFrames);

    /// <summary>Connection records in use.</summary>
    public required int Connections { get; init; }

    /// <summary>Most connections at a time.</summary>
    public required int Capacity { get; init; }

    /// <summary>Connections by state, as last counted.</summary>
    public required IReadOnlyList<(string State, int Connections)> States { get; init; }

    /// <summary>Virtual services with their servers.</summary>
    public required IReadOnlyList<ServiceFigures> Services { get; init; }

    /// <summary>Frames recorded, or -1 where nothing is.</summary>
    public required long RecordedFrames { get; init; }

    /// <summary>Why recording ended early, or null.</summary>
    public string? RecordingFailure { get; init; }
}
