using FastPathLb.Balancer.Node;
using FastPathLb.Balancer.Stack;
using FastPathLb.Cli.Input;
using FastPathLb.Cli.Options;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Replaying;
using FastPathLb.Engine.Tables;
using FastPathLb.Engine.Verifying;
using FastPathLb.Io.Captures;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;
using FastPathLb.Wire;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Cli.Running;

/// <summary>One run of captures through a whole node, with what is compared where that is asked for.</summary>
internal sealed class NodeRun : IDisposable
{
    private readonly ReplayArguments _typed;
    private readonly string _folder;
    private readonly List<CaptureInput> _inputs = [];
    private readonly CaptureWriter? _writer;
    private readonly List<int> _interfaces = [];

    private NodeRun(ReplayArguments typed, string folder, bool isVerifying, CommandConsole console)
    {
        _typed = typed;
        _folder = folder;
        CaptureInput card = CaptureInput.Open(typed.Input, console);
        _inputs.Add(card);
        NodeDump state = WithCardOf(card, NodeDumpReader.Read(folder, typed.Prefix));
        LoadBalancerOptions usual = new();
        Built = SwarmNodeBuilder.Build(state, usual with
        {
            ServerOrder = typed.Order == Words.Reversed ? ServerOrder.Reversed : ServerOrder.Listed,
            RoundRobinStart = typed.RoundRobinStart ?? usual.RoundRobinStart,
            Capacity = typed.Capacity ?? usual.Capacity,
            Seed = typed.Seed ?? usual.Seed,
        });
        Source = new NodeSource(Built.Node);
        Comparison = isVerifying ? new NodeComparison(Built, state) : null;
        Notes = [.. state.Inferred, .. Built.Warnings];
        AddCapture(card, SwarmNode.UplinkPort);
        LearnNeighbors(state);
        foreach (string tap in typed.Taps)
        {
            int port = PortOf(tap);
            CaptureInput input = CaptureInput.Open(tap, console);
            _inputs.Add(input);
            AddCapture(input, port);
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
        if (typed.ConfigFile is not null || typed.EventFile is not null || typed.StateFolder is not null || typed.Network is not null)
        {
            throw new UsageException(
                "--attach node takes --node DIR: --config, --events, --state and --network are for a load balancer alone");
        }

        if (typed.Workers is > 1)
        {
            throw new UsageException("--workers is for a load balancer alone: a whole node is one worker's");
        }

        string folder = typed.NodeFolder ?? RecordingFolder.Of(typed.Input)
            ?? throw new UsageException($"{typed.Input}: which node? --node DIR (a folder of dumps) is expected");
        return new NodeRun(typed, folder, isVerifying, console);
    }

    /// <summary>Runs to the captures' end, and compares.</summary>
    public void Run(CommandConsole console)
    {
        NodeReplay replay = new(Built);
        if (Comparison is not null)
        {
            Source.PassedOver = Comparison.AddExpected;
        }

        Elapsed = replay.Run(Source, Sink, console.Stop.Token);
        if (Comparison is null || console.Stop.IsRaised)
        {
            return;
        }

        Frames = Comparison.Compare();
        CompareTables(replay);
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

    private void AddCapture(CaptureInput input, int port)
    {
        Source.Add(input.Reader, port);
        Comparison?.AddCapture(port);
    }

    /// <summary>Without the host's own dump the MAC of its card is what the capture shows.</summary>
    private NodeDump WithCardOf(CaptureInput card, NodeDump state)
    {
        NamespaceState host = state["host"];
        InterfaceState? device = host.Interfaces.FirstOrDefault(item => item is { Kind: "ether", Addresses.Count: > 0 });
        if (device is null || !card.IsFile || _typed.IgnoresRecording
            || File.Exists(Path.Combine(_folder, $"{_typed.Prefix}host.ip-addr.txt")))
        {
            return state;
        }

        MacAddress? found = null;
        card.Peek((in CapturedFrame frame) =>
        {
            found = FindMac(frame.Data, device.Addresses[0].Address);
            return found is null;
        });
        return found is not { } mac ? state : state with
        {
            Namespaces = new Dictionary<string, NamespaceState>(state.Namespaces, StringComparer.Ordinal)
            {
                ["host"] = host with
                {
                    Interfaces = [.. host.Interfaces.Select(item => item == device ? item with { Mac = mac } : item)],
                },
            },
        };
    }

    private static MacAddress? FindMac(ReadOnlySpan<byte> frame, Ipv4Address address) =>
        EthernetHeader.TryParse(frame, out EthernetHeader ethernet) && ethernet.EtherType == EtherType.Ipv4
            && Ipv4Header.TryParse(ethernet.Payload, out Ipv4Header packet)
            ? packet.Source == address ? ethernet.Source
            : packet.Destination == address ? ethernet.Destination
            : null
            : null;

    // MACs that only stand in for unknown ones give way to what the capture shows.
    private void LearnNeighbors(NodeDump state)
    {
        if (_inputs[0].IsFile && !_typed.IgnoresRecording
            && !state["host"].Neighbors.Any(neighbor => neighbor.State != NeighborState.InferredState))
        {
            _inputs[0].Peek((in CapturedFrame frame) =>
            {
                Built.Node.LearnNeighbor(frame.Data);
                return true;
            });
            Notes.Add("MACs of other nodes and of clients on the node's own network are taken from the capture.");
        }
    }

    // "node1.ingress-eth0.pcap.gz" was taken at the port ingress-eth0.
    private int PortOf(string path)
    {
        string[] parts = Path.GetFileName(path).Split('.');
        for (int index = 0; index < Built.Node.Ports.Count; index++)
        {
            if (Built.Node.Ports[index] is { Kind: NodePortKind.Tap } port && parts.Contains(port.Name))
            {
                return index;
            }
        }

        IEnumerable<string> names = Built.Node.Ports.Where(port => port.Kind == NodePortKind.Tap).Select(port => port.Name);
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

    /// <summary>The tables after all traffic, of each namespace of which the recording has them and a capture shows what went in.</summary>
    private void CompareTables(NodeReplay replay)
    {
        if (RecordingFolder.Find(_folder, RecordingFolder.CheckpointFile) is not { } file || _typed.Prefix.Length > 0)
        {
            return;
        }

        const long Second = 1_000_000_000;
        string work = Directory.CreateTempSubdirectory("fastpathlb-node-").FullName;
        try
        {
            List<(string, StateVerdict)> verdicts = [];
            foreach (Checkpoint checkpoint in CheckpointFileReader.Read(file).Where(item => item.TimestampNanoseconds >= Built.Node.Now))
            {
                foreach (NetworkNamespace space in Built.Node.Spaces.Where(space => HasTables(space, checkpoint.Tag))
                    .OrderBy(space => DelaySeconds(space, checkpoint.Tag)))
                {
                    // A moment noted in whole seconds lies somewhere in that second, and connections are read last.
                    long moment = checkpoint.TimestampNanoseconds + (DelaySeconds(space, checkpoint.Tag) * Second);
                    string emulated = Path.Combine(work, space.Name);
                    replay.Advance(moment);
                    StateFolder.WriteCounters(emulated, checkpoint.Tag, space);
                    replay.Advance(moment + Second - 1);
                    StateFolder.WriteConnections(emulated, checkpoint.Tag, space, moment + Second - 1);
                    string recorded = Copy(space, checkpoint.Tag, Path.Combine(work, $"{space.Name}-recorded"));
                    verdicts.Add((space.Name, StateComparison.Compare(recorded, emulated, [checkpoint.Tag])));
                }
            }

            Tables = verdicts;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private bool HasTables(NetworkNamespace space, string tag) =>
        File.Exists(Path.Combine(_folder, $"{PrefixOf(space)}ipvsadm-Ln.{tag}.txt"))
        && Enumerable.Range(0, Built.Node.Ports.Count).Any(port =>
            Built.Node.Ports[port].Name.StartsWith($"{space.Name}-", StringComparison.Ordinal)
            && _typed.Taps.Any(tap => PortOf(tap) == port));

    // The checkpoint is when the first network's tables were read; iptables-save says how much later another namespace's were.
    private long DelaySeconds(NetworkNamespace space, string tag) =>
        TimeOf($"{PrefixOf(space)}iptables-save.{tag}.txt") is { } own && TimeOf($"iptables-save.{tag}.txt") is { } first
            ? (long)(own - first).TotalSeconds
            : 0;

    // "# Generated by iptables-save v1.8.9 on Sun Nov 22 07:53:44 2026"
    private DateTime? TimeOf(string name)
    {
        const string Before = " on ";
        string path = Path.Combine(_folder, name);
        string line = File.Exists(path) ? File.ReadLines(path).FirstOrDefault("") : "";
        int at = line.LastIndexOf(Before, StringComparison.Ordinal);
        return at >= 0 && DateTime.TryParseExact(
            line[(at + Before.Length)..].Replace("  ", " ", StringComparison.Ordinal), "ddd MMM d HH:mm:ss yyyy",
            System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.None, out DateTime time)
            ? time
            : null;
    }

    // The first network's tables have no prefix.
    private static string PrefixOf(NetworkNamespace space) => space.Name == "lb" ? "" : $"{space.Name}.";

    private string Copy(NetworkNamespace space, string tag, string target)
    {
        Directory.CreateDirectory(target);
        foreach (string table in (string[])["ipvsadm-Ln", "ipvsadm-Lnc", "ipvsadm-stats", "mangle"])
        {
            string source = Path.Combine(_folder, $"{PrefixOf(space)}{table}.{tag}.txt");
            if (File.Exists(source))
            {
                File.Copy(source, Path.Combine(target, $"{table}.{tag}.txt"));
            }
        }

        return target;
    }
}
