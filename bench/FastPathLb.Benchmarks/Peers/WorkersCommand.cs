using System.Globalization;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.Peers;

/// <summary>
/// <c>workers [runs] [most connections] [most workers] [rounds]</c>: how much more several workers on one shared table do than one with
/// a table of its own, at each size, in turn.
/// </summary>
internal static class WorkersCommand
{
    /// <summary>Begins the first line it prints.</summary>
    public const string TitleMark = "# ns of processor time a frame, net of the generator, ";

    private const int FramesPerPass = 1 << 20;

    private static readonly int[] s_flowCounts = [1024, 65536, 262144, PeerFrames.FlowCountMax];

    /// <summary>Runs the command.</summary>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        int runs = Argument(arguments, 0, 5);
        int flowsMax = Argument(arguments, 1, PeerFrames.FlowCountMax);
        int workersMax = Argument(arguments, 2, Environment.ProcessorCount);
        int rounds = Argument(arguments, 3, 5);
        WorkerMeasurement.WarmUp(1);
        WorkerMeasurement.WarmUp(workersMax);
        Console.WriteLine($"{TitleMark}{rounds} rounds of {runs} runs: the least of them, the middle round");
        Console.WriteLine("# times: frames a second of all against one worker's just before, the middle round");
        Console.WriteLine($"{"# what",-18} {"flows",9} {"workers",8} {"least",8} {"median",8} {"Mpps",8} {"times",7}");
        foreach (int flows in s_flowCounts.Where(flows => flows <= flowsMax))
        {
            Compare("both ways", workers => WorkerMeasurement.Established(flows, workers, FramesPerPass, runs), workersMax, rounds);
            Compare("new connections", workers => WorkerMeasurement.Opening(flows, workers, runs), workersMax, rounds);
        }

        return 0;
    }

    private static void Compare(string what, Func<int, WorkerFigures> measure, int workersMax, int rounds)
    {
        // In turn, since a shared machine's clock and caches are others' too, for seconds at a time: neighbours in time are like each other.
        WorkerFigures[][] figures = [.. Enumerable.Range(0, rounds).Select(_ => Enumerable.Range(1, workersMax).Select(measure).ToArray())];
        for (int index = 0; index < workersMax; index++)
        {
            WorkerFigures[] column = [.. figures.Select(round => round[index])];
            double times = MiddleOf(figures.Select(round => round[index].FramesPerSecond / round[0].FramesPerSecond));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{what,-18} {column[0].Flows,9} {index + 1,8} {column.Min(each => each.Nanoseconds.Least),8:F1} {MiddleOf(column.Select(each => each.Nanoseconds.Median)),8:F1} {MiddleOf(column.Select(each => each.FramesPerSecond)) / 1e6,8:F2} {times,7:F2}"));
        }
    }

    private static double MiddleOf(IEnumerable<double> values) => Figures.Of([.. values]).Median;

    private static int Argument(ReadOnlySpan<string> arguments, int index, int missing) =>
        index < arguments.Length ? int.Parse(arguments[index], CultureInfo.InvariantCulture) : missing;
}
