namespace FastPathLb.NodeState;

/// <summary>Reads Docker's inspects in a folder of dumps.</summary>
internal static class DockerFiles
{
    /// <summary>Reads those whose names begin with the prefix; what is the whole swarm's also without.</summary>
    public static DockerState Read(string directory, IReadOnlyList<string> files, string prefix)
    {
        List<DockerNetwork> networks = [];
        List<DockerContainer> containers = [];
        List<DockerTask> tasks = [];
        foreach (string file in files)
        {
            if (IsNamed(file, prefix + "network-inspect.", ".json") || IsNamed(file, prefix + "network-inspect-v.", ".json"))
            {
                foreach (DockerNetwork network in DockerNetworkReader.Parse(Text(directory, file), PathOf(directory, file)))
                {
                    Merge(networks, network);
                }
            }
            else if (IsNamed(file, prefix + "container-inspect", ".json") || IsNamed(file, prefix + "task-inspect", ".json"))
            {
                AddNew(containers, tasks, Text(directory, file), PathOf(directory, file));
            }
        }

        return new DockerState
        {
            Networks = networks,
            Containers = containers,
            Tasks = tasks,
            Info = Holds(files, $"{prefix}docker-info.json")
                ? DockerInfoReader.Parse(Text(directory, $"{prefix}docker-info.json"), PathOf(directory, $"{prefix}docker-info.json"))
                : null,
            Services = ReadShared(directory, files, prefix, "service-inspect.json", DockerServiceReader.Parse),
            ListedTasks = ReadShared(directory, files, prefix, "service-ps.txt", DockerTaskListReader.Parse),
            Nodes = ReadShared(directory, files, prefix, "node-ls.txt", DockerNodeReader.Parse),
        };
    }

    private static void AddNew(List<DockerContainer> containers, List<DockerTask> tasks, string text, string path)
    {
        (IReadOnlyList<DockerContainer> more, IReadOnlyList<DockerTask> moreTasks) = DockerContainerReader.Parse(text, path);
        containers.AddRange(more.Where(container => !containers.Exists(other => other.Id == container.Id)));
        tasks.AddRange(moreTasks.Where(task => !tasks.Exists(other => other.Id == task.Id)));
    }

    // The verbose inspect of a network has all that the plain one has.
    private static void Merge(List<DockerNetwork> networks, DockerNetwork network)
    {
        int at = networks.FindIndex(other => other.Id == network.Id && other.Name == network.Name);
        if (at < 0)
        {
            networks.Add(network);
        }
        else if (network.IsVerbose || !networks[at].IsVerbose)
        {
            networks[at] = network;
        }
    }

    private static IReadOnlyList<T> ReadShared<T>(
        string directory,
        IReadOnlyList<string> files,
        string prefix,
        string name,
        Func<string, string, IReadOnlyList<T>> parse)
    {
        string? file = Holds(files, prefix + name) ? prefix + name : Holds(files, name) ? name : null;
        return file is null ? [] : parse(Text(directory, file), PathOf(directory, file));
    }

    private static bool Holds(IReadOnlyList<string> files, string name)
    {
        foreach (string file in files)
        {
            if (file == name)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsNamed(string file, string start, string end) =>
        file.StartsWith(start, StringComparison.Ordinal) && file.EndsWith(end, StringComparison.Ordinal);

    private static string PathOf(string directory, string file) => Path.Combine(directory, file);

    private static string Text(string directory, string file) => TextFile.Read(PathOf(directory, file));
}
