using System.CommandLine;
using FastPathLb.Cli.Options;
using FastPathLb.Cli.Output;
using FastPathLb.Cli.Running;
using FastPathLb.Conntrack;
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
        "fastpathlb bench --json > bench.json",
    ];

    /// <summary>The command.</summary>
    public static Command Create(CommandConsole console)
    {
        Option<int?> workers = OptionKinds.Number("--workers", "Workers of the rows that have several (default: the processors)", 1);
        Option<int?> connections = OptionKinds.Number(
            "--connections", $"Most connections: rows of more are left out (default {PeerFrames.FlowCountMax})", ConnectionsMin);
        Option<bool> json = new("--json") { Description = "One JSON document on standard output" };
        Command command = new("bench", "Measure the data path on this machine, in some twenty seconds: ns a frame, frames a second");
        command.Add(workers);
        command.Add(connections);
        command.Add(json);
        command.SetAction(parsed => Run(
            parsed.GetValue(workers) ?? Math.Min(Environment.ProcessorCount, ConnectionStore.WorkersMax),
            parsed.GetValue(connections) ?? PeerFrames.FlowCountMax, parsed.GetValue(json), console));
        return command.WithExamples(s_examples);
    }

    private static int Run(int workers, int connections, bool isJson, CommandConsole console)
    {
        if (workers > ConnectionStore.WorkersMax)
        {
            throw new UsageException($"--workers {workers}: 1 to {ConnectionStore.WorkersMax} is expected");
        }

        if (!OperatingSystem.IsLinux())
        {
            throw new UsageException("bench reads a thread's own processor time from Linux: on other systems, use bench/FastPathLb.Benchmarks");
        }

        Action<string> tell = console.IsErrorTerminal ? step => console.Error.WriteLine($"  {step} ...") : _ => { };
        List<BenchRow> rows = [.. new BenchRun(workers, connections, tell, console.Stop.Token).Rows()];
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
