using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>A service that a hand-written configuration gives a name.</summary>
/// <param name="Name">The name.</param>
/// <param name="Address">Its VIP.</param>
/// <param name="Servers">Addresses of its servers, in the order of the configuration.</param>
public sealed record NamedService(string Name, Ipv4Address Address, IReadOnlyList<Ipv4Address> Servers);
