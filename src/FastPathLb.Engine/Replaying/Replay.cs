using System.Diagnostics;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Placing;
using FastPathLb.Engine.Tables;
using FastPathLb.Io.Captures;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;

namespace FastPathLb.Engine.Replaying;

/// <summary>Feeds a capture through a load balancer: frames, timed changes and checkpoints in the order of their times.</summary>
public sealed class Replay
{
    private readonly BuiltLoadBalancer _built;
    private readonly FrameBatch _batch = new();
    private readonly List<string> _notes = [];
    private ReplayWorkers? _workers;

    /// <summary>Makes a replay over a load balancer.</summary>
    public Replay(BuiltLoadBalancer built) => _built = built;

    /// <summary>Changes to carry out at their times.</summary>
    public IReadOnlyList<NodeEvent> Events { get; init; } = [];

    /// <summary>When to write the tables.</summary>
    public IReadOnlyList<Checkpoint> Checkpoints { get; init; } = [];

    /// <summary>Where the tables go at checkpoints.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>Called at each checkpoint.</summary>
    public Action<Checkpoint>? AtCheckpoint { get; init; }

    /// <summary>Called before each batch, with the frames as they came: those that are sent on are rewritten where they lie.</summary>
    public Action<FrameBatch>? BeforeBatch { get; init; }

    /// <summary>Called after each batch, with the frames and their verdicts.</summary>
    public Action<FrameBatch>? AfterBatch { get; init; }

    /// <summary>Takes what the recording's own load balancer sent.</summary>
    public OwnFrameHandler? OwnFrames { get; init; }

    /// <summary>
    /// Workers that share the frames, or null for the load balancer alone. Then hints, and what is called before and after batches,
    /// do not go with it: their order is one worker's.
    /// </summary>
    public BuiltWorkers? Workers { get; init; }

    /// <summary>
    /// Where workers run, one after the other; null where the system chooses. What reads and writes files stays free to run anywhere.
    /// </summary>
    public ProcessorList? Processors { get; init; }

    /// <summary>What the recording tells beyond the node's state.</summary>
    public RecordingHints Hints { get; init; } = RecordingHints.None;

    /// <summary>How round robin began, where the recording contradicts the list as dumped.</summary>
    public RoundRobinStart RoundRobinStart { get; init; }

    /// <summary>
    /// Whether the capture is read ahead, and what is emitted is written behind, on a thread of their own: of use for captures of many
    /// thousand frames. Source, <see cref="OwnFrames"/> and the sink are then used by that thread. Not with events or checkpoints, which
    /// lie between two frames.
    /// </summary>
    public bool ReadsAhead { get; init; }

    /// <summary>What could not be carried out, one sentence each.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Runs to the capture's end, or until told to stop.</summary>
    /// <exception cref="IOException">The worker cannot run on its processor, or a file fails.</exception>
    public ReplaySummary Run(CaptureReader reader, IFrameSink sink, CancellationToken stopping = default)
    {
        if (Processors is null || Workers is not null)
        {
            return RunHere(reader, sink, stopping);
        }

        ReplaySummary? summary = null;
        Processors.Run(0, () => summary = RunHere(reader, sink, stopping));
        return summary!;
    }

    private ReplaySummary RunHere(CaptureReader reader, IFrameSink sink, CancellationToken stopping)
    {
        CaptureSource source = new(reader, _built.Balancer) { OwnFrames = OwnFrames, Hints = Hints };
        _batch.ConnectSink(sink);
        _notes.AddRange(_built.Warnings);
        _notes.AddRange(HintApplier.Apply(_built.Namespace, Hints, RoundRobinStart));
        Queue<Moment> moments = Merge();
        using ReplayWorkers? workers = Workers is null ? null : new ReplayWorkers(Workers.Group, sink, Processors);
        _workers = workers;
        long began = Stopwatch.GetTimestamp();
        bool isOpen = true;
        if (ReadsAhead && workers is null && moments.Count == 0)
        {
            using BatchRelay relay = new(source, sink);
            relay.Run(Process, stopping);
            isOpen = false;
        }

        while (isOpen && !stopping.IsCancellationRequested)
        {
            source.StopBefore = moments.Count > 0 ? moments.Peek().Time : long.MaxValue;
            _batch.Clear();
            isOpen = source.Receive(_batch);
            if (_batch.Count > 0 && workers is not null)
            {
                workers.Process(_batch);
                AfterBatch?.Invoke(_batch);
            }
            else if (_batch.Count > 0)
            {
                BeforeBatch?.Invoke(_batch);
                _built.Balancer.Process(_batch);
                _batch.Flush();
                AfterBatch?.Invoke(_batch);
            }
            else if (isOpen && moments.Count > 0)
            {
                Reach(moments.Dequeue());
            }
        }

        while (moments.Count > 0 && !stopping.IsCancellationRequested)
        {
            Reach(moments.Dequeue());
        }

        workers?.Drain();
        Workers?.Group.Gather();
        NoteOffload();
        return new ReplaySummary(
            _built, source.OwnFrameCount, source.UnservedFrameCount, Stopwatch.GetElapsedTime(began), reader.Warning, _notes)
        {
            CaptureDamage = source.Damage,
        };
    }

