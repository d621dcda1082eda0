namespace FastPathLb.NodeState;

/// <summary>A table as Docker's <c>ls</c> and <c>ps</c> print them: cells stand under their heads.</summary>
internal static class DockerTable
{
    /// <summary>Reads the rows: the place and the cells, one for each head, trimmed.</summary>
    /// <param name="text">The table.</param>
    /// <param name="fileName">File, for errors.</param>
    /// <param name="command">The command that prints it, for errors.</param>
    /// <param name="heads">Heads in order.</param>
    /// <param name="optionalCount">How many heads at the end old versions lack.</param>
    /// <exception cref="NodeStateException">It is no such table.</exception>
    public static IEnumerable<(DumpLine Line, string[] Cells)> Read(
        string text, string fileName, string command, IReadOnlyList<string> heads, int optionalCount = 0)
    {
        int[]? columns = null;
        foreach (DumpLine line in DumpLines.Filled(text, fileName))
        {
            if (columns is null)
            {
                columns = FindColumns(line, command, heads, optionalCount);
                continue;
            }

            int[] found = columns;
            yield return (line, [.. Enumerable.Range(0, found.Length).Select(index => Cell(line.Text, found, index))]);
        }
    }

    private static int[] FindColumns(DumpLine line, string command, IReadOnlyList<string> heads, int optionalCount)
    {
        int[] columns = new int[heads.Count];
        int from = 0;
        for (int index = 0; index < heads.Count; index++)
        {
            int at = line.Text.IndexOf(heads[index], from, StringComparison.Ordinal);
            if (at < 0 && index < heads.Count - optionalCount)
            {
                throw line.Place.Expected($"the heads of '{command}': {string.Join(", ", heads)}", line.Text);
            }

            columns[index] = at < 0 ? int.MaxValue : at;
            from = at < 0 ? from : at + heads[index].Length;
        }

        return columns;
    }

    private static string Cell(string text, int[] columns, int index)
    {
        int start = Math.Min(columns[index], text.Length);
        int end = index + 1 < columns.Length ? Math.Min(columns[index + 1], text.Length) : text.Length;
        return text[start..end].Trim();
    }
}
