using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>One line of <c>ip neigh</c>.</summary>
/// <param name="Address">The neighbour's IPv4 address.</param>
/// <param name="Device">Device it is reached by.</param>
/// <param name="Mac">Its Ethernet address, where resolved.</param>
/// <param name="State">
/// <c>PERMANENT</c>, <c>REACHABLE</c>, <c>STALE</c>, <c>FAILED</c> …; <see cref="InferredState"/> where it was not dumped.
/// </param>
public sealed record NeighborState(Ipv4Address Address, string Device, MacAddress? Mac, string State)
{
    /// <summary>State of an entry made from Docker's rule for MAC addresses: what a capture shows is to be believed instead.</summary>
    public const string InferredState = "INFERRED";

    /// <summary>Whether the entry never expires.</summary>
    public bool IsPermanent => State is "PERMANENT" or "NOARP";
}
