using FastPathLb.Cli.Options;

namespace FastPathLb.Cli.Running;

/// <summary>A capture in a folder of recordings, to be verified at its attach point.</summary>
/// <param name="Name">The folder's name, as the user sees it.</param>
/// <param name="Attach">The attach point's word.</param>
/// <param name="Path">The capture.</param>
internal sealed record Recording(string Name, string Attach, string Path)
{
    private static readonly (string Attach, string[] Files)[] s_captures =
    [
        (Words.Underlay, ["underlay.pcap", "underlay.pcap.gz"]),
        (Words.Overlay, ["lb-eth0.pcap", "lb-eth0.pcap.gz"]),
    ];

    /// <summary>The captures below a folder that lie beside dumps, in the order of their names.</summary>
    /// <exception cref="UsageException">There are none.</exception>
    public static IReadOnlyList<Recording> FindBelow(string root)
    {
        if (!Directory.Exists(root))
        {
            throw new UsageException($"{root}: there is no such folder");
        }

        List<Recording> found = [];
        string[] folders = [root, .. Directory.GetDirectories(root, "*", SearchOption.AllDirectories)];
        foreach (string folder in folders.Order(StringComparer.Ordinal).Where(RecordingFolder.HoldsDumps))
        {
            foreach ((string attach, string[] files) in s_captures)
            {
                if (Array.Find(files, file => File.Exists(System.IO.Path.Combine(folder, file))) is { } file)
                {
                    string name = folder == root
                        ? System.IO.Path.GetFileName(System.IO.Path.GetFullPath(root))
                        : System.IO.Path.GetRelativePath(root, folder);
                    found.Add(new Recording(name, attach, System.IO.Path.Combine(folder, file)));
                }
            }
        }

        return found.Count > 0
            ? found
            : throw new UsageException(
                $"{root}: holds no recording: folders with dumps and underlay.pcap[.gz] or lb-eth0.pcap[.gz] are expected");
    }
}
