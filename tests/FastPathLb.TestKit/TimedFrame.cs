namespace FastPathLb.TestKit;

/// <summary>A frame and its time.</summary>
/// <param name="Bytes">The bytes that are there.</param>
/// <param name="TimestampNanoseconds">When, nanoseconds since the Unix epoch.</param>
/// <param name="WireLengthBytes">Bytes it had on the wire.</param>
public sealed record TimedFrame(byte[] Bytes, long TimestampNanoseconds, int WireLengthBytes);
