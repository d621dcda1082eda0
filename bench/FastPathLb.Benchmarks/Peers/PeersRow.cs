using System.Globalization;

using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.Peers;

/// <summary>One line of a peer's table: who did what, and what it took.</summary>
/// <param name="Program">Who: "C bursts", "FastPathLb", "XDP fastest".</param>
/// <param name="Work">What: "forward", "new connections".</param>
/// <param name="FlowCount">Connections in the table.</param>
/// <param name="Source">Where frames came from: a hot template or a ring.</param>
/// <param name="Floor">The generator alone.</param>
/// <param name="Net">Nanoseconds a frame without the generator.</param>
internal sealed record PeersRow(string Program, string Work, int FlowCount, string Source, double Floor, Figures Net)
{
    private const int NumberCount = 9;

    /// <summary>Reads a line, or null where it is something else.</summary>
    public static PeersRow? TryParse(string line)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string name = string.Join(' ', words[..Math.Max(words.Length - NumberCount, 0)]);
        int comma = name.IndexOf(", ", StringComparison.Ordinal);
        if (comma < 0 || line[0] == '#' || !int.TryParse(words[^8], CultureInfo.InvariantCulture, out int flows)
            || !TryRead(words[^4], out double floor) || !TryRead(words[^3], out double least) || !TryRead(words[^2], out double median))
        {
            return null;
        }

        return new PeersRow(name[..comma], name[(comma + 2)..], flows, words[^7], floor, new Figures(least, median));
    }

    /// <summary>The least of all rounds, and the median of their medians.</summary>
    public static PeersRow Merge(IEnumerable<PeersRow> rounds)
    {
        PeersRow[] rows = [.. rounds];
        return rows[0] with
        {
            Floor = rows.Min(row => row.Floor),
            Net = new Figures(rows.Min(row => row.Net.Least), Figures.Of([.. rows.Select(row => row.Net.Median)]).Median),
        };
    }

    private static bool TryRead(string word, out double number) => double.TryParse(word, CultureInfo.InvariantCulture, out number);
}
