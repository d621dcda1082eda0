using System.Globalization;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.Peers;

/// <summary>
/// <c>workers [runs] [most connections] [most workers]</c>: how much more several workers on one shared table do than one with a table
/// of its own, at each size, in one run.
/// </summary>
internal static class WorkersCommand
{
    private const int FramesPerPass = 1 << 20;

    private static readonly int[] s_flowCounts = [1024, 65536, PeerFrames.FlowCountMax];

    /// <summary>Runs the command.</summary>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        int runs = Argument(arguments, 0, 5);
        int flowsMax = Argument(arguments, 1, PeerFrames.FlowCountMax);
        int workersMax = Argument(arguments, 2, Environment.ProcessorCount);
        WorkerMeasurement.WarmUp(1);
        WorkerMeasurement.WarmUp(workersMax);
        Console.WriteLine($"# ns of processor time a frame, net of the generator, {runs} runs; times: frames a second of all against one worker's");
        Console.WriteLine($"{"# what",-18} {"flows",9} {"workers",8} {"least",8} {"median",8} {"Mpps",8} {"times",7}");
        foreach (int flows in s_flowCounts.Where(flows => flows <= flowsMax))
        {
            Compare("both ways", workers => WorkerMeasurement.Established(flows, workers, FramesPerPass, runs), workersMax);
            Compare("new connections", workers => WorkerMeasurement.Opening(flows, workers, runs), workersMax);
        }

        return 0;
    }

    private static void Compare(string what, Func<int, WorkerFigures> measure, int workersMax)
    {
        double one = 0;
        for (int workers = 1; workers <= workersMax; workers++)
        {
            WorkerFigures figures = measure(workers);
            one = workers == 1 ? figures.FramesPerSecond : one;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{what,-18} {figures.Flows,9} {workers,8} {figures.Nanoseconds.Least,8:F1} {figures.Nanoseconds.Median,8:F1} {figures.FramesPerSecond / 1e6,8:F2} {figures.FramesPerSecond / one,7:F2}"));
        }
    }

    private static int Argument(ReadOnlySpan<string> arguments, int index, int missing) =>
        index < arguments.Length ? int.Parse(arguments[index], CultureInfo.InvariantCulture) : missing;
}
