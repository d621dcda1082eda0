using FastPathLb.Balancer.Stack;
using FastPathLb.Engine.Tables;

namespace FastPathLb.Engine.Verifying;

/// <summary>
/// Do the tables read as the kernel's did at the recording's checkpoints? Compared row by row: services, servers, weights and
/// connection counts; connection entries with state and time left; counters of marking rules; statistics after all traffic alone, since
/// the kernel folds them every two seconds. Time left may differ by two seconds, and an entry with no more than that to live may be
/// missing on either side.
/// </summary>
public sealed class StateComparison
{
    private const string ListTable = "ipvsadm-Ln";
    private const string ConnectionTable = "ipvsadm-Lnc";
    private const string StatisticsTable = "ipvsadm-stats";
    private const string MangleTable = "mangle";
    private const string BeforeTag = "before";
    private const string AfterTag = "after";

    private readonly string _directory;
    private readonly List<string> _tags = [];
    private readonly List<StateDifference> _differences = [];
    private int _same;

    /// <summary>Makes a comparison with the tables of a recording.</summary>
    public StateComparison(string directory) => _directory = directory;

    /// <summary>How it stands.</summary>
    public StateVerdict Verdict => new([.. _tags], _same, [.. _differences]);

    /// <summary>The checkpoints of which a folder holds tables, but for the one before all traffic.</summary>
    public static IReadOnlyList<string> FindTags(string directory)
    {
        List<string> tags = [];
        foreach (string path in Directory.GetFiles(directory, $"{ListTable}.*.txt"))
        {
            string tag = Path.GetFileNameWithoutExtension(path)[(ListTable.Length + 1)..];
            if (tag != BeforeTag)
            {
                tags.Add(tag);
            }
        }

        tags.Sort(StringComparer.Ordinal);
        return tags;
    }

    /// <summary>Compares the tables of a namespace, as they stand, with the recording's at a checkpoint, where it has them.</summary>
    /// <exception cref="IOException">A table cannot be read.</exception>
    public void Compare(string tag, NetworkNamespace space, long now)
    {
        if (tag == BeforeTag || ReadRecorded(ListTable, tag) is not { } list)
        {
            return;
        }

        _tags.Add(tag);
        CompareRows(
            ListTable, tag, PrintedTables.ReadServices(list),
            PrintedTables.ReadServices(Print(writer => IpvsadmTables.WriteList(writer, space))));
        if (ReadRecorded(MangleTable, tag) is { } mangle)
        {
            CompareRows(
                MangleTable, tag, PrintedTables.ReadMarks(mangle),
                PrintedTables.ReadMarks(Print(writer => IptablesTables.Write(writer, space.Mangle))));
        }

        if (tag == AfterTag && ReadRecorded(StatisticsTable, tag) is { } statistics)
        {
            CompareRows(
                StatisticsTable, tag, PrintedTables.ReadServices(statistics),
                PrintedTables.ReadServices(Print(writer => IpvsadmTables.WriteStatistics(writer, space))));
        }

        if (ReadRecorded(ConnectionTable, tag) is { } connections)
        {
            CompareConnections(
                tag, PrintedTables.ReadConnections(connections),
                PrintedTables.ReadConnections(Print(writer => IpvsadmTables.WriteConnections(writer, space, now))));
        }
    }

    private static string Print(Action<TextWriter> write)
    {
        using StringWriter writer = new() { NewLine = "\n" };
        write(writer);
        return writer.ToString();
    }

    private string? ReadRecorded(string table, string tag)
    {
        string path = Path.Combine(_directory, $"{table}.{tag}.txt");
        return File.Exists(path) ? File.ReadAllText(path) : null;
    }

    private void CompareRows(string table, string tag, Dictionary<string, string> expected, Dictionary<string, string> actual)
    {
        foreach (string row in expected.Keys.Union(actual.Keys).Order(StringComparer.Ordinal))
        {
            string? wanted = expected.GetValueOrDefault(row);
            string? printed = actual.GetValueOrDefault(row);
            Count(wanted == printed, new StateDifference(table, tag, row, wanted, printed));
        }
    }

    private void CompareConnections(
        string tag, Dictionary<string, PrintedConnection> expected, Dictionary<string, PrintedConnection> actual)
    {
        foreach (string row in expected.Keys.Union(actual.Keys).Order(StringComparer.Ordinal))
        {
            PrintedConnection? wanted = expected.TryGetValue(row, out PrintedConnection recorded) ? recorded : null;
            PrintedConnection? printed = actual.TryGetValue(row, out PrintedConnection emulated) ? emulated : null;
            bool isSame = wanted is null ? printed!.Value.IsExpiring
                : printed is null ? wanted.Value.IsExpiring
                : wanted.Value.IsLike(printed.Value);
            Count(isSame, new StateDifference(ConnectionTable, tag, row, wanted?.ToString(), printed?.ToString()));
        }
    }

    private void Count(bool isSame, StateDifference difference)
    {
        if (isSame)
        {
            _same++;
        }
        else
        {
            _differences.Add(difference);
        }
    }
}
