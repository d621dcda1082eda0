namespace FastPathLb.Workload;

/// <summary>Least and median of some runs, in nanoseconds a frame.</summary>
/// <param name="Least">The least of the runs.</param>
/// <param name="Median">The middle one.</param>
public readonly record struct Figures(double Least, double Median)
{
    /// <summary>The figures of some runs.</summary>
    public static Figures Of(double[] runs)
    {
        double[] sorted = [.. runs.Order()];
        return new Figures(sorted[0], sorted[sorted.Length / 2]);
    }
}
