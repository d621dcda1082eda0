using FastPathLb.Balancer.Node;
using FastPathLb.Cli.Input;
using FastPathLb.Cli.Options;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Replaying;
using FastPathLb.Engine.Verifying;
using FastPathLb.Io.Captures;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Cli.Running;

/// <summary>One run of captures through a whole node, with what is compared where that is asked for.</summary>
internal sealed class NodeRun : IDisposable
{
    // A node made to ask for its ports' names carries no connections.
    private const int NamesAlone = 16;

    private readonly ReplayArguments _typed;
    private readonly string _folder;
    private readonly List<CaptureInput> _inputs = [];
    private readonly CaptureWriter? _writer;
    private readonly List<int> _interfaces = [];

    private readonly IReadOnlyList<NodeEvent> _events;
    private readonly NodeHints? _hints;

    private NodeRun(ReplayArguments typed, string folder, bool isVerifying, CommandConsole console)
    {
        _typed = typed;
        _folder = folder;
        CaptureInput card = CaptureInput.Open(typed.Input, console);
        _inputs.Add(card);
        NodeDump state = NodeDumpReader.Read(folder, typed.Prefix);
        state = typed.IgnoresRecording ? state : CardInference.Complete(state, new NodeFolder(folder, typed.Prefix), card);
        _events = ReadEvents(isVerifying);
        Notes = [.. state.Inferred];
        NodeRecording recording = Infer(new NodeRecording
        {
            State = state,
            Options = Options(),
            Captures = OpenCaptures(state, console),
            Events = _events,
        }, console.Stop.Token);
        _hints = recording.Hints;
        Built = recording.Build(Notes);
        Source = new NodeSource(Built.Node);
        Comparison = isVerifying ? new NodeComparison(Built, state) : null;
        foreach ((CaptureInput input, (int port, _)) in _inputs.Zip(recording.Captures))
        {
            Source.Add(input.Reader, port);
            Comparison?.AddCapture(port);
        }

        _writer = typed.Output is null ? null : CreateWriter(typed.Output);
        Built.Node.IsTapped = isVerifying || _writer is not null;
        Sink = new NodeSink(Built.Node, Take);
    }

    /// <summary>The captures' names.</summary>
    public string Name => _typed.Input;

    /// <summary>The node.</summary>
    public BuiltNode Built { get; }

    /// <summary>Where frames come from.</summary>
    public NodeSource Source { get; }

    /// <summary>Where they go to.</summary>
    public NodeSink Sink { get; }

    /// <summary>What is compared; null for a replay.</summary>
    public NodeComparison? Comparison { get; }

    /// <summary>What a user should know before trusting the result.</summary>
    public List<string> Notes { get; }

    /// <summary>How the frames compare, port by port.</summary>
    public IReadOnlyList<(string Name, FrameVerdict Verdict)> Frames { get; private set; } = [];

    /// <summary>How the tables compare, by namespace.</summary>
    public IReadOnlyList<(string Name, StateVerdict Verdict)> Tables { get; private set; } = [];

    /// <summary>How long it took.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <summary>The output's name, or null.</summary>
    public string? Output => _typed.Output;

    /// <summary>Whether all that was compared is the same.</summary>
    public bool IsSame => Frames.All(item => item.Verdict.IsSame) && Tables.All(item => item.Verdict.IsSame);

    /// <summary>Opens the captures and makes the node.</summary>
    /// <exception cref="UsageException">The options do not go together.</exception>
    public static NodeRun Open(ReplayArguments typed, bool isVerifying, CommandConsole console)
    {
        if (typed.ConfigFile is not null || typed.StateFolder is not null || typed.Network is not null)
        {
            throw new UsageException(
                "--attach node takes --node DIR: --config, --state and --network are for a load balancer alone");
        }

        if (typed.Workers is > 1)
        {
            throw new UsageException("--workers is for a load balancer alone: a whole node is one worker's");
        }

        if (typed.Processors is not null || typed.Memory is not null)
        {
            throw new UsageException("--cpus and --numa are for a load balancer alone, not with --attach node");
        }

        string folder = typed.NodeFolder ?? RecordingFolder.Of(typed.Input)
            ?? throw new UsageException($"{typed.Input}: which node? --node DIR (a folder of dumps) is expected");
        return new NodeRun(typed, folder, isVerifying, console);
    }

