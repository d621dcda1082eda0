using FastPathLb.Engine.Reporting;
using FastPathLb.Pipeline;

namespace FastPathLb.Cli.Running;

/// <summary>A frame as <c>show</c> shows it.</summary>
/// <param name="Number">Number in the capture, from 1.</param>
/// <param name="TimestampNanoseconds">When, nanoseconds since the Unix epoch.</param>
/// <param name="LengthBytes">Bytes that are there.</param>
/// <param name="Text">The frame in words.</param>
internal sealed record ShownFrame(long Number, long TimestampNanoseconds, int LengthBytes, string Text)
{
    /// <summary>What it is to the load balancer; null where no node is known.</summary>
    public FrameRole? Role { get; init; }

    /// <summary>Whether the recording's own load balancer sent it.</summary>
    public bool IsOwn { get; init; }

    /// <summary>What becomes of it; <see cref="Verdict.None"/> where it was not put through a load balancer.</summary>
    public Verdict Verdict { get; set; }

    /// <summary>Why it went no further.</summary>
    public DropReason Reason { get; set; }
}
