namespace FastPathLb.Engine.Verifying;

/// <summary>A frame that the recording has and the emulator emitted otherwise, or that only one of them has.</summary>
/// <param name="Flow">The flow, in words.</param>
/// <param name="Index">Position in the flow, from 0.</param>
/// <param name="Expected">The recording's frame, or null.</param>
/// <param name="Actual">The emulator's frame, or null.</param>
public sealed record FrameDifference(string Flow, int Index, RecordedFrame? Expected, RecordedFrame? Actual)
{
    /// <summary>When, nanoseconds since the Unix epoch.</summary>
    public long TimestampNanoseconds => (Expected ?? Actual)!.TimestampNanoseconds;
}
