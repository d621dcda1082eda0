using FastPathLb.Balancer;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Conntrack;

namespace FastPathLb.Engine.Building;

/// <summary>What a load balancer is made with besides the node's state.</summary>
public sealed record LoadBalancerOptions
{
    /// <summary>Where frames enter and leave.</summary>
    public AttachPoint AttachPoint { get; init; } = AttachPoint.Underlay;

    /// <summary>Which namespace is the load balancer, by its name in the dumps.</summary>
    public string NamespaceName { get; init; } = "lb";

    /// <summary>The order servers were added in.</summary>
    public ServerOrder ServerOrder { get; init; }

    /// <summary>Where round robin begins in every service: how many servers were picked before.</summary>
    public int RoundRobinStart { get; init; }

    /// <summary>Most connections.</summary>
    public int Capacity { get; init; } = ConnectionTable.CapacityDefault;

    /// <summary>Which NUMA nodes the memory of connections lies on.</summary>
    public MemoryPlacement Memory { get; init; }

    /// <summary>Seed of the connection hash and of drawn ports.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Which source port is taken when the client's own is not free.</summary>
    public SourcePortPolicy PortPolicy { get; init; }
}
