namespace FastPathLb.Engine.Verifying;

/// <summary>How a comparison of frames ended.</summary>
/// <param name="ExpectedCount">Frames of the recording.</param>
/// <param name="ActualCount">Frames emitted.</param>
/// <param name="SameCount">Frames that are the same.</param>
/// <param name="Differences">The others, in order of time.</param>
public sealed record FrameVerdict(int ExpectedCount, int ActualCount, int SameCount, IReadOnlyList<FrameDifference> Differences)
{
    /// <summary>Whether all are the same.</summary>
    public bool IsSame => Differences.Count == 0;
}
