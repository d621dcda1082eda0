using System.Globalization;
using System.Text;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.Peers;

/// <summary>What the project wants to reach, and what one run of bench/compare came to: the table that its results begin with.</summary>
internal sealed class PeersGoals
{
    /// <summary>Begins the line that tells what was allocated while frames were timed: bytes, then collections, then frames.</summary>
    public const string AllocationMark = "# allocated ";

    /// <summary>Begins the line that tells how many bytes a connection takes.</summary>
    public const string MemoryMark = "# memory ";

    private const double LoopTimesMax = 1.5;
    private const double StockTimesMin = 100;
    private const double WorkersTimesMin = 1.9;
    private const double ProcessTimesMax = 2;
    private const double HugeTimesMax = 2;
    private const double ConnectionBytesMax = 160;
    private const int Small = 1024;
    private const int Medium = 65_536;
    private const int Large = PeerFrames.FlowCountMax;
    private const int Huge = 1 << 24;

    // At how many connections frames a second are to be how many times the fastest XDP's.
    private static readonly (string Work, int Flows, double KernelTimesMin)[] s_beside =
    [
        ("forward", Small, 3), ("forward", Medium, 8), ("forward", Large, 6),
        ("new connections", Small, 3), ("new connections", Medium, 3), ("new connections", Large, 3),
    ];

    private readonly StringBuilder _text = new();
    private readonly PeersRow[] _rows;
    private readonly string[] _lines;

    private PeersGoals(PeersRow[] rows, string[] lines)
    {
        _rows = rows;
        _lines = lines;
    }

    /// <summary>The table, in Markdown.</summary>
    /// <param name="rows">What was measured, rounds merged.</param>
    /// <param name="lines">All that the programs printed.</param>
    public static string Table(PeersRow[] rows, string[] lines) => new PeersGoals(rows, lines).Table();

    private string Table()
    {
        _text.Append(
            """
            ## Goals

            By the least times / by the middle ones. Where one of both reaches a goal, the other shows how noisy the machine was.

            | what | goal | came to | |
            |---|---|--:|---|

            """);
        foreach ((string work, int flows, double kernelTimes) in s_beside)
        {
            PeersRow? ours = Find(PeersReport.Ours, work, flows);
            AtMost($"{work}, {Count(flows)} connections : C loop", LoopTimesMax, Ratio(ours, Find(PeersReport.Loop, work, flows)));
            AtLeast($"fastest XDP : {work}, {Count(flows)} connections", kernelTimes, Ratio(Find(PeersReport.Kernel, work, flows), ours));
        }

        foreach (string work in (string[])["forward", "reverse"])
        {
            AtLeast(
                $"stock kernel : {work}", StockTimesMin,
                Ratio(Find(PeersReport.Stock, work, Small, "ring"), Find(PeersReport.Ours, work, Small, "ring")));
        }

        AtMost(
            $"{Count(Huge)} connections : {Count(Large)}", HugeTimesMax,
            Ratio(Find(PeersReport.OursToHuge, "forward", Huge), Find(PeersReport.OursToHuge, "forward", Large)));
        AddMemory();
        AddWorkers();
        AddProcesses();
        AddSizes();
        AddAllocation();
        return _text.Append('\n').ToString();
    }

    private void AddMemory()
    {
        if (Numbers(MemoryMark).FirstOrDefault() is [double bytes, ..])
        {
            Add("memory of a connection", Invariant($"at most {ConnectionBytesMax} bytes"), Invariant($"{bytes:F1}"), bytes <= ConnectionBytesMax ? "met" : "missed");
        }
    }

    private void AddWorkers()
    {
        foreach (WorkerRow row in _lines.Select(WorkerRow.TryParse).OfType<WorkerRow>().Where(row => row.WorkerCount == 2))
        {
            AtLeast($"two workers : one, {row.Work}, {Count(row.FlowCount)} connections", WorkersTimesMin, new Figures(row.Times, row.Times));
        }
    }

