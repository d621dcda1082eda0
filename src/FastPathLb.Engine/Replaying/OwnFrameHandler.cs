namespace FastPathLb.Engine.Replaying;

/// <summary>Takes a frame that the recording's load balancer sent.</summary>
/// <param name="frame">The frame; valid during the call.</param>
/// <param name="timestampNanoseconds">When, nanoseconds since the Unix epoch.</param>
/// <param name="number">Number in the capture, from 1.</param>
public delegate void OwnFrameHandler(ReadOnlySpan<byte> frame, long timestampNanoseconds, long number);
