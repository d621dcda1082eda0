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

    private readonly string _recording;
    private readonly string _emulator;
    private readonly List<string> _tags = [];
    private readonly List<StateDifference> _differences = [];
    private int _same;

    private StateComparison(string recording, string emulator)
    {
        _recording = recording;
        _emulator = emulator;
    }

    /// <summary>Compares the tables of two folders.</summary>
    /// <param name="recording">Folder with the kernel's tables, as their own tools printed them.</param>
    /// <param name="emulator">Folder with the emulator's.</param>
    /// <param name="tags">The checkpoints that the emulator reached; those of which the recording has no tables are passed over.</param>
    /// <exception cref="IOException">A table cannot be read.</exception>
    public static StateVerdict Compare(string recording, string emulator, IEnumerable<string> tags)
    {
        StateComparison comparison = new(recording, emulator);
        foreach (string tag in tags)
        {
            if (tag != BeforeTag && File.Exists(PathOf(recording, ListTable, tag)))
            {
                comparison.Compare(tag);
            }
        }

        return new StateVerdict(comparison._tags, comparison._same, comparison._differences);
    }

    private static string PathOf(string directory, string table, string tag) => Path.Combine(directory, $"{table}.{tag}.txt");

    // A table that the emulator did not write is one without rows.
    private static string ReadOrEmpty(string path) => File.Exists(path) ? File.ReadAllText(path) : string.Empty;

    private void Compare(string tag)
    {
        _tags.Add(tag);
        CompareRows(ListTable, tag, PrintedTables.ReadServices);
        CompareRows(MangleTable, tag, PrintedTables.ReadMarks);
        if (tag == AfterTag)
        {
            CompareRows(StatisticsTable, tag, PrintedTables.ReadServices);
        }

        CompareConnections(tag);
    }

    private void CompareRows(string table, string tag, Func<string, Dictionary<string, string>> read)
    {
        string path = PathOf(_recording, table, tag);
        if (!File.Exists(path))
        {
            return;
        }

        Dictionary<string, string> expected = read(File.ReadAllText(path));
        Dictionary<string, string> actual = read(ReadOrEmpty(PathOf(_emulator, table, tag)));
        foreach (string row in expected.Keys.Union(actual.Keys).Order(StringComparer.Ordinal))
        {
            string? wanted = expected.GetValueOrDefault(row);
            string? printed = actual.GetValueOrDefault(row);
            Count(wanted == printed, new StateDifference(table, tag, row, wanted, printed));
        }
    }

    private void CompareConnections(string tag)
    {
        Dictionary<string, PrintedConnection> expected =
            PrintedTables.ReadConnections(ReadOrEmpty(PathOf(_recording, ConnectionTable, tag)));
        Dictionary<string, PrintedConnection> actual =
            PrintedTables.ReadConnections(ReadOrEmpty(PathOf(_emulator, ConnectionTable, tag)));
        foreach (string row in expected.Keys.Union(actual.Keys).Order(StringComparer.Ordinal))
        {
            PrintedConnection? wanted = expected.TryGetValue(row, out PrintedConnection recorded) ? recorded : null;
            PrintedConnection? printed = actual.TryGetValue(row, out PrintedConnection emulated) ? emulated : null;
            bool isSame = wanted is null ? emulated.IsExpiring
                : printed is null ? recorded.IsExpiring
                : recorded.IsLike(emulated);
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
