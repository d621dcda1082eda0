using FastPathLb.Engine.Verifying;

namespace FastPathLb.Cli.Running;

/// <summary>How a recording compares with what the emulator makes of it.</summary>
/// <param name="Replay">The replay.</param>
/// <param name="Frames">The frames.</param>
/// <param name="Tables">The tables; null where the recording has none, or nothing says when they were read.</param>
internal sealed record VerifyResult(ReplayResult Replay, FrameVerdict Frames, StateVerdict? Tables)
{
    /// <summary>Whether nothing differs.</summary>
    public bool IsSame => Frames.IsSame && Tables is null or { IsSame: true };
}
