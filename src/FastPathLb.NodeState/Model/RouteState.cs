using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>One line of <c>ip route</c>.</summary>
public sealed record RouteState
{
    /// <summary>Where to; <c>default</c> is 0.0.0.0/0.</summary>
    public required Ipv4Prefix Destination { get; init; }

    /// <summary>Next hop; null: on link.</summary>
    public Ipv4Address? Via { get; init; }

    /// <summary>Device; empty for types that need none.</summary>
    public required string Device { get; init; }

    /// <summary>Preferred source address.</summary>
    public Ipv4Address? Source { get; init; }

    /// <summary><c>unicast</c>, <c>local</c>, <c>broadcast</c>, <c>blackhole</c>, <c>unreachable</c>, <c>prohibit</c> …</summary>
    public string Type { get; init; } = "unicast";

    /// <summary>Metric; the smaller wins.</summary>
    public int Metric { get; init; }
}
