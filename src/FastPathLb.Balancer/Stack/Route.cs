using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>A route: where packets for a prefix go.</summary>
/// <param name="Destination">Prefix; length 0 is the default route.</param>
/// <param name="Via">Next hop, or zero where the destination is on the link.</param>
/// <param name="Interface">Interface the packets leave by.</param>
/// <param name="PreferredSource">Source of the namespace's own packets, or zero for the interface's first address.</param>
public sealed record Route(Ipv4Prefix Destination, uint Via, NetworkInterface Interface, uint PreferredSource)
{
    /// <summary>Address that the namespace's own packets on this route have as source.</summary>
    public uint SourceAddress => PreferredSource != 0 ? PreferredSource : Interface.PrimaryAddress;
}