    private void Process(FrameBatch batch)
    {
        BeforeBatch?.Invoke(batch);
        _built.Balancer.Process(batch);
        AfterBatch?.Invoke(batch);
    }

    /// <summary>What captures show of network cards' offloads, and how it was taken.</summary>
    private void NoteOffload()
    {
        if (_built.Namespace.PartialChecksumPackets is > 0 and long partial)
        {
            _notes.Add($"{partial} packets have a checksum that their sender's offload left unfinished; it was carried along as such");
        }

        if (_built.Namespace.SuperPackets is > 0 and long super)
        {
            _notes.Add($"{super} packets are larger than the MTU: segmentation offload; they were handled whole, as the kernel does");
        }
    }

    private Queue<Moment> Merge()
    {
        List<Moment> moments = [];
        moments.AddRange(
            EventInference.Refine(Events, Hints, _notes).Select(item => new Moment(item.TimestampNanoseconds, item, null, false)));
        foreach (Checkpoint checkpoint in Checkpoints)
        {
            long end = EndOfMoment(checkpoint.TimestampNanoseconds);
            moments.Add(new Moment(checkpoint.TimestampNanoseconds, null, checkpoint, false));
            moments.Add(new Moment(end, null, checkpoint, true));
        }

        return new Queue<Moment>(moments.OrderBy(moment => moment.Time));
    }

    /// <summary>
    /// A moment noted in whole seconds lies somewhere in that second. Tables are read one after the other, the list of
    /// connections, which takes longest, at last: counters are as the second began, connections as it ended.
    /// </summary>
    private static long EndOfMoment(long timestamp)
    {
        const long Second = 1_000_000_000;
        return timestamp % Second == 0 ? timestamp + Second - 1 : timestamp;
    }

    private void Reach(Moment moment)
    {
        Advance(moment.Time);
        if (moment.Event is { } change && Apply(change, moment.Time) is { } note)
        {
            _notes.Add($"event in line {change.Line}: {note}");
        }

        if (moment.Checkpoint is not { } checkpoint)
        {
            return;
        }

        if (StateDirectory is not null && !moment.IsEnd)
        {
            StateFolder.WriteCounters(StateDirectory, checkpoint.Tag, _built.Namespace);
        }
        else if (StateDirectory is not null)
        {
            StateFolder.WriteConnections(StateDirectory, checkpoint.Tag, _built.Namespace, moment.Time);
        }

        if (moment.IsEnd)
        {
            AtCheckpoint?.Invoke(checkpoint);
        }
    }

    private void Advance(long now)
    {
        if (_workers is not null)
        {
            _workers.Drain();
            _workers.Advance(now);
            Workers!.Group.Gather();
            return;
        }

        _batch.Clear();
        _built.Balancer.Advance(now, _batch);
        _batch.Flush();
    }

    private string? Apply(NodeEvent change, long now)
    {
        if (Workers is null)
        {
            return CommandApplier.Apply(_built, change.Command, now);
        }

        string? note = null;
        Workers.Change(member => note = CommandApplier.Apply(member, change.Command, now));
        return note;
    }

    private sealed record Moment(long Time, NodeEvent? Event, Checkpoint? Checkpoint, bool IsEnd);
}
