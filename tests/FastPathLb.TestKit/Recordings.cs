using FastPathLb.Balancer;
using FastPathLb.Io.Captures;
using FastPathLb.NodeState;
using Node = FastPathLb.NodeState.NodeState;

namespace FastPathLb.TestKit;

/// <summary>The recordings in captures/, found from the test's own folder upwards.</summary>
public static class Recordings
{
    /// <summary>Top of the repository.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>captures/.</summary>
    public static string Root { get; } = Path.Combine(Repository, "captures");

    /// <summary>Names of the folders that hold a load balancer's dumps, in order.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. Directory.GetDirectories(Root)
            .Where(folder => File.Exists(Path.Combine(folder, "lb.ip-addr.txt")))
            .Select(folder => Path.GetFileName(folder)!)
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Path of a recording's folder, or of a file in it.</summary>
    public static string PathOf(string name, string file = "") => Path.Combine(Root, name, file);

    /// <summary>The capture taken at an attach point; the Swarm's recordings have none of the underlay.</summary>
    public static string CaptureOf(string name, AttachPoint attachPoint) =>
        PathOf(name, attachPoint == AttachPoint.Underlay ? "underlay.pcap.gz" : "lb-eth0.pcap.gz");

    /// <summary>Whether there is a capture taken at an attach point.</summary>
    public static bool Has(string name, AttachPoint attachPoint) => File.Exists(CaptureOf(name, attachPoint));

    /// <summary>The node's state before the traffic.</summary>
    public static Node ReadNode(string name) => NodeDumpReader.Read(PathOf(name));

    /// <summary>What was changed while recording.</summary>
    public static IReadOnlyList<NodeEvent> ReadEvents(string name) =>
        File.Exists(PathOf(name, "events.txt")) ? EventFileReader.Read(PathOf(name, "events.txt")) : [];

    /// <summary>When the tables were read.</summary>
    public static IReadOnlyList<Checkpoint> ReadCheckpoints(string name) =>
        File.Exists(PathOf(name, "checkpoints.txt")) ? CheckpointFileReader.Read(PathOf(name, "checkpoints.txt")) : [];

    /// <summary>All frames of a capture, both directions.</summary>
    public static IReadOnlyList<TimedFrame> ReadFrames(string name, AttachPoint attachPoint)
    {
        List<TimedFrame> frames = [];
        using CaptureReader reader = CaptureReader.Open(CaptureOf(name, attachPoint));
        while (reader.TryRead(out CapturedFrame frame))
        {
            frames.Add(new TimedFrame(frame.Data.ToArray(), frame.TimestampNanoseconds, frame.OriginalLengthBytes));
        }

        return frames;
    }

    private static string FindRepository()
    {
        if (Environment.GetEnvironmentVariable("FASTPATHLB_ROOT") is { } root)
        {
            return root;
        }

        // With --artifacts-path the tests run outside of the repository; the source file still tells where it is.
        foreach (string begin in (string[])[AppContext.BaseDirectory, SourceFolder()])
        {
            for (string? folder = begin; folder is not null; folder = Path.GetDirectoryName(folder))
            {
                if (File.Exists(Path.Combine(folder, "FastPathLb.sln")))
                {
                    return folder;
                }
            }
        }

        throw new DirectoryNotFoundException("FastPathLb.sln is not above the tests");
    }

    private static string SourceFolder([System.Runtime.CompilerServices.CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
