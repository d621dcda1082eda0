using FastPathLb.Pipeline;

namespace FastPathLb.Live.Metrics;

/// <summary>One worker's figures at one moment.</summary>
public sealed record WorkerFigures
{
    /// <summary>Its number, from 0.</summary>
    public required int Number { get; init; }

    /// <summary>Frames and bytes of its queue, and what was lost there.</summary>
    public required DeviceFigures Queue { get; init; }

    /// <summary>Frames by what became of them.</summary>
    public required IReadOnlyList<(Verdict Verdict, long Frames)> Verdicts { get; init; }

    /// <summary>Frames by the reason why they went no further; reasons that did not happen are left out.</summary>
    public required IReadOnlyList<(DropReason Reason, long Frames)> Reasons { get; init; }

    /// <summary>Frames that took the short way of established connections.</summary>
    public required long EstablishedFrames { get; init; }

    /// <summary>Frames of its queue that went to other workers, whose connections they belong to.</summary>
    public required long HandedOver { get; init; }

    /// <summary>Frames of its queue that other workers had no room for.</summary>
    public required long HandOverDrops { get; init; }
}
