namespace FastPathLb.Engine.Verifying;

/// <summary>A frame kept for comparison.</summary>
/// <param name="Bytes">Its bytes.</param>
/// <param name="TimestampNanoseconds">When it was sent.</param>
/// <param name="Number">Number of the frame in the recording, or of the frame that caused it.</param>
public sealed record RecordedFrame(byte[] Bytes, long TimestampNanoseconds, long Number);
