namespace FastPathLb.Benchmarks.Peers;

/// <summary>Least and median of some runs, in nanoseconds a frame.</summary>
internal readonly record struct Figures(double Least, double Median)
{
    public static Figures Of(double[] runs)
    {
        double[] sorted = [.. runs.Order()];
        return new Figures(sorted[0], sorted[sorted.Length / 2]);
    }
}
