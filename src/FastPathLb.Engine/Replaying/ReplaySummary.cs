using FastPathLb.Balancer;
using FastPathLb.Engine.Building;

namespace FastPathLb.Engine.Replaying;

/// <summary>What a replay did.</summary>
/// <param name="Built">The load balancer, with its counters.</param>
/// <param name="OwnFrameCount">Frames passed over since the recording's load balancer sent them.</param>
/// <param name="UnservedFrameCount">Records whose link type holds nothing that can be served.</param>
/// <param name="Elapsed">Time it took.</param>
/// <param name="CaptureWarning">What was wrong with the capture's end, if anything.</param>
/// <param name="Notes">What was not emulated or could not be carried out, one sentence each.</param>
public sealed record ReplaySummary(
    BuiltLoadBalancer Built, long OwnFrameCount, long UnservedFrameCount, TimeSpan Elapsed, string? CaptureWarning,
    IReadOnlyList<string> Notes)
{
    /// <summary>Why the capture could not be read to its end, where it is damaged in the middle: file, offset, what was expected.</summary>
    public string? CaptureDamage { get; init; }

    /// <summary>The data path's counters.</summary>
    public FrameCounters Counters => Built.Balancer.Counters;

    /// <summary>Frames in, in millions a second.</summary>
    public double MillionFramesPerSecond => Counters.FramesIn / Math.Max(Elapsed.TotalSeconds, 1e-9) / 1e6;
}
