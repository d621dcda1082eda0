using FastPathLb.Cli.Input;
using FastPathLb.Cli.Options;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Following;
using FastPathLb.Engine.Replaying;
using FastPathLb.Engine.Verifying;
using FastPathLb.Io.Captures;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Cli.Running;

/// <summary>A capture of the wire between several nodes, followed through all of them.</summary>
internal sealed class FollowRun : IDisposable
{
    private const int NodesMin = 2;

    private readonly CaptureInput _input;
    private readonly List<BuiltNode> _built = [];
    private readonly List<string> _names = [];
    private readonly List<string> _notes = [];
    private readonly SwarmWire _wire;

    private FollowRun(CaptureInput input, IReadOnlyList<NodeFolder> folders, CancellationToken stopping)
    {
        _input = input;
        try
        {
            foreach (NodeFolder folder in folders)
            {
                Add(folder, stopping);
            }

            _wire = new SwarmWire([.. _built.Select(built => built.Node)]);
            Recorded = new RecordedWire(_built[0].Node.TunnelPort);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The capture's name.</summary>
    public string Name => _input.Name;

    /// <summary>The nodes' names, in their order.</summary>
    public IReadOnlyList<string> NodeNames => _names;

    /// <summary>What was inferred, or is not emulated, one sentence each.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>What the nodes sent in the recording, as far as it was emitted too.</summary>
    public RecordedWire Recorded { get; }

    /// <summary>Frames of the capture that went in.</summary>
    public long FollowedCount { get; private set; }

    /// <summary>Opens the capture and makes the nodes.</summary>
    /// <exception cref="UsageException">The options do not go together.</exception>
    public static FollowRun Open(string capture, IReadOnlyList<NodeFolder> folders, CommandConsole console)
    {
        if (folders.Count < NodesMin)
        {
            throw new UsageException(
                "--node DIR is expected twice or more: one for each node, DIR/node2. for the files node2.* of a folder with several");
        }

        CaptureInput input = CaptureInput.Open(capture, console);
        if (!input.IsFile)
        {
            input.Dispose();
            throw new UsageException($"{capture}: is read more than once: a file is expected");
        }

        return new FollowRun(input, folders, console.Stop.Token);
    }

    /// <summary>Follows the frames that came from outside, and those that tasks sent.</summary>
    /// <param name="show">Takes each frame's journey.</param>
    /// <param name="stopping">Ends it early.</param>
    public void Run(Func<Journey, bool> show, CancellationToken stopping)
    {
        using (CaptureReader all = _input.OpenAnew())
        {
            while (!stopping.IsCancellationRequested && all.TryRead(out CapturedFrame frame))
            {
                if (frame.LinkType == LinkType.Ethernet && _wire.FindSender(frame.Data) >= 0)
                {
                    Recorded.Add(frame.Data, frame.RecordNumber);
                }
            }
        }

        bool goesOn = true;
        while (goesOn && !stopping.IsCancellationRequested && _input.Reader.TryRead(out CapturedFrame frame))
        {
            if (frame.LinkType != LinkType.Ethernet || !_wire.TryFindEntry(frame.Data, out int node, out int port, out int skip))
            {
                continue;
            }

            FollowedCount++;
            IReadOnlyList<JourneyStep> steps = _wire.Send(
                node, port, frame.Data[skip..], frame.TimestampNanoseconds, frame.RecordNumber);
            goesOn = show(new Journey(
                frame.RecordNumber, frame.TimestampNanoseconds,
                [.. steps.Select(step => new JourneyLine(_names[step.Node], step, IsOnWire(step) ? Recorded.Take(step.Frame) : null))]));
        }
    }

    /// <summary>Whether a step is on the wire between the nodes, where a capture shows it.</summary>
    public static bool IsOnWire(JourneyStep step) =>
        step is { Kind: JourneyStepKind.Leaves, Port.Kind: Balancer.Node.NodePortKind.Uplink };

    /// <inheritdoc/>
    public void Dispose()
    {
        _input.Dispose();
        _built.ForEach(built => built.Dispose());
    }

    private void Add(NodeFolder folder, CancellationToken stopping)
    {
        NodeDump state = CardInference.Complete(folder.ReadState(), folder, _input);
        NodeRecording recording = new NodeRecording
        {
            State = state,
            Options = new LoadBalancerOptions(),
            Captures = [(Balancer.Node.SwarmNode.UplinkPort, _input.OpenAnew)],
        }.WithHints(CardInference.LearnsNeighbors(state), stopping);
        recording = recording with { Starts = NodeStartInference.Find(recording, stopping) };
        string name = NameOf(folder, state);
        List<string> notes = [.. state.Inferred];
        _built.Add(recording.Build(notes));
        _names.Add(_names.Contains(name) ? $"{name}-{_names.Count + 1}" : name);
        _notes.AddRange(notes.Select(note => $"{_names[^1]}: {note}"));
    }

    private static string NameOf(NodeFolder folder, NodeDump state) =>
        folder.Prefix.Length > 0 ? folder.Prefix.TrimEnd('.')
        : state.Docker.Nodes.FirstOrDefault(node => node.IsSelf)?.HostName
            ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder.Path)));
}

/// <summary>A frame of a capture, and the places that it and its successors passed.</summary>
/// <param name="Number">Number in the capture, from 1.</param>
/// <param name="TimestampNanoseconds">When, nanoseconds since the Unix epoch.</param>
/// <param name="Lines">The places, in order.</param>
internal sealed record Journey(long Number, long TimestampNanoseconds, IReadOnlyList<JourneyLine> Lines);

/// <summary>A place on a journey.</summary>
/// <param name="Node">The node's name.</param>
/// <param name="Step">What happened there.</param>
/// <param name="RecordedAs">The recorded frame that is the same; null where there is none, or the place is not on the wire.</param>
internal sealed record JourneyLine(string Node, JourneyStep Step, long? RecordedAs);
