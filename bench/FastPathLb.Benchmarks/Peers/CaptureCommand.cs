using System.Globalization;
using FastPathLb.Workload;

namespace FastPathLb.Benchmarks.Peers;

/// <summary>
/// <c>capture DIR [connections=1024] [frames=10000000]</c>: the peers' workload as a capture (<c>frames.pcap</c>) and its node as a
/// configuration (<c>lb.yaml</c>), for whole programs to be timed on.
/// </summary>
internal static class CaptureCommand
{
    private const int FlowCount = 1024;
    private const int FrameCount = 10_000_000;

    /// <summary>Runs the command.</summary>
    public static int Run(ReadOnlySpan<string> arguments)
    {
        if (arguments.Length is 0 or > 3)
        {
            Console.Error.WriteLine("usage: capture DIR [connections] [frames]");
            return 2;
        }

        int flows = arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : FlowCount;
        int frames = arguments.Length > 2 ? int.Parse(arguments[2], CultureInfo.InvariantCulture) : FrameCount;
        Directory.CreateDirectory(arguments[0]);
        File.WriteAllText(Path.Combine(arguments[0], "lb.yaml"), PeerNode.Configuration());
        PeerCapture.Write(Path.Combine(arguments[0], "frames.pcap"), flows, frames);
        return 0;
    }
}
