namespace FastPathLb.NodeState;

/// <summary>A change at its time.</summary>
/// <param name="TimestampNanoseconds">When, in nanoseconds since 1970.</param>
/// <param name="Command">What.</param>
/// <param name="Line">Line of the event file.</param>
public sealed record NodeEvent(long TimestampNanoseconds, NodeCommand Command, int Line)
{
    /// <summary>Namespace that the command names (<c>ip netns exec NAME …</c>); null: the load balancer's.</summary>
    public string? Namespace { get; init; }
}

/// <summary>A time at which tables were read.</summary>
/// <param name="Tag">Name, part of the names of the files.</param>
/// <param name="TimestampNanoseconds">When, in nanoseconds since 1970.</param>
public sealed record Checkpoint(string Tag, long TimestampNanoseconds);
