using FastPathLb.Pipeline;

namespace FastPathLb.Balancer;

/// <summary>What became of a packet, and why.</summary>
/// <param name="Verdict">What became of it.</param>
/// <param name="Reason">Why it went no further.</param>
public readonly record struct Outcome(Verdict Verdict, DropReason Reason)
{
    /// <summary>Sent on.</summary>
    public static Outcome Forwarded => new(Verdict.Forwarded, DropReason.None);

    /// <summary>Dropped for a reason.</summary>
    public static Outcome Dropped(DropReason reason) => new(Verdict.Dropped, reason);

    /// <summary>Answered by the namespace's own stack.</summary>
    public static Outcome Answered(DropReason reason = DropReason.None) => new(Verdict.Answered, reason);

    /// <summary>Dropped for a reason that the sender is told of, where a rate limit lets the message out.</summary>
    public static Outcome Answered(DropReason reason, bool isSent) => isSent ? Answered(reason) : Dropped(reason);

    /// <summary>Taken by the namespace's own stack without an answer.</summary>
    public static Outcome Consumed(DropReason reason) => new(Verdict.Consumed, reason);

    /// <summary>Kept for later.</summary>
    public static Outcome Held(DropReason reason) => new(Verdict.Held, reason);

    /// <summary>Forwarded where the reason is none, else dropped.</summary>
    public static Outcome Of(DropReason reason) => reason == DropReason.None ? Forwarded : Dropped(reason);
}
