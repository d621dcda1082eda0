using System.Diagnostics;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Placing;
using FastPathLb.Engine.Replaying;
using FastPathLb.Io.Captures;
using FastPathLb.Workload;

namespace FastPathLb.Cli.Running;

/// <summary>
/// The short form of the benchmarks, some twenty seconds: frames of open connections, new connections, several workers, and file to
/// file. Processor time net of making the frames, by the same measurement as in <c>bench/</c>; for files, the time on the clock.
/// </summary>
internal sealed class BenchRun
{
    private const int RunsUsual = 3;
    private const int FramesPerRun = 1 << 19;
    private const int FileFlows = 1024;
    private const int FileFrames = 1_000_000;

    private static readonly int[] s_sizes = [1024, 65536, PeerFrames.FlowCountMax];

    private readonly int _workers;
    private readonly int _connectionsMax;
    private readonly WorkerPlacement _placement;
    private readonly Action<string> _tell;
    private readonly CancellationToken _stopping;

    /// <summary>Makes a run.</summary>
    /// <param name="workers">Workers of the rows that have several.</param>
    /// <param name="connectionsMax">Sizes above it are left out.</param>
    /// <param name="placement">Where workers run and their table lies.</param>
    /// <param name="tell">Told what comes next.</param>
    /// <param name="stopping">Ends it between two rows.</param>
    public BenchRun(int workers, int connectionsMax, WorkerPlacement placement, Action<string> tell, CancellationToken stopping)
    {
        _workers = workers;
        _connectionsMax = connectionsMax;
        _placement = placement;
        _tell = tell;
        _stopping = stopping;
    }

    /// <summary>Measures row by row.</summary>
    public IEnumerable<BenchRow> Rows()
    {
        _tell("warming up");
        WorkerMeasurement.WarmUp(1);
        foreach (int size in s_sizes.Where(size => size <= _connectionsMax))
        {
            if (_stopping.IsCancellationRequested)
            {
                yield break;
            }

            _tell($"{size} connections");
            yield return RowOf("established, both ways", WorkerMeasurement.Established(size, 1, FramesPerRun, RunsUsual, _placement));
            yield return RowOf("new connections", WorkerMeasurement.Opening(size, 1, RunsUsual, _placement));
        }

        if (_workers > 1 && !_stopping.IsCancellationRequested)
        {
            int size = Math.Min(_connectionsMax, s_sizes[1]);
            _tell($"{_workers} workers");
            WorkerMeasurement.WarmUp(_workers);
            yield return RowOf("established, both ways", WorkerMeasurement.Established(size, _workers, FramesPerRun, RunsUsual, _placement));
            yield return RowOf("new connections", WorkerMeasurement.Opening(size, _workers, RunsUsual, _placement));
        }

        if (!_stopping.IsCancellationRequested)
        {
            _tell("file to file");
            foreach (BenchRow row in Files())
            {
                yield return row;
            }
        }
    }

    private static BenchRow RowOf(string what, WorkerFigures figures) => new(
        what, figures.Flows, figures.Workers, figures.Nanoseconds.Least, figures.Nanoseconds.Median, figures.FramesPerSecond);

    private List<BenchRow> Files()
    {
        string folder = Directory.CreateTempSubdirectory("fastpathlb-bench-").FullName;
        try
        {
            string input = Path.Combine(folder, "in.pcap");
            string output = Path.Combine(folder, "out.pcap");
            PeerCapture.Write(input, FileFlows, FileFrames);
            double[] copies = new double[RunsUsual];
            double[] replays = new double[RunsUsual];
            for (int run = 0; run < RunsUsual; run++)
            {
                copies[run] = Time(output, () => File.Copy(input, output));
                replays[run] = Time(output, () => Replay(input, output));
            }

            return [RowOf("file to file, replay", replays), RowOf("file to file, copy alone", copies)];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static BenchRow RowOf(string what, double[] nanoseconds)
    {
        Figures figures = Figures.Of(nanoseconds);
        return new BenchRow(what, FileFlows, 1, figures.Least, figures.Median, 1e9 / figures.Least);
    }

    private static double Time(string output, Action work)
    {
        File.Delete(output);
        long began = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(began).TotalNanoseconds / FileFrames;
    }

    private void Replay(string input, string output)
    {
        using BuiltLoadBalancer built = PeerNode.Build(FileFlows, memory: _placement.Memory);
        using CaptureReader reader = CaptureReader.Open(input);
        using CaptureWriter writer = CaptureWriter.Create(output);
        _ = new Replay(built) { ReadsAhead = true, Processors = _placement.Processors }.Run(reader, new CaptureSink(writer));
    }
}
