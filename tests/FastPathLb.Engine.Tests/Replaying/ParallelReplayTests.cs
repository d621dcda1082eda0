using FastPathLb.Balancer;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Replaying;
using FastPathLb.Engine.Tables;
using FastPathLb.Io.Captures;
using FastPathLb.TestKit;

namespace FastPathLb.Engine.Tests.Replaying;

/// <summary>Recordings replayed by several threads: frames in the order and tables as they are with one.</summary>
public sealed class ParallelReplayTests
{
    /// <summary>Where another result is right as well, and why.</summary>
    private static readonly Dictionary<string, string> s_mayDiffer = new(StringComparer.Ordinal)
    {
        ["sched-lc"] = "which server has fewest connections at the moment depends on how far the others are",
        ["sched-wlc"] = "as sched-lc",
        ["sched-sed"] = "as sched-lc",
        ["sched-nq"] = "as sched-lc",
        ["sched-ovf"] = "as sched-lc",
        ["snat-collision"] = "a port that is taken is replaced by another one of the same worker's",
        ["chaos-1"] = "as snat-collision",
        ["chaos-2"] = "as snat-collision",
        ["swarm-scale"] = "as snat-collision",
        ["syn-flood"] = "limits on ICMP errors, and questions for next hops, are each worker's own",
    };

    public static TheoryData<string, int> Same
    {
        get
        {
            TheoryData<string, int> rows = [];
            foreach (string name in Recordings.Names.Where(name => !s_mayDiffer.ContainsKey(name)))
            {
                rows.Add(name, 2);
                rows.Add(name, 3);
            }

            return rows;
        }
    }

    public static TheoryData<string> MayDiffer => [.. s_mayDiffer.Keys];

    [Theory]
    [MemberData(nameof(Same))]
    public void Frames_and_tables_are_those_of_one_worker(string name, int workers)
    {
        Outcome one = Run(name, 1);
        Outcome several = Run(name, workers);

        Assert.NotEmpty(one.Sent);
        string? difference = FrameText.Difference(
            [.. one.Sent.Select(frame => OwnIdentification.Without(frame.Bytes))],
            [.. several.Sent.Select(frame => OwnIdentification.Without(frame.Bytes))]);
        Assert.True(difference is null, difference);
        Assert.Equal(one.Sent.Select(frame => frame.TimestampNanoseconds), several.Sent.Select(frame => frame.TimestampNanoseconds));
        Assert.Equal(one.Tables, several.Tables);
    }

    /// <summary>Whatever may differ, no frame is lost: each has a verdict, and as many are sent.</summary>
    [Theory]
    [MemberData(nameof(MayDiffer))]
    public void Where_the_result_may_differ_every_frame_still_has_a_verdict(string name)
    {
        Outcome one = Run(name, 1);
        Outcome several = Run(name, 3);
        Assert.Equal(one.FramesSeen, several.FramesSeen);
        Assert.InRange(several.Sent.Count, one.Sent.Count * 9 / 10, one.Sent.Count * 2);
    }

    private static Outcome Run(string name, int workerCount)
    {
        string state = Directory.CreateTempSubdirectory("fastpathlb-workers-").FullName;
        try
        {
            LoadBalancerOptions options = new() { AttachPoint = AttachPoint.Overlay, Capacity = 1 << 14 };
            NodeState.NodeState node = Recordings.ReadNode(name);
            using BuiltWorkers? workers = workerCount > 1 ? LoadBalancerBuilder.BuildWorkers(node, options, workerCount) : null;
            using BuiltLoadBalancer built = workers?.First ?? LoadBalancerBuilder.Build(node, options);
            Replay replay = new(built)
            {
                Workers = workers,
                Events = Recordings.ReadEvents(name),
                Checkpoints = Recordings.ReadCheckpoints(name),
                StateDirectory = state,
            };
            MemorySink sink = new();
            using CaptureReader reader = CaptureReader.Open(Recordings.CaptureOf(name, AttachPoint.Overlay));
            replay.Run(reader, sink);
            using StringWriter text = new();
            IpvsadmTables.WriteList(text, built.Namespace);
            IpvsadmTables.WriteStatistics(text, built.Namespace);
            IptablesTables.Write(text, built.Namespace.Mangle);
            IptablesTables.Write(text, built.Namespace.Filter);
            IptablesTables.Write(text, built.Namespace.Translator.Table);
            foreach (string file in Directory.GetFiles(state).Order(StringComparer.Ordinal))
            {
                // Connections are listed by their numbers, which are handed out to workers in chunks.
                string[] lines = File.ReadAllLines(file);
                text.WriteLine(Path.GetFileName(file));
                text.WriteLine(string.Join('\n', file.Contains("Lnc", StringComparison.Ordinal) ? lines.Order(StringComparer.Ordinal) : lines));
            }

            return new Outcome([.. sink.Frames], text.ToString(), built.Balancer.Counters.FramesIn);
        }
        finally
        {
            Directory.Delete(state, recursive: true);
        }
    }

    private sealed record Outcome(IReadOnlyList<TimedFrame> Sent, string Tables, long FramesSeen);
}
