using FastPathLb.Balancer;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Replaying;
using FastPathLb.Io.Captures;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.TestKit;

/// <summary>
/// What takes bytes from strangers. A target ends, and throws nothing but what its reader says it throws; anything else is a finding.
/// </summary>
public static class FuzzTargets
{
    private const long TimeNanosecondsMax = 4_000_000_000_000_000_000;

    /// <summary>Prints any bytes as a frame: one line, always.</summary>
    public static void Print(byte[] bytes)
    {
        string line = FramePrinter.Print(bytes);
        if (line.Length == 0 || line.Contains('\n', StringComparison.Ordinal))
        {
            throw new InvalidDataException($"not one line: '{line}'");
        }
    }

    /// <summary>Runs a frame through a load balancer: a verdict, and a reason where it is neither sent on nor answered.</summary>
    /// <param name="built">The load balancer, which may have seen anything before.</param>
    /// <param name="batch">A batch with a sink, used again and again.</param>
    /// <param name="bytes">The frame.</param>
    /// <param name="wireLengthBytes">Bytes it had on the wire.</param>
    /// <param name="timestampNanoseconds">When; time may go back.</param>
    public static Verdict Run(
        BuiltLoadBalancer built, FrameBatch batch, byte[] bytes, int wireLengthBytes, long timestampNanoseconds)
    {
        batch.Clear();
        if (!batch.TryAdd(bytes, Math.Clamp(timestampNanoseconds, 0, TimeNanosecondsMax), 1, Math.Max(wireLengthBytes, bytes.Length)))
        {
            throw new InvalidDataException("an empty batch took no frame");
        }

        built.Balancer.Process(batch);
        batch.Flush();
        FrameDescriptor frame = batch.Frames[0];
        if (frame.Verdict == Verdict.None || (frame.Verdict is not (Verdict.Forwarded or Verdict.Answered) && frame.Reason == DropReason.None))
        {
            throw new InvalidDataException($"{frame.Verdict} without a reason");
        }

        return frame.Verdict;
    }

    /// <summary>Replays any bytes as a capture, with what a recording would tell, and counts a verdict for each frame.</summary>
    /// <returns>Frames that had a verdict.</returns>
    public static long Replay(BuiltLoadBalancer built, byte[] capture)
    {
        RecordingHints hints;
        try
        {
            using CaptureReader whole = CaptureReader.Open(new MemoryStream(capture), "fuzz");
            hints = RecordingHints.Infer(whole, built.Balancer);
        }
        catch (CaptureFormatException)
        {
            // Not a capture at all.
            return 0;
        }

        long frames = 0;
        Replay replay = new(built)
        {
            Hints = hints,
            AfterBatch = batch =>
            {
                foreach (FrameDescriptor frame in batch.Frames)
                {
                    if (frame.Verdict == Verdict.None)
                    {
                        throw new InvalidDataException($"frame {frame.Number} has no verdict");
                    }

                    frames++;
                }
            },
        };
        using CaptureReader reader = CaptureReader.Open(new MemoryStream(capture), "fuzz");
        replay.Run(reader, new CountingSink());
        return frames;
    }

    /// <summary>Reads any text as a configuration; what it makes of it must build, or be refused in words.</summary>
    public static bool ReadConfig(string text)
    {
        try
        {
            using BuiltLoadBalancer built = LoadBalancerBuilder.Build(
                LbConfigReader.Parse(text, "fuzz.yaml"), new LoadBalancerOptions { AttachPoint = AttachPoint.Overlay, Capacity = 16 });
            return true;
        }
        catch (NodeStateException)
        {
            return false;
        }
    }

    /// <summary>Carries out any text as a command, or refuses it in words.</summary>
    public static bool RunCommand(BuiltLoadBalancer built, string text, long now)
    {
        try
        {
            return CommandApplier.Apply(built, NodeCommandReader.Parse(text), now) is null;
        }
        catch (NodeStateException)
        {
            return false;
        }
    }
}
