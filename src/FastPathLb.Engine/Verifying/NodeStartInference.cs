using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Ipvs.Scheduling;
using FastPathLb.Balancer.Stack;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Replaying;

namespace FastPathLb.Engine.Verifying;

/// <summary>
/// Finds out where round robin stood in a node's namespaces by trying, service by service: each way is replayed, and the one whose frames
/// are most like the captures' wins. A namespace that was captured shows where its first connections went; of another each server can
/// have been the first.
/// </summary>
public static class NodeStartInference
{
    /// <summary>Most replays: a node of very many services is taken as dumped beyond that.</summary>
    public const int TrialCountMax = 64;

    /// <summary>Tries the ways rounds can have begun.</summary>
    /// <param name="recording">The recording, with its hints.</param>
    /// <param name="stopping">Ends the trying early.</param>
    /// <returns>Those that are not as listed.</returns>
    public static IReadOnlyList<RoundStart> Find(NodeRecording recording, CancellationToken stopping = default)
    {
        IReadOnlyList<RoundStart> best = [];
        List<RoundStart> used = [];
        int fewest = Try(recording, best, used, stopping);
        int trials = 1;
        foreach (RoundStart[] ways in used.GroupBy(start => (start.Namespace, start.Service)).Select(group => group.ToArray()).ToArray())
        {
            IReadOnlyList<RoundStart> before = best;
            foreach (RoundStart way in ways)
            {
                if (fewest == 0 || trials == TrialCountMax || stopping.IsCancellationRequested)
                {
                    return best;
                }

                trials++;
                RoundStart[] tried = [.. before, way];
                int differences = Try(recording, tried, [], stopping);
                if (differences < fewest)
                {
                    (best, fewest) = (tried, differences);
                }
            }
        }

        return best;
    }

    /// <summary>Replays, and counts the differences; notes in which other ways the services that had connections can have begun.</summary>
    private static int Try(
        NodeRecording recording, IReadOnlyList<RoundStart> starts, List<RoundStart> used, CancellationToken stopping)
    {
        using BuiltNode built = (recording with { Starts = starts }).Build([]);
        using NodeRecording.OpenCaptures captures = new(built.Node, recording.Captures);
        NodeComparison comparison = new(built, recording.State);
        foreach ((int port, _) in recording.Captures)
        {
            comparison.AddCapture(port);
        }

        // By the services themselves: one may be removed meanwhile.
        (VirtualService Service, RoundStart Way)[] ways =
            [.. built.Node.Spaces.SelectMany(space => WaysOf(space, recording.Hints))];
        captures.Source.PassedOver = comparison.AddExpected;
        built.Node.IsTapped = true;
        NodeSink sink = new(
            built.Node, (port, frame, emitted) => comparison.AddActual(port, frame, emitted.TimestampNanoseconds, 0));
        new NodeReplay(built) { Events = recording.Events, Hints = recording.Hints }.Run(captures.Source, sink, stopping);
        used.AddRange(ways.Where(item => item.Service.Counters.Connections > 0).Select(item => item.Way));
        return comparison.Compare().Sum(item => item.Verdict.Differences.Count);
    }

    private static IEnumerable<(VirtualService Service, RoundStart Way)> WaysOf(NetworkNamespace space, NodeHints? hints)
    {
        foreach (VirtualService service in space.Ipvs.Services.Where(service => service.Scheduler is RoundRobinScheduler))
        {
            RealServer[] servers = [.. service.Servers];
            if (hints?.Spaces.TryGetValue(space.Name, out RecordingHints? seen) == true)
            {
                int[] picks = [.. HintApplier.FirstRound(space, service, seen).Select(server => Array.IndexOf(servers, server))];
                if (picks.Length > 0 && picks[0] != 0)
                {
                    yield return (service, new RoundStart(space.Name, service.Key, picks, RoundRobinStart.MidRound));
                    yield return (service, new RoundStart(space.Name, service.Key, picks, RoundRobinStart.Reordered));
                }

                continue;
            }

            for (int first = 1; first < servers.Length; first++)
            {
                yield return (service, new RoundStart(space.Name, service.Key, [first], RoundRobinStart.MidRound));
            }
        }
    }
}
