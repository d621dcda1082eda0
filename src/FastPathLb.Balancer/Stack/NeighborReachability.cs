namespace FastPathLb.Balancer.Stack;

/// <summary>What is known of a neighbour's being there (include/net/neighbour.h, NUD_*).</summary>
public enum NeighborReachability
{
    /// <summary>Set by an administrator: does not age.</summary>
    Permanent,

    /// <summary>It answered lately.</summary>
    Reachable,

    /// <summary>It has not answered for a while, or was never asked; frames are sent to it, and the first makes it <see cref="Delay"/>.</summary>
    Stale,

    /// <summary>Used while stale: it has some seconds to say something by itself.</summary>
    Delay,

    /// <summary>Asked, at the address where it was known.</summary>
    Probe,
}
