using FastPathLb.Wire;

namespace FastPathLb.Engine.Replaying;

/// <summary>An endpoint of a network that captures show and no dump does: it came after the dumps were made.</summary>
/// <param name="Network">The network's name.</param>
/// <param name="Address">Its address, of which Docker made its MAC.</param>
/// <param name="Mac">Its MAC.</param>
/// <param name="Vtep">The node that it is on; null where it is on this one.</param>
public sealed record SeenEndpoint(string Network, Ipv4Address Address, MacAddress Mac, Ipv4Address? Vtep);
