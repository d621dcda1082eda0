using System.Diagnostics;
using FastPathLb.Engine.Building;
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

    /// <summary>Called after each batch, with the frames and their verdicts.</summary>
    public Action<FrameBatch>? AfterBatch { get; init; }

    /// <summary>Takes what the recording's own load balancer sent.</summary>
    public OwnFrameHandler? OwnFrames { get; init; }

    /// <summary>What could not be carried out, one sentence each.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Runs to the capture's end, or until told to stop.</summary>
    public ReplaySummary Run(CaptureReader reader, IFrameSink sink, CancellationToken stopping = default)
    {
        CaptureSource source = new(reader, _built.Balancer) { OwnFrames = OwnFrames };
        _batch.ConnectSink(sink);
        _notes.AddRange(_built.Warnings);
        Queue<(long Time, NodeEvent? Event, Checkpoint? Checkpoint)> moments = Merge();
        long began = Stopwatch.GetTimestamp();
        bool isOpen = true;
        while (isOpen && !stopping.IsCancellationRequested)
        {
            source.StopBefore = moments.Count > 0 ? moments.Peek().Time : long.MaxValue;
            _batch.Clear();
            isOpen = source.Receive(_batch);
            if (_batch.Count > 0)
            {
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

        return new ReplaySummary(
            _built, source.OwnFrameCount, source.UnservedFrameCount, Stopwatch.GetElapsedTime(began), reader.Warning, _notes);
    }

    private Queue<(long Time, NodeEvent? Event, Checkpoint? Checkpoint)> Merge()
    {
        IEnumerable<(long Time, NodeEvent? Event, Checkpoint? Checkpoint)> events =
            Events.Select(item => (item.TimestampNanoseconds, (NodeEvent?)item, (Checkpoint?)null));
        IEnumerable<(long Time, NodeEvent? Event, Checkpoint? Checkpoint)> checkpoints =
            Checkpoints.Select(item => (item.TimestampNanoseconds, (NodeEvent?)null, (Checkpoint?)item));
        return new Queue<(long, NodeEvent?, Checkpoint?)>(events.Concat(checkpoints).OrderBy(moment => moment.Time));
    }

    private void Reach((long Time, NodeEvent? Event, Checkpoint? Checkpoint) moment)
    {
        _built.Balancer.Advance(moment.Time);
        if (moment.Event is { } change && CommandApplier.Apply(_built, change.Command, moment.Time) is { } note)
        {
            _notes.Add($"event in line {change.Line}: {note}");
        }

        if (moment.Checkpoint is { } checkpoint)
        {
            if (StateDirectory is not null)
            {
                StateFolder.Write(StateDirectory, checkpoint.Tag, _built.Namespace, moment.Time);
            }

            AtCheckpoint?.Invoke(checkpoint);
        }
    }
}
