using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Node;
using FastPathLb.Engine.Building;
using FastPathLb.Io.Captures;
using FastPathLb.NodeState;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Engine.Replaying;

/// <summary>Captures of a node with its state and the changes made meanwhile: all that a run through the node is made of.</summary>
public sealed record NodeRecording
{
    /// <summary>The node as dumped.</summary>
    public required NodeDump State { get; init; }

    /// <summary>How its load balancers are made.</summary>
    public required LoadBalancerOptions Options { get; init; }

    /// <summary>The captures: the port that each was taken at, and what opens it from its beginning.</summary>
    public required IReadOnlyList<(int Port, Func<CaptureReader> Open)> Captures { get; init; }

    /// <summary>What was changed meanwhile.</summary>
    public IReadOnlyList<NodeEvent> Events { get; init; } = [];

    /// <summary>What the captures tell beyond the dumps; null where nothing is taken from them.</summary>
    public NodeHints? Hints { get; init; }

    /// <summary>Where services' round robin stood, other than at the head of the list as dumped.</summary>
    public IReadOnlyList<RoundStart> Starts { get; init; } = [];

    /// <summary>Looks through the captures.</summary>
    /// <param name="learnsNeighbors">Whether MACs on the card's link are taken from there.</param>
    /// <param name="stopping">Ends the look early.</param>
    public NodeRecording WithHints(bool learnsNeighbors, CancellationToken stopping = default)
    {
        using BuiltNode built = SwarmNodeBuilder.Build(State, Options);
        using OpenCaptures captures = new(built.Node, Captures);
        HashSet<int> ports = [.. Captures.Select(capture => capture.Port)];
        return this with { Hints = NodeHints.Infer(built.Node, captures.Source, ports, learnsNeighbors, stopping) };
    }

    /// <summary>Makes the node, in the state that the captures show it was in.</summary>
    /// <param name="notes">Takes a sentence for each thing that was inferred, or is not emulated.</param>
    public BuiltNode Build(ICollection<string> notes)
    {
        BuiltNode built = SwarmNodeBuilder.Build(State, Options);
        foreach (string note in (IEnumerable<string>)[.. built.Warnings, .. Hints?.Apply(built) ?? []])
        {
            notes.Add(note);
        }

        foreach (RoundStart start in Starts)
        {
            VirtualService service = built.Find(start.Namespace)!.Ipvs.FindService(start.Service)!;
            RealServer[] picks = [.. start.Picks.Select(place => service.Servers[place])];
            notes.Add($"{start.Namespace}: {HintApplier.SetStart(service, picks, start.Start)}");
        }

        return built;
    }

    /// <summary>The captures of a recording, opened anew.</summary>
    internal sealed class OpenCaptures : IDisposable
    {
        private readonly List<CaptureReader> _readers = [];

        public OpenCaptures(SwarmNode node, IReadOnlyList<(int Port, Func<CaptureReader> Open)> captures)
        {
            Source = new NodeSource(node);
            foreach ((int port, Func<CaptureReader> open) in captures)
            {
                CaptureReader reader = open();
                _readers.Add(reader);
                Source.Add(reader, port);
            }
        }

        public NodeSource Source { get; }

        public void Dispose() => _readers.ForEach(reader => reader.Dispose());
    }
}
