namespace FastPathLb.NodeState;

/// <summary>Reads checkpoint files: lines <c>TAG EPOCH</c>.</summary>
public static class CheckpointFileReader
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="NodeStateException">The file cannot be read, or a line cannot be what it should be.</exception>
    public static IReadOnlyList<Checkpoint> Read(string path) => Parse(TextFile.Read(path), path);

    /// <summary>Reads the whole text; the checkpoints in order of time.</summary>
    /// <exception cref="NodeStateException">A line cannot be what it should be.</exception>
    public static IReadOnlyList<Checkpoint> Parse(string text, string fileName)
    {
        List<Checkpoint> checkpoints = [];
        foreach (DumpLine line in DumpLines.Filled(text, fileName))
        {
            WordCursor words = line.ShellWords();
            if (words.AtEnd)
            {
                continue;
            }

            string tag = words.Take("a tag");
            if (tag.AsSpan().ContainsAny('/', '\\') || tag.Contains('\0', StringComparison.Ordinal))
            {
                throw line.Place.Expected("a tag that can be part of a file's name", tag);
            }

            long time = words.TakeEpoch();
            checkpoints.Add(words.AtEnd ? new Checkpoint(tag, time) : throw words.Expected("the end of the line after 'TAG EPOCH'"));
        }

        return [.. checkpoints.OrderBy(item => item.TimestampNanoseconds)];
    }
}
