namespace FastPathLb.Live.Control;

/// <summary>A neighbour, copied for who asks.</summary>
/// <param name="Interface">Where it is reached.</param>
/// <param name="Address">Its IPv4 address.</param>
/// <param name="Mac">Its hardware address.</param>
/// <param name="State">As <c>ip neigh</c> writes it.</param>
internal sealed record ShownNeighbor(string Interface, string Address, string Mac, string State);
