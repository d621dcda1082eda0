using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>Tells whether a recording has an ICMP error of the namespace's own about a packet. Each is found once.</summary>
/// <param name="quoted">The packet the error is about, from its IPv4 header on.</param>
/// <param name="type">Type of the error.</param>
/// <param name="now">About when, nanoseconds since the Unix epoch.</param>
public delegate bool RecordedErrors(ReadOnlySpan<byte> quoted, IcmpType type, long now);
