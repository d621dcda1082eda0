using FastPathLb.NodeState;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Live.Running;

/// <summary>Where the node's state is read from, at the start and again at each reload.</summary>
/// <param name="Path">A folder of dumps, or a YAML file.</param>
public sealed record NodeSource(string Path)
{
    private readonly Lock _looking = new();
    private readonly FileInfo _file = new(Path);

    /// <summary>Reads the state.</summary>
    /// <exception cref="NodeStateException">It is not what it should be; the message says where.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public NodeDump Load() => Directory.Exists(Path) ? NodeDumpReader.Read(Path) : LbConfigReader.Read(Path);

    /// <summary>A number that changes with the files: when they were written, and how long they are. 0 where there are none.</summary>
    internal long Stamp()
    {
        HashCode stamp = default;
        int count = 0;

        // Looked at several times a second for months: a single file without garbage. By the watch and by who asks for a reload.
        lock (_looking)
        {
            _file.Refresh();
            if (_file.Exists)
            {
                stamp.Add(_file.LastWriteTimeUtc.Ticks);
                stamp.Add(_file.Length);
                return (1L << 32) | (uint)stamp.ToHashCode();
            }
        }

        foreach (FileInfo file in Files().OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            stamp.Add(file.Name);
            stamp.Add(file.LastWriteTimeUtc.Ticks);
            stamp.Add(file.Length);
            count++;
        }

        return count == 0 ? 0 : ((long)count << 32) | (uint)stamp.ToHashCode();
    }

    private IEnumerable<FileInfo> Files() => Directory.Exists(Path) ? new DirectoryInfo(Path).EnumerateFiles() : [];
}
