using FastPathLb.Conntrack;

namespace FastPathLb.Engine.Replaying;

/// <summary>A TCP connection that was open when the recording began, recognised from both of its legs.</summary>
/// <param name="Flow">Client to virtual address.</param>
/// <param name="Server">Address of its server.</param>
/// <param name="ServerPort">Port at the server.</param>
/// <param name="TranslatedSource">Address that the server sees as the client's.</param>
/// <param name="TranslatedPort">Port that the server sees as the client's.</param>
/// <param name="TimestampNanoseconds">Its first packet in the recording, nanoseconds since the Unix epoch.</param>
public sealed record MidFlow(
    FlowKey Flow, uint Server, ushort ServerPort, uint TranslatedSource, ushort TranslatedPort, long TimestampNanoseconds);
