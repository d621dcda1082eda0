namespace FastPathLb.NodeState;

/// <summary>Reads event files: lines <c>EPOCH COMMAND</c>; blank lines and those that begin with <c>#</c> are passed over.</summary>
public static class EventFileReader
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="NodeStateException">The file cannot be read, or a line cannot be what it should be.</exception>
    public static IReadOnlyList<NodeEvent> Read(string path) => Parse(TextFile.Read(path), path);

    /// <summary>Reads the whole text; the events in order of time, of one time in order of lines.</summary>
    /// <exception cref="NodeStateException">A line cannot be what it should be.</exception>
    public static IReadOnlyList<NodeEvent> Parse(string text, string fileName)
    {
        List<NodeEvent> events = [];
        foreach (DumpLine line in DumpLines.Filled(text, fileName))
        {
            WordCursor words = line.ShellWords();
            if (words.AtEnd)
            {
                continue;
            }

            long time = words.TakeEpoch();
            NodeCommand command = NodeCommandReader.Parse(words, out string? space);
            events.Add(new NodeEvent(time, command, line.Place.Line) { Namespace = space });
        }

        return [.. events.OrderBy(item => item.TimestampNanoseconds)];
    }
}
