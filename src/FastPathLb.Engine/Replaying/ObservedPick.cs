using FastPathLb.Conntrack;

namespace FastPathLb.Engine.Replaying;

/// <summary>A packet of a client that the recording's load balancer sent to a server.</summary>
/// <param name="Flow">The flow as the client sent it.</param>
/// <param name="Server">Address of the server.</param>
/// <param name="ServerPort">Port at the server.</param>
public sealed record ObservedPick(FlowKey Flow, uint Server, ushort ServerPort);
