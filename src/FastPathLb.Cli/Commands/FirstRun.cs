using FastPathLb.Cli.Options;
using FastPathLb.Cli.Output;

namespace FastPathLb.Cli.Commands;

/// <summary>The program without arguments: shows that it works on a capture of its own, and says what to try next.</summary>
internal static class FirstRun
{
    private const string CapturesFolder = "captures";
    private const string ProjectFile = "src/FastPathLb.Cli/FastPathLb.Cli.csproj";

    /// <summary>Runs.</summary>
    public static int Run(CommandConsole console)
    {
        string relative = Path.Combine(CapturesFolder, "rr-two-services", "underlay.pcap.gz");
        if (FindRoot(console.WorkingFolder, relative) is not { } root)
        {
            throw new UsageException(
                $"there is no {relative} here or above to show; give a capture and its node: "
                + "fastpathlb replay IN --node DIR (see 'fastpathlb --help')");
        }

        string captures = Shorten(Path.Combine(root, CapturesFolder));
        string capture = Path.Combine(captures, "rr-two-services", "underlay.pcap.gz");
        console.Out.WriteLine(
            "FastPathLb replays captured traffic through Docker Swarm's load balancer, as Linux does it. "
            + "Here is one of its own recordings:");
        console.Out.WriteLine();
        int code = ReplayCommand.Run(new ReplayArguments { Input = capture, HidesProgress = true }, console);
        WriteNext(console.Out, captures, File.Exists(Path.Combine(root, ProjectFile)) ? Shorten(root) : null);
        return code;
    }

    private static void WriteNext(TextWriter writer, string captures, string? source)
    {
        string folder = Path.Combine(captures, "rr-two-services");
        writer.WriteLine();
        writer.WriteLine("Try next");
        TextTable table = new("", "");
        table.Add($"fastpathlb verify --all {captures}", "is it what Linux did? every recording, frame for frame");
        table.Add($"fastpathlb show {Path.Combine(folder, "underlay.pcap.gz")}", "each frame: what it is, what becomes of it");
        table.Add($"fastpathlb replay {Path.Combine(folder, "underlay.pcap.gz")} -o out.pcap", "the emitted frames, for Wireshark");
        table.Add($"fastpathlb config --node {folder}", "the node in twenty lines of YAML");
        table.Add("fastpathlb replay YOURS.pcap --node DIR", "your own: DIR holds what collect.sh dumps on the node");
        table.Add("fastpathlb replay --help", "all options, with examples");
        table.Write(writer, hasHeads: false);
        if (source is not null)
        {
            string project = Path.Combine(source == "." ? "" : source, Path.GetDirectoryName(ProjectFile)!);
            writer.WriteLine();
            writer.WriteLine($"From the sources, fastpathlb is: dotnet run -c Release --project {project} --");
        }
    }

    /// <summary>The nearest folder with a capture, upwards from where the user is, else from where the program is.</summary>
    private static string? FindRoot(string workingFolder, string relative)
    {
        foreach (string start in (string[])[workingFolder, AppContext.BaseDirectory])
        {
            for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, relative)))
                {
                    return folder.FullName;
                }
            }
        }

        return null;
    }

    // As the user would type it.
    private static string Shorten(string path)
    {
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, path);
        return relative.Length < path.Length ? relative : path;
    }
}
