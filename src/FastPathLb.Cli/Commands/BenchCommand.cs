using System.CommandLine;
using FastPathLb.Cli.Options;
using FastPathLb.Cli.Output;
using FastPathLb.Cli.Running;
using FastPathLb.Conntrack;
using FastPathLb.Engine.Placing;
using FastPathLb.Workload;

namespace FastPathLb.Cli.Commands;

/// <summary><c>bench</c>: how fast the data path is on this machine, in some twenty seconds.</summary>
internal static class BenchCommand
{
    private const int ConnectionsMin = 1024;

    private static readonly string[] s_examples =
    [
        "fastpathlb bench",
        "fastpathlb bench --connections 65536 --workers 4",
        "fastpathlb bench --workers 2 --cpus 2-3 --numa interleave",
        "fastpathlb bench --json > bench.json",
    ];

    /// <summary>The command.</summary>
    public static Command Create(CommandConsole console)
    {
        Option<int?> workers = OptionKinds.Number("--workers", "Workers of the rows that have several (default: one for each processor)", 1);
        Option<int?> connections = OptionKinds.Number(
            "--connections", $"Most connections: rows of more are left out (default {PeerFrames.FlowCountMax})", ConnectionsMin);
        PlacementOptions placement = new();
        Option<bool> json = new("--json") { Description = "One JSON document on standard output" };
        Command command = new("bench", "Measure the data path on this machine, in some twenty seconds: ns a frame, frames a second");
        command.Add(workers);
        command.Add(connections);
        placement.AddTo(command);
        command.Add(json);
        command.SetAction(parsed => Run(
            parsed.GetValue(workers), parsed.GetValue(connections) ?? PeerFrames.FlowCountMax, placement.Read(parsed), parsed.GetValue(json),
            console));
        return command.WithExamples(s_examples);
    }

    private static int Run(
        int? typedWorkers, int connections, (string? Processors, string? Memory) typed, bool isJson, CommandConsole console)
    {
        ProcessorList? processors = PlacementOptions.ProcessorsOf(typed.Processors, typedWorkers ?? 1);
        WorkerPlacement placement = new(processors, PlacementOptions.MemoryOf(typed.Memory));
        int workers = typedWorkers ?? Math.Min(processors?.Count ?? Environment.ProcessorCount, ConnectionStore.WorkersMax);
        if (workers > ConnectionStore.WorkersMax)
        {
            throw new UsageException($"--workers {workers}: 1 to {ConnectionStore.WorkersMax} is expected");
        }

        if (!OperatingSystem.IsLinux())
        {
            throw new UsageException("bench reads a thread's own processor time from Linux: on other systems, use bench/FastPathLb.Benchmarks");
        }

        Action<string> tell = console.IsErrorTerminal ? step => console.Error.WriteLine($"  {step} ...") : _ => { };
        List<BenchRow> rows = [.. new BenchRun(workers, connections, placement, tell, console.Stop.Token).Rows()];
        if (isJson)
        {
            BenchOutput.WriteJson(console.Out, rows);
        }
        else
        {
            BenchOutput.WriteText(console.Out, rows);
        }

        return ExitCode.Success;
    }
}
