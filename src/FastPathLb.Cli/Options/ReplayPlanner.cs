using FastPathLb.Balancer;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Cli.Input;
using FastPathLb.Conntrack;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Placing;
using FastPathLb.NodeState;
using static FastPathLb.Cli.Options.Words;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Cli.Options;

/// <summary>Finds out what the options of a replay mean.</summary>
internal static class ReplayPlanner
{
    // Some ten thousand small frames.
    private const long SmallBytesMax = 1024 * 1024;

    /// <summary>Makes a plan.</summary>
    /// <param name="typed">The options.</param>
    /// <param name="console">Where standard input comes from.</param>
    /// <param name="usesRecording">Whether the recording's own checkpoints and events are used unasked.</param>
    /// <exception cref="UsageException">The options do not go together, or something is missing.</exception>
    /// <exception cref="NodeStateException">A dump, configuration, checkpoint or event file is wrong.</exception>
    /// <exception cref="IOException">The capture cannot be read.</exception>
    public static ReplayPlan Plan(ReplayArguments typed, CommandConsole console, bool usesRecording)
    {
        if (typed.Attach == Node)
        {
            throw new UsageException("--attach node is for replay and verify");
        }

        if (typed.Taps.Count > 0 || typed.Prefix.Length > 0)
        {
            throw new UsageException("--tap and --prefix go with --attach node");
        }

        if (typed.NodeFolder is not null && typed.ConfigFile is not null)
        {
            throw new UsageException("--node and --config both say what the node is: give one of them");
        }

        if (typed.CheckpointFile is null && typed.StateFolder is not null && !usesRecording)
        {
            throw new UsageException("--state needs --checkpoints FILE: when to write the tables");
        }

        if (typed.StateFolder is null && typed.CheckpointFile is not null && !usesRecording)
        {
            throw new UsageException("--checkpoints needs --state DIR: where to write the tables");
        }

        if (typed.Workers is > 1 && usesRecording)
        {
            throw new UsageException("--workers is for replay: what is compared with a recording is one worker's");
        }

        if (typed.Workers is > ConnectionStore.WorkersMax)
        {
            throw new UsageException($"--workers {typed.Workers}: 1 to {ConnectionStore.WorkersMax} is expected");
        }

        if (typed is { IsJson: true, Output: CaptureInput.StandardInput })
        {
            throw new UsageException("--json and '-o -' both want standard output: give one of them");
        }

        ProcessorList? processors = PlacementOptions.ProcessorsOf(typed.Processors, typed.Workers ?? 1);
        MemoryPlacement memory = PlacementOptions.MemoryOf(typed.Memory);
        CaptureInput input = CaptureInput.Open(typed.Input, console);
        try
        {
            ReplayPlan plan = Plan(typed, console, input, usesRecording);
            return plan with { Processors = processors, Balancer = plan.Balancer with { Memory = memory with { IsSparse = IsSmall(input) } } };
        }
        catch
        {
            input.Dispose();
            throw;
        }
    }

    /// <summary>The state of the node that the options name.</summary>
    /// <returns>Null where they name none and the capture lies beside none.</returns>
    public static NodeDump? FindNode(ReplayArguments typed, ICollection<string> notes)
    {
        NodeDump? node = ReadNode(typed, notes);
        return typed.Network is { } network ? node?.OfNetwork(network) : node;
    }

    /// <summary>Where the capture was taken, as typed or inferred.</summary>
    public static AttachPoint FindAttachPoint(ReplayArguments typed, CaptureInput input, NodeDump node, ICollection<string> notes)
    {
        switch (typed.Attach)
        {
            case Underlay:
                return AttachPoint.Underlay;
            case Overlay:
                return AttachPoint.Overlay;
            default:
                (AttachPoint point, string reason) = AttachInference.Infer(input, typed.Input, node);
                notes.Add(reason);
                return point;
        }
    }

    // So few frames that their connections are scattered over a table: most of its memory stays untouched.
    private static bool IsSmall(CaptureInput input) => input.IsFile && input.EstimatedBytes <= SmallBytesMax;

    private static NodeDump? ReadNode(ReplayArguments typed, ICollection<string> notes)
    {
        if (typed.ConfigFile is { } config)
        {
            return LbConfigReader.Read(config);
        }

        if (typed.NodeFolder is { } folder)
        {
            return NodeDumpReader.Read(folder);
        }

        if (RecordingFolder.Of(typed.Input) is not { } beside)
        {
            return null;
        }

        notes.Add($"The node is that of the dumps beside the capture, in {beside} (--node or --config says otherwise).");
        return NodeDumpReader.Read(beside);
    }

    private static ReplayPlan Plan(ReplayArguments typed, CommandConsole console, CaptureInput input, bool usesRecording)
    {
        List<string> notes = [];
        NodeDump node = FindNode(typed, notes)
            ?? throw new UsageException(
                $"{input.Name}: which node's load balancer? --node DIR (a folder of dumps) or --config FILE (YAML) is expected");
        string? recording = typed.NodeFolder ?? RecordingFolder.Of(typed.Input);
        string? eventFile = typed.EventFile ?? (usesRecording ? RecordingFolder.Find(recording, RecordingFolder.EventFile) : null);
        string? checkpoints = typed.CheckpointFile
            ?? (usesRecording ? RecordingFolder.Find(recording, RecordingFolder.CheckpointFile) : null);
        IReadOnlyList<NodeEvent> events = eventFile is null ? [] : EventFileReader.Read(eventFile);
        LoadBalancerOptions balancer = Options(typed, FindAttachPoint(typed, input, node, notes));
        int workers = typed.Workers ?? 1;
        if (workers > 1)
        {
            notes.Add($"{workers} workers share the frames; what the recording's own load balancer sent is not looked at.");
        }

        SchedulerCheck.Check(node, balancer.NamespaceName, events, eventFile);
        return new ReplayPlan
        {
            Input = input,
            Node = node,
            RecordingFolder = recording,
            Balancer = balancer,
            Workers = workers,
            UsesHints = !typed.IgnoresRecording && workers == 1,
            InfersStart = !typed.IgnoresRecording && workers == 1 && typed.Order is null && typed.RoundRobinStart is null,
            Events = events,
            Checkpoints = checkpoints is null ? [] : CheckpointFileReader.Read(checkpoints),
            StateFolder = typed.StateFolder,
            Output = typed.Output,
            IsJson = typed.IsJson,
            ShowsProgress = !typed.HidesProgress && console.IsErrorTerminal,
            Notes = [.. notes, .. node.Inferred],
        };
    }

    private static LoadBalancerOptions Options(ReplayArguments typed, AttachPoint attachPoint)
    {
        LoadBalancerOptions usual = new();
        return usual with
        {
            AttachPoint = attachPoint,
            ServerOrder = typed.Order == Reversed ? ServerOrder.Reversed : ServerOrder.Listed,
            RoundRobinStart = typed.RoundRobinStart ?? usual.RoundRobinStart,
            Capacity = typed.Capacity ?? usual.Capacity,
            Seed = typed.Seed ?? usual.Seed,
            PortPolicy = typed.SourcePorts == Drawn ? SourcePortPolicy.Drawn : SourcePortPolicy.NextFree,
        };
    }
}
