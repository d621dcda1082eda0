namespace FastPathLb.NodeState;

/// <summary>Reads the table of <c>docker node ls</c>.</summary>
public static class DockerNodeReader
{
    private static readonly string[] s_heads = ["ID", "HOSTNAME", "STATUS", "AVAILABILITY", "MANAGER STATUS", "ENGINE VERSION"];

    /// <summary>Reads the whole text.</summary>
    /// <exception cref="NodeStateException">It is no such table.</exception>
    public static IReadOnlyList<DockerNode> Parse(string text, string fileName)
    {
        List<DockerNode> nodes = [];
        int[]? columns = null;
        foreach (DumpLine line in DumpLines.Filled(text, fileName))
        {
            if (columns is null)
            {
                columns = FindColumns(line);
                continue;
            }

            string[] cells = [.. Enumerable.Range(0, columns.Length).Select(index => Cell(line.Text, columns, index))];
            if (cells[0].Length == 0 || cells[1].Length == 0)
            {
                throw line.Place.Expected("a node: identifier and name under their heads", line.Text);
            }

            bool isSelf = cells[0].EndsWith('*');
            nodes.Add(new DockerNode(isSelf ? cells[0][..^1].Trim() : cells[0], cells[1], isSelf, cells[2], cells[3], cells[4], cells[5]));
        }

        return nodes;
    }

    private static int[] FindColumns(DumpLine line)
    {
        int[] columns = new int[s_heads.Length];
        int from = 0;
        for (int index = 0; index < s_heads.Length; index++)
        {
            int at = line.Text.IndexOf(s_heads[index], from, StringComparison.Ordinal);
            if (at < 0)
            {
                // Old versions have no engine version.
                if (index == s_heads.Length - 1)
                {
                    columns[index] = int.MaxValue;
                    break;
                }

                throw line.Place.Expected($"the heads of 'docker node ls': {string.Join(", ", s_heads)}", line.Text);
            }

            columns[index] = at;
            from = at + s_heads[index].Length;
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
