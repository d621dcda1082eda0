using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.Peers;

/// <summary>
/// <c>report DIR NAME</c>: what the programs of bench/compare printed, round by round, as one table with ratios (NAME.md) and a
/// plot (NAME.svg).
/// </summary>
internal static class PeersReport
{
    /// <summary>The hand-written C loop, as its rows name it.</summary>
    public const string Loop = "C bursts";

    /// <summary>FastPathLb.</summary>
    public const string Ours = "FastPathLb";

    /// <summary>FastPathLb in the run that goes on to 16 million connections.</summary>
    public const string OursToHuge = "FastPathLb to 16 M";

    /// <summary>The fastest variant of the XDP program.</summary>
    public const string Kernel = "XDP fastest";

    /// <summary>The kernel's own path.</summary>
    public const string Stock = "stock kernel";

    /// <summary>A plain copy.</summary>
    public const string Copy = "memcpy";

    private const string WholeLoop = "C whole work";
    private const string SizeWork = "inner ";

    private static readonly string[] s_works = ["forward", "reverse", "both ways", "new connections", "expiry"];

    /// <summary>Runs the command.</summary>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        if (arguments.Length != 2)
        {
            Console.Error.WriteLine("usage: report DIR NAME");
            return 2;
        }

        string[] lines = [.. Directory.GetFiles(arguments[0], "*.txt").Order(StringComparer.Ordinal).SelectMany(File.ReadLines)];
        PeersRow[] rows =
        [
            .. lines.Select(PeersRow.TryParse).OfType<PeersRow>()
                .GroupBy(row => (row.Program, row.Work, row.FlowCount, row.Source)).Select(PeersRow.Merge),
        ];
        string name = arguments[1];
        File.WriteAllText($"{name}.md", Table(rows, lines, Path.GetFileName(name)));
        File.WriteAllText(
            $"{name}.svg", PeersPlot.Draw([.. rows.Where(row => row is { Work: "forward", Source: "hot" })], [Loop, Ours, Kernel]));
        Console.Write(File.ReadAllText($"{name}.md"));
        return lines.Any(line => line.StartsWith("!!", StringComparison.Ordinal)) ? 1 : 0;
    }

    private static string Table(PeersRow[] rows, string[] lines, string name)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"# {name}\n\n{Machine()}\n\n");
        foreach (string line in lines.Where(line => line.StartsWith("# ran", StringComparison.Ordinal)).Distinct())
        {
            text.Append(CultureInfo.InvariantCulture, $"{line[2..]}\n\n");
        }

        text.Append(PeersGoals.Table(rows, lines)).Append(
            """
            ## Frames

            Processor time in nanoseconds a frame, net of the generator, least / median, one core; 114-byte frames, 64-byte inner TCP.
            Every program was verified before it was timed (addresses, ports, MACs, TTLs, checksums, both ways).

            | work | connections | frames from | C loop, bursts | FastPathLb | fastest XDP | FastPathLb : C | XDP : FastPathLb |
            |---|--:|---|--:|--:|--:|--:|--:|

            """);
        foreach (string work in s_works)
        {
            foreach (PeersRow ours in rows.Where(row => row.Program == Ours && row.Work == work)
                .OrderBy(row => row.Source, StringComparer.Ordinal).ThenBy(row => row.FlowCount))
            {
                PeersRow? loop = Find(rows, Loop, ours);
                PeersRow? kernel = Find(rows, Kernel, ours);
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"| {work} | {ours.FlowCount:N0} | {(ours.Source == "-" ? "" : ours.Source)} | {Cell(loop)} | {Cell(ours)} | {Cell(kernel)} | ")
                    .Append(CultureInfo.InvariantCulture, $"{Ratio(ours, loop)} | {Ratio(kernel, ours)} |\n");
            }
        }

        AddWhole(text, rows);
        AddStock(text, rows);
        AddSizes(text, rows);
        AddProcesses(text, lines);
        AddWorkers(text, lines);
        text.Append("\n## Everything\n\n| program | work | connections | frames from | net least | net median | generator alone |\n|---|---|--:|---|--:|--:|--:|\n");
        foreach (PeersRow row in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {row.Program} | {row.Work} | {row.FlowCount:N0} | {row.Source} | ")
                .Append(CultureInfo.InvariantCulture, $"{row.Net.Least:F1} | {row.Net.Median:F1} | {row.Floor:F1} |\n");
        }

        text.Append('\n');
        foreach (string line in lines.Where(line => line.StartsWith("verify", StringComparison.Ordinal)
            || line.StartsWith("!!", StringComparison.Ordinal)).Distinct())
        {
            text.Append(CultureInfo.InvariantCulture, $"    {line}\n");
        }

        return text.ToString();
    }

    /// <summary>The C loop where it does what FastPathLb does: what that costs in either language.</summary>
    private static void AddWhole(StringBuilder text, PeersRow[] rows)
    {
        PeersRow[] measured =
        [
            .. rows.Where(row => row.Program == WholeLoop && Find(rows, Ours, row) is not null)
                .OrderBy(row => Array.IndexOf(s_works, row.Work)).ThenBy(row => row.Source, StringComparer.Ordinal).ThenBy(row => row.FlowCount),
        ];
        if (measured.Length == 0)
        {
            return;
        }

        text.Append("\nThe same work in C: all lengths and both IPv4 checksums, windows of both ends, two expiry times, counters, descriptors (`peers/whole.h`).\n\n")
            .Append("| work | connections | frames from | C loop | C loop, whole work | FastPathLb | whole work : C loop | FastPathLb : whole work |\n")
            .Append("|---|--:|---|--:|--:|--:|--:|--:|\n");
        foreach (PeersRow whole in measured)
        {
            PeersRow? ours = Find(rows, Ours, whole);
            PeersRow? loop = Find(rows, Loop, whole);
            text.Append(CultureInfo.InvariantCulture, $"| {whole.Work} | {whole.FlowCount:N0} | {whole.Source} | {Cell(loop)} | {Cell(whole)} | ")
                .Append(CultureInfo.InvariantCulture, $"{Cell(ours)} | {Ratio(whole, loop)} | {Ratio(ours, whole)} |\n");
        }
    }

    /// <summary>The kernel's own path, where it was measured: VXLAN, bridge, conntrack, nftables, and back.</summary>
    private static void AddStock(StringBuilder text, PeersRow[] rows)
    {
        PeersRow[] measured = [.. rows.Where(row => row.Program == Stock)];
        if (measured.Length == 0)
        {
            return;
        }

        text.Append("\n| work | connections | stock kernel | FastPathLb | stock : FastPathLb |\n|---|--:|--:|--:|--:|\n");
        foreach (PeersRow stock in measured)
        {
            PeersRow? ours = Find(rows, Ours, stock);
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {stock.Work} | {stock.FlowCount:N0} | {Cell(stock)} | {Cell(ours)} | {Ratio(stock, ours)} |\n");
        }
    }

    /// <summary>Frames of several lengths: what the data path adds to making the frame, which copies all of its bytes.</summary>
    private static void AddSizes(StringBuilder text, PeersRow[] rows)
    {
        PeersRow[] measured = [.. rows.Where(row => row.Program == Copy || (row.Program == Ours && row.Work.StartsWith(SizeWork, StringComparison.Ordinal)))];
        if (measured.Length == 0)
        {
            return;
        }

        text.Append("\nFrame sizes: `inner N` is the data path's own share; `memcpy` copies a whole frame's bytes, inner and envelope.\n\n")
            .Append("| what | connections | net | generator alone (copies the frame) |\n|---|--:|--:|--:|\n");
        foreach (PeersRow row in measured)
        {
            string flows = row.FlowCount > 0 ? row.FlowCount.ToString("N0", CultureInfo.InvariantCulture) : "";
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {(row.Program == Copy ? "memcpy, " : "")}{row.Work} | {flows} | {Cell(row)} | {(row.FlowCount > 0 ? $"{row.Floor:F1}" : "")} |\n");
        }
    }

    /// <summary>Whole programs, from start to end.</summary>
    private static void AddProcesses(StringBuilder text, string[] lines)
    {
        ProcessRow[] runs = [.. lines.Select(ProcessRow.TryParse).OfType<ProcessRow>()];
        if (runs.Length == 0)
        {
            return;
        }

        text.Append("\n## Whole programs\n\nIn turn, milliseconds, least / median: `replay` takes ten million frames from one file into another, which `cp` copies; ")
            .Append("`small` replays a small recording, `empty` is a .NET program that does nothing. All published alike.\n\n")
            .Append("| program | runs | on the clock | its processor time | the kernel's for it |\n|---|--:|--:|--:|--:|\n");
        foreach (IGrouping<string, ProcessRow> program in runs.GroupBy(run => run.Program))
        {
            text.Append(CultureInfo.InvariantCulture, $"| {program.Key} | {program.Count()} | {Milliseconds(program, run => run.Clock)} | ")
                .Append(CultureInfo.InvariantCulture, $"{Milliseconds(program, run => run.User)} | {Milliseconds(program, run => run.Kernel)} |\n");
        }
    }

    private static string Milliseconds(IEnumerable<ProcessRow> runs, Func<ProcessRow, double> part)
    {
        Figures figures = Figures.Of([.. runs.Select(part)]);
        return string.Create(CultureInfo.InvariantCulture, $"{figures.Least * 1e3:F0} / {figures.Median * 1e3:F0}");
    }

    /// <summary>As <c>workers</c> printed it.</summary>
    private static void AddWorkers(StringBuilder text, string[] lines)
    {
        int begin = Array.FindIndex(lines, line => line.StartsWith(WorkersCommand.TitleMark, StringComparison.Ordinal));
        if (begin < 0)
        {
            return;
        }

        text.Append("\n## Workers on one shared table\n\n");
        foreach (string line in lines.Skip(begin).TakeWhile(line => line.StartsWith('#') || WorkerRow.TryParse(line) is not null))
        {
            text.Append(CultureInfo.InvariantCulture, $"    {line}\n");
        }
    }

    private static string Machine()
    {
        string[] processor = File.ReadAllLines("/proc/cpuinfo");
        string Field(string key) => processor.FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal))?.Split(": ")[^1] ?? "?";
        return $"{Field("model name")} family {Field("cpu family")} model {Field("model\t")}, {Environment.ProcessorCount} vCPUs, "
            + $"{Field("cpu MHz")} MHz; Linux {Environment.OSVersion.Version}; {RuntimeInformation.FrameworkDescription}; "
            + $"load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}; {DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC";
    }

    private static PeersRow? Find(PeersRow[] rows, string program, PeersRow like) =>
        rows.FirstOrDefault(row => row.Program == program && row.Work == like.Work && row.FlowCount == like.FlowCount
            && row.Source == like.Source);

    private static string Cell(PeersRow? row) =>
        row is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{row.Net.Least:F1} / {row.Net.Median:F1}");

    private static string Ratio(PeersRow? above, PeersRow? below) =>
        above is null || below is null ? ""
        : string.Create(
            CultureInfo.InvariantCulture, $"{above.Net.Least / below.Net.Least:F2} / {above.Net.Median / below.Net.Median:F2}");
}
