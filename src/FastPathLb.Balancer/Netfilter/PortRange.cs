namespace FastPathLb.Balancer.Netfilter;

/// <summary>Ports from low to high, both included.</summary>
public readonly record struct PortRange(ushort Low, ushort High)
{
    /// <summary>All ports.</summary>
    public static PortRange All => new(0, ushort.MaxValue);

    /// <summary>Whether a port is in the range.</summary>
    public bool Contains(ushort port) => port >= Low && port <= High;
}
