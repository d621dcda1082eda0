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

    /// <summary>Whether both are the same route. By the values themselves: a comparer for prefixes would be compiled as the program starts.</summary>
    public bool Equals(Route? other) =>
        other is not null && Destination.Address.Value == other.Destination.Address.Value && Destination.Length == other.Destination.Length
        && Via == other.Via && ReferenceEquals(Interface, other.Interface) && PreferredSource == other.PreferredSource;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Destination.Address.Value, Destination.Length, Via, PreferredSource);
}
