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

        // Old versions have no engine version.
        foreach ((DumpLine line, string[] cells) in DockerTable.Read(text, fileName, "docker node ls", s_heads, optionalCount: 1))
        {
            if (cells[0].Length == 0 || cells[1].Length == 0)
            {
                throw line.Place.Expected("a node: identifier and name under their heads", line.Text);
            }

            bool isSelf = cells[0].EndsWith('*');
            nodes.Add(new DockerNode(isSelf ? cells[0][..^1].Trim() : cells[0], cells[1], isSelf, cells[2], cells[3], cells[4], cells[5]));
        }

        return nodes;
    }
}
