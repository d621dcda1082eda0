namespace FastPathLb.NodeState;

/// <summary>Reads the table of <c>docker service ps</c>, of one service or of several.</summary>
public static class DockerTaskListReader
{
    private static readonly string[] s_heads = ["ID", "NAME", "IMAGE", "NODE", "DESIRED STATE", "CURRENT STATE"];

    /// <summary>Reads the whole text.</summary>
    /// <exception cref="NodeStateException">It is no such table.</exception>
    public static IReadOnlyList<DockerListedTask> Parse(string text, string fileName)
    {
        List<DockerListedTask> tasks = [];
        foreach ((DumpLine line, string[] cells) in DockerTable.Read(text, fileName, "docker service ps", s_heads))
        {
            // A task's forerunners stand below it as "\_ web.1".
            string name = cells[1].StartsWith("\\_", StringComparison.Ordinal) ? cells[1][2..].Trim() : cells[1];
            if (cells[0].Length == 0 || name.Length == 0)
            {
                throw line.Place.Expected("a task: identifier and name under their heads", line.Text);
            }

            tasks.Add(new DockerListedTask(cells[0], name, cells[3], cells[4]));
        }

        return tasks;
    }
}
