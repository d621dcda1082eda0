using FastPathLb.Balancer;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Replaying;
using FastPathLb.Engine.Verifying;
using FastPathLb.Io.Captures;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Tests.Replaying;

/// <summary>Every recording: the kernel's frames and the kernel's tables.</summary>
public sealed class RecordingTests
{
    public static TheoryData<string, AttachPoint> All
    {
        get
        {
            TheoryData<string, AttachPoint> all = [];
            foreach (string name in Recordings.Names)
            {
                foreach (AttachPoint attachPoint in (AttachPoint[])[AttachPoint.Underlay, AttachPoint.Overlay])
                {
                    // Tasks run on the Swarm's own node: the underlay does not show what they sent.
                    if (Recordings.Has(name, attachPoint) && !(name.StartsWith("swarm-", StringComparison.Ordinal) && attachPoint == AttachPoint.Underlay))
                    {
                        all.Add(name, attachPoint);
                    }
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void It_sends_the_kernels_frames_and_shows_the_kernels_tables(string name, AttachPoint attachPoint)
    {
        string state = Directory.CreateTempSubdirectory("fastpathlb-state-").FullName;
        try
        {
            LoadBalancerOptions options = new() { AttachPoint = attachPoint };
            (FrameVerdict frames, List<string> tags) = Run(name, options, usesRecording: true, state);
            Assert.True(frames.Differences.Count == 0, Describe(frames));
            StateVerdict tables = StateComparison.Compare(Recordings.PathOf(name), state, tags);
            Assert.True(tables.Differences.Count == 0, string.Join('\n', tables.Differences.Take(5)));
            Assert.True(tables.SameCount > 0);
        }
        finally
        {
            Directory.Delete(state, recursive: true);
        }
    }

    [Fact]
    public void The_comparison_finds_a_load_balancer_that_picks_otherwise()
    {
        LoadBalancerOptions options = new() { AttachPoint = AttachPoint.Underlay, RoundRobinStart = 1 };
        (FrameVerdict frames, _) = Run("rr-basic", options, usesRecording: false, state: null);
        Assert.Equal(frames.ExpectedCount, frames.ActualCount);
        Assert.NotEmpty(frames.Differences);
    }

    private static (FrameVerdict Frames, List<string> Tags) Run(
        string name, LoadBalancerOptions options, bool usesRecording, string? state)
    {
        NodeState.NodeState node = Recordings.ReadNode(name);
        CaptureReader Open() => CaptureReader.Open(Recordings.CaptureOf(name, options.AttachPoint));
        using BuiltLoadBalancer built = LoadBalancerBuilder.Build(node, options);
        RecordingHints hints = RecordingHints.None;
        RoundRobinStart start = RoundRobinStart.AsListed;
        if (usesRecording)
        {
            using CaptureReader whole = Open();
            hints = RecordingHints.Infer(whole, built.Balancer);
            start = StartInference.IsNeeded(built, hints)
                ? StartInference.Find(node, options, Open, hints, Recordings.ReadEvents(name)) : start;
        }

        FrameComparison comparison = new(options.AttachPoint);
        List<string> tags = [];
        Replay replay = new(built)
        {
            Hints = hints,
            RoundRobinStart = start,
            Events = Recordings.ReadEvents(name),
            Checkpoints = Recordings.ReadCheckpoints(name),
            StateDirectory = state,
            AtCheckpoint = checkpoint => tags.Add(checkpoint.Tag),
            OwnFrames = comparison.AddExpected,
        };
        using CaptureReader reader = Open();
        replay.Run(reader, new ComparingSink(comparison));
        return (comparison.Compare(), tags);
    }

    private static string Describe(FrameVerdict verdict)
    {
        if (verdict.Differences.Count == 0)
        {
            return string.Empty;
        }

        FrameDifference first = verdict.Differences[0];
        string expected = first.Expected is { } kernel ? FramePrinter.Print(kernel.Bytes) : "nothing";
        string actual = first.Actual is { } emulator ? FramePrinter.Print(emulator.Bytes) : "nothing";
        return $"{verdict.Differences.Count} frames differ, the first:\n{expected}\n{actual}";
    }

    private sealed class ComparingSink(FrameComparison comparison) : IFrameSink
    {
        public void Send(FrameBatch batch)
        {
            for (int index = 0; index < batch.Emitted.Length; index++)
            {
                comparison.AddActual(batch.EmittedBytes(index), batch.Emitted[index].TimestampNanoseconds, 0);
            }
        }
    }
}
