using FastPathLb.Cli.Input;

namespace FastPathLb.Cli.Options;

/// <summary>Folders in which a capture lies beside the dumps of the node it was taken on.</summary>
internal static class RecordingFolder
{
    /// <summary>Times of the recording's tables.</summary>
    public const string CheckpointFile = "checkpoints.txt";

    /// <summary>Changes made during the recording.</summary>
    public const string EventFile = "events.txt";

    private static readonly (string Start, string End)[] s_dumps =
        [("lb.", ".txt"), ("lb-", ".ip-addr.txt"), ("network-inspect", ".json")];

    /// <summary>The folder that a capture lies in, if it holds dumps.</summary>
    public static string? Of(string input)
    {
        if (input == CaptureInput.StandardInput)
        {
            return null;
        }

        string? folder = Path.GetDirectoryName(input);
        folder = string.IsNullOrEmpty(folder) ? "." : folder;
        return HoldsDumps(folder) ? folder : null;
    }

    /// <summary>Whether a folder holds dumps of a load balancer's node.</summary>
    public static bool HoldsDumps(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return false;
        }

        foreach (string path in Directory.EnumerateFiles(folder))
        {
            if (IsDump(Path.GetFileName(path)))
            {
                return true;
            }
        }

        return false;
    }

    // By hand: to match patterns takes a library's code that nothing else here needs.
    private static bool IsDump(string name)
    {
        foreach ((string start, string end) in s_dumps)
        {
            if (name.Length >= start.Length + end.Length
                && name.StartsWith(start, StringComparison.Ordinal) && name.EndsWith(end, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A file of the folder, if it is there.</summary>
    public static string? Find(string? folder, string name) =>
        folder is not null && File.Exists(Path.Combine(folder, name)) ? Path.Combine(folder, name) : null;
}
