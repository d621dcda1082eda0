using FastPathLb.Engine.Building;
using FastPathLb.Engine.Replaying;
using FastPathLb.Io.Captures;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Engine.Verifying;

/// <summary>
/// Finds out how round robin began in a recording by trying: each way is replayed, and the one whose frames are the recording's
/// wins.
/// </summary>
public static class StartInference
{
    /// <summary>Whether what a recording tells leaves more than one way.</summary>
    /// <param name="built">The load balancer, as dumps alone tell it.</param>
    /// <param name="hints">What the recording tells.</param>
    public static bool IsNeeded(BuiltLoadBalancer built, RecordingHints hints) =>
        hints.Picks.Count > 0 && HintApplier.IsStartInQuestion(built.Namespace, hints);

    /// <summary>Tries the ways a round can have begun.</summary>
    /// <param name="node">The node's state.</param>
    /// <param name="options">How the load balancer is made.</param>
    /// <param name="open">Opens the capture from its beginning.</param>
    /// <param name="hints">What the recording tells.</param>
    /// <param name="events">Changes while it was made.</param>
    /// <param name="stopping">Ends the trying early.</param>
    public static RoundRobinStart Find(
        NodeDump node, LoadBalancerOptions options, Func<CaptureReader> open, RecordingHints hints,
        IReadOnlyList<NodeEvent> events, CancellationToken stopping = default)
    {
        RoundRobinStart best = RoundRobinStart.AsListed;
        int fewest = int.MaxValue;
        foreach (RoundRobinStart start in Enum.GetValues<RoundRobinStart>())
        {
            using BuiltLoadBalancer built = LoadBalancerBuilder.Build(node, options);
            FrameComparison comparison = new(options.AttachPoint);
            Replay replay = new(built)
            {
                Events = events,
                Hints = hints,
                RoundRobinStart = start,
                OwnFrames = comparison.AddExpected,
            };
            using CaptureReader reader = open();
            replay.Run(reader, new ComparingSink(comparison), stopping);
            int differences = comparison.Compare().Differences.Count;
            if (differences < fewest)
            {
                (best, fewest) = (start, differences);
            }
        }

        return best;
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
