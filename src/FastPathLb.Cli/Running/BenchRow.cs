namespace FastPathLb.Cli.Running;

/// <summary>One measured line of <c>bench</c>.</summary>
/// <param name="What">What was done.</param>
/// <param name="Connections">How many connections there were.</param>
/// <param name="Workers">How many threads did it.</param>
/// <param name="LeastNanoseconds">Time of one worker for one frame, in nanoseconds: the least of the runs.</param>
/// <param name="MedianNanoseconds">The middle one of the runs.</param>
/// <param name="FramesPerSecond">Frames of all workers in a second.</param>
internal sealed record BenchRow(
    string What, int Connections, int Workers, double LeastNanoseconds, double MedianNanoseconds, double FramesPerSecond);