    /// <summary>Runs to the captures' end, and compares.</summary>
    public void Run(CommandConsole console)
    {
        using NodeTables? tables = Comparison is null || _typed.Prefix.Length > 0
            ? null
            : NodeTables.Open(_folder, Built, [.. _typed.Taps.Select(PortOf)]);
        NodeReplay replay = new(Built) { Events = _events, Hints = _hints, Moments = tables?.Moments ?? [] };
        if (Comparison is not null)
        {
            Source.PassedOver = Comparison.AddExpected;
        }

        Elapsed = replay.Run(Source, Sink, console.Stop.Token);
        Notes.AddRange(replay.Notes);
        if (Comparison is null || console.Stop.IsRaised)
        {
            return;
        }

        Frames = Comparison.Compare();
        Tables = tables?.Compare() ?? [];
        if (Frames.Sum(item => item.Verdict.ExpectedCount) == 0 && Tables.Count == 0)
        {
            throw new UsageException(
                $"{_typed.Input}: holds no VXLAN and no published port's frame that the node sent, so there is nothing to compare with");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _writer?.Dispose();
        foreach (CaptureInput input in _inputs)
        {
            input.Dispose();
        }

        Built.Dispose();
    }

    private LoadBalancerOptions Options()
    {
        LoadBalancerOptions usual = new();
        return usual with
        {
            ServerOrder = _typed.Order == Words.Reversed ? ServerOrder.Reversed : ServerOrder.Listed,
            RoundRobinStart = _typed.RoundRobinStart ?? usual.RoundRobinStart,
            Capacity = _typed.Capacity ?? usual.Capacity,
            Seed = _typed.Seed ?? usual.Seed,
        };
    }

    // As for a load balancer alone: a recording's own events are used unasked where it is verified.
    private IReadOnlyList<NodeEvent> ReadEvents(bool isVerifying)
    {
        string? file = _typed.EventFile
            ?? (isVerifying ? RecordingFolder.Find(_folder, _typed.Prefix + RecordingFolder.EventFile) : null);
        return file is null ? [] : EventFileReader.Read(file);
    }

    private List<(int Port, Func<CaptureReader> Open)> OpenCaptures(NodeDump state, CommandConsole console)
    {
        List<(int Port, Func<CaptureReader> Open)> captures = [(SwarmNode.UplinkPort, _inputs[0].OpenAnew)];
        using BuiltNode built = SwarmNodeBuilder.Build(state, new LoadBalancerOptions { Capacity = NamesAlone });
        foreach (string tap in _typed.Taps)
        {
            int port = PortOf(built.Node, tap);
            CaptureInput input = CaptureInput.Open(tap, console);
            _inputs.Add(input);
            captures.Add((port, input.OpenAnew));
        }

        return captures;
    }

    /// <summary>What the captures tell beyond the dumps, where they can be read twice.</summary>
    private NodeRecording Infer(NodeRecording recording, CancellationToken stopping)
    {
        if (_typed.IgnoresRecording || !_inputs.TrueForAll(input => input.IsFile)
            || _inputs.Sum(input => input.EstimatedBytes) > RecordingHints.CaptureBytesMax)
        {
            return recording;
        }

        if (Program.Attempt(() => recording.WithHints(CardInference.LearnsNeighbors(recording.State), stopping), out _)
            is not { } informed)
        {
            // A damaged capture: the run itself says where.
            return recording;
        }

        bool infersStart = _typed.Order is null && _typed.RoundRobinStart is null;
        return infersStart ? informed with { Starts = NodeStartInference.Find(informed, stopping) } : informed;
    }

    // "node1.ingress-eth0.pcap.gz" was taken at the port ingress-eth0.
    private int PortOf(string path) => PortOf(Built.Node, path);

    private static int PortOf(SwarmNode node, string path)
    {
        string[] parts = Path.GetFileName(path).Split('.');
        for (int index = 0; index < node.Ports.Count; index++)
        {
            if (node.Ports[index] is { Kind: NodePortKind.Tap } port && parts.Contains(port.Name))
            {
                return index;
            }
        }

        IEnumerable<string> names = node.Ports.Where(port => port.Kind == NodePortKind.Tap).Select(port => port.Name);
        throw new UsageException(
            $"--tap {path}: a capture named after one of {string.Join(", ", names)} is expected, such as lb-eth0.pcap");
    }

    private CaptureWriter CreateWriter(string path)
    {
        CaptureWriter writer = CaptureWriter.Create(path, CaptureFormat.ByExtension);
        if (writer.Format == CaptureFormat.Pcapng)
        {
            foreach (NodePort port in Built.Node.Ports)
            {
                _interfaces.Add(writer.AddInterface(port.Name, LinkType.Ethernet));
            }
        }
        else
        {
            Notes.Add($"{path}: a pcap file has one interface: what leaves at the card is written; .pcapng has all ports.");
        }

        return writer;
    }

    private void Take(int port, ReadOnlySpan<byte> frame, EmittedFrame emitted)
    {
        Comparison?.AddActual(port, frame, emitted.TimestampNanoseconds, 0);
        if (_interfaces.Count > 0 || port == SwarmNode.UplinkPort)
        {
            _writer?.Write(emitted.TimestampNanoseconds, frame, _interfaces.Count > 0 ? _interfaces[port] : 0, emitted.WireLengthBytes);
        }
    }
}
