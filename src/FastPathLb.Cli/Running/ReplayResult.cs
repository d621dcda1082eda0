using FastPathLb.Balancer;
using FastPathLb.Cli.Options;
using FastPathLb.Engine.Replaying;
using FastPathLb.Engine.Reporting;
using FastPathLb.Pipeline;

namespace FastPathLb.Cli.Running;

/// <summary>What a replay did, ready to be shown.</summary>
internal sealed record ReplayResult
{
    /// <summary>Takes what is to be shown from a replay that has ended.</summary>
    public ReplayResult(ReplayPlan plan, ReplaySummary summary, CaptureSink sink, bool isStopped)
    {
        Plan = plan;
        Summary = summary;
        FramesOut = sink.FrameCount;
        BytesOut = sink.ByteCount;
        IsStopped = isStopped;
        Services = ServiceTraffic.Of(summary.Built.Namespace, plan.Node);
        Notes = ReplayNotes.Of(plan, summary);
    }

    /// <summary>What was asked for.</summary>
    public ReplayPlan Plan { get; }

    /// <summary>Counters, times, notes.</summary>
    public ReplaySummary Summary { get; }

    /// <summary>Frames emitted.</summary>
    public long FramesOut { get; }

    /// <summary>Bytes emitted.</summary>
    public long BytesOut { get; }

    /// <summary>Whether it was stopped before the capture's end.</summary>
    public bool IsStopped { get; }

    /// <summary>The services with their traffic.</summary>
    public IReadOnlyList<ServiceTraffic> Services { get; }

    /// <summary>What to know before trusting it.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>The attach point's word.</summary>
    public string AttachPoint => Plan.Balancer.AttachPoint == Balancer.AttachPoint.Underlay ? Words.Underlay : Words.Overlay;

    /// <summary>The verdicts that a frame can have, in order of happiness.</summary>
    public static ReadOnlySpan<Verdict> Verdicts =>
        [Verdict.Forwarded, Verdict.Answered, Verdict.Consumed, Verdict.Held, Verdict.Dropped];

    /// <summary>Why frames went no further, the most frequent reason first.</summary>
    public List<(DropReason Reason, long Frames)> Reasons
    {
        get
        {
            FrameCounters counters = Summary.Counters;
            int count = 0;
            for (int number = 1; number < DropReasonText.CountMax; number++)
            {
                count += counters[(DropReason)number] > 0 ? 1 : 0;
            }

            List<(DropReason Reason, long Frames)> reasons = new(Math.Max(count, 1));
            for (int number = 1; number < DropReasonText.CountMax; number++)
            {
                if (counters[(DropReason)number] > 0)
                {
                    reasons.Add(((DropReason)number, counters[(DropReason)number]));
                }
            }

            if (count > 1)
            {
                reasons.Sort((left, right) => right.Frames.CompareTo(left.Frames));
            }

            return reasons;
        }
    }
}