    private void AddProcesses()
    {
        ProcessRow[] runs = [.. _lines.Select(ProcessRow.TryParse).OfType<ProcessRow>()];
        AtMost("file to file : `cp`", ProcessTimesMax, ProcessRow.Times(runs, "replay", "cp"));
        AtMost("small recording : an empty program", ProcessTimesMax, ProcessRow.Times(runs, "small", "empty"));
    }

    /// <summary>What larger frames cost more is to be what copying their bytes costs more.</summary>
    private void AddSizes()
    {
        PeersRow? small = Find(PeersReport.Ours, "inner 64, outer checksum off", Small);
        PeersRow? large = Find(PeersReport.Ours, "inner 1500, outer checksum off", Small);
        PeersRow? copySmall = Find(PeersReport.Copy, "114 bytes", 0);
        PeersRow? copyLarge = Find(PeersReport.Copy, "1550 bytes", 0);
        if (small is null || large is null || copySmall is null || copyLarge is null)
        {
            return;
        }

        double least = large.Net.Least - small.Net.Least;
        double median = large.Net.Median - small.Net.Median;
        double copyLeast = copyLarge.Net.Least - copySmall.Net.Least;
        double copyMedian = copyLarge.Net.Median - copySmall.Net.Median;
        Add(
            "1500-byte frames, more than 64-byte ones", Invariant($"at most a copy's {copyLeast:F1} / {copyMedian:F1} ns"),
            Invariant($"{least:F1} / {median:F1} ns"),
            Verdict(least <= copyLeast, median <= copyMedian));
    }

    private void AddAllocation()
    {
        double[][] counts = [.. Numbers(AllocationMark).Where(numbers => numbers.Length == 3)];
        if (counts.Length > 0)
        {
            double bytes = counts.Sum(numbers => numbers[0]);
            double collections = counts.Sum(numbers => numbers[1]);
            Add(
                Invariant($"allocation in {counts.Sum(numbers => numbers[2]):N0} frames"), "0 bytes, 0 collections",
                Invariant($"{bytes:N0} bytes, {collections:N0}"),
                bytes + collections == 0 ? "met" : "missed");
        }
    }

    private void AtMost(string what, double goal, Figures? ratio)
    {
        if (ratio is { } came)
        {
            Add(what, Invariant($"at most {goal}"), Text(came), Verdict(came.Least <= goal, came.Median <= goal));
        }
    }

    private void AtLeast(string what, double goal, Figures? ratio)
    {
        if (ratio is { } came)
        {
            Add(what, Invariant($"at least {goal}"), Text(came), Verdict(came.Least >= goal, came.Median >= goal));
        }
    }

    private void Add(string what, string goal, string cameTo, string verdict) =>
        _text.Append(CultureInfo.InvariantCulture, $"| {what} | {goal} | {cameTo} | {verdict} |\n");

    private PeersRow? Find(string program, string work, int flows, string source = "hot") =>
        _rows.FirstOrDefault(row => row.Program == program && row.Work == work && row.FlowCount == flows && row.Source == source);

    private IEnumerable<double[]> Numbers(string mark) => _lines
        .Where(line => line.StartsWith(mark, StringComparison.Ordinal))
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(word => char.IsAsciiDigit(word[0])).Select(word => double.Parse(word, CultureInfo.InvariantCulture)).ToArray());

    private static Figures? Ratio(PeersRow? above, PeersRow? below) =>
        above is null || below is null ? null : new Figures(above.Net.Least / below.Net.Least, above.Net.Median / below.Net.Median);

    private static string Verdict(bool isLeastMet, bool isMedianMet) => (isLeastMet, isMedianMet) switch
    {
        (true, true) => "met",
        (true, false) => "met by least",
        (false, true) => "met by middle",
        _ => "missed",
    };

    private static string Text(Figures ratio) =>
        ratio.Least == ratio.Median ? Invariant($"{ratio.Least:F2}") : Invariant($"{ratio.Least:F2} / {ratio.Median:F2}");

    private static string Count(int flows) => Invariant($"{flows:N0}");

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
