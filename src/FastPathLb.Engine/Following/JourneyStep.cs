using FastPathLb.Balancer.Node;
using FastPathLb.Pipeline;

namespace FastPathLb.Engine.Following;

/// <summary>What a frame does at a place.</summary>
public enum JourneyStepKind
{
    /// <summary>It comes in at a node's port.</summary>
    Enters,

    /// <summary>It passes a namespace's device.</summary>
    Passes,

    /// <summary>It leaves the node: at its card, or to a task.</summary>
    Leaves,
}

/// <summary>A place on a frame's way, and the frame as it was there.</summary>
/// <param name="Node">The node, by its place among those that are joined.</param>
/// <param name="Port">The node's port.</param>
/// <param name="Kind">What it does there.</param>
/// <param name="Frame">The frame.</param>
public sealed record JourneyStep(int Node, NodePort Port, JourneyStepKind Kind, byte[] Frame)
{
    /// <summary>What became of a frame that came in; none of other steps.</summary>
    public Verdict Verdict { get; init; }

    /// <summary>Why it went no further.</summary>
    public DropReason Reason { get; init; }
}
