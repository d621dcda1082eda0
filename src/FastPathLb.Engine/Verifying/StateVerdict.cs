namespace FastPathLb.Engine.Verifying;

/// <summary>How a comparison of tables ended.</summary>
/// <param name="Tags">The checkpoints compared.</param>
/// <param name="SameCount">Rows that are the same.</param>
/// <param name="Differences">The others, checkpoint by checkpoint.</param>
public sealed record StateVerdict(IReadOnlyList<string> Tags, int SameCount, IReadOnlyList<StateDifference> Differences)
{
    /// <summary>Whether all are the same.</summary>
    public bool IsSame => Differences.Count == 0;
}
