using System.Diagnostics;
using FastPathLb.Balancer.Node;
using FastPathLb.Engine.Building;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;

namespace FastPathLb.Engine.Replaying;

/// <summary>Feeds captures of a node through the whole of it: frames, timed changes and moments in the order of their times.</summary>
public sealed class NodeReplay
{
    private const string FirstBalancer = "lb";

    private readonly BuiltNode _built;
    private readonly FrameBatch _batch = new();
    private readonly List<string> _notes = [];

    /// <summary>Makes a replay over a node.</summary>
    public NodeReplay(BuiltNode built) => _built = built;

    /// <summary>Changes to carry out at their times; those that name no namespace are of the first network's load balancer.</summary>
    public IReadOnlyList<NodeEvent> Events { get; init; } = [];

    /// <summary>What to do when the node reaches a time, nanoseconds since the Unix epoch, such as to look at its tables.</summary>
    public IReadOnlyList<(long Time, Action Reached)> Moments { get; init; } = [];

    /// <summary>What the captures tell: when changes of addresses really happened.</summary>
    public NodeHints? Hints { get; init; }

    /// <summary>Called after each batch, with the frames and their verdicts.</summary>
    public Action<FrameBatch>? AfterBatch { get; init; }

    /// <summary>What could not be carried out, and which events were moved, one sentence each.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Runs to the captures' end, or until told to stop.</summary>
    /// <returns>How long it took.</returns>
    public TimeSpan Run(NodeSource source, IFrameSink sink, CancellationToken stopping = default)
    {
        _batch.ConnectSink(sink);
        Queue<(long Time, Action Reached)> moments = Merge();
        long began = Stopwatch.GetTimestamp();
        bool isOpen = true;
        while (isOpen && !stopping.IsCancellationRequested)
        {
            source.StopBefore = moments.Count > 0 ? moments.Peek().Time : long.MaxValue;
            _batch.Clear();
            isOpen = source.Receive(_batch);
            if (_batch.Count > 0)
            {
                _built.Node.Process(_batch);
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

        return Stopwatch.GetElapsedTime(began);
    }

    private Queue<(long Time, Action Reached)> Merge()
    {
        List<(long Time, Action Reached)> moments = [];
        foreach (IGrouping<string, NodeEvent> events in Events.GroupBy(item => item.Namespace ?? FirstBalancer))
        {
            RecordingHints hints = Hints?.Spaces.GetValueOrDefault(events.Key) ?? RecordingHints.None;
            foreach (NodeEvent item in EventInference.Refine([.. events], hints, _notes))
            {
                moments.Add((item.TimestampNanoseconds, () => CarryOut(events.Key, item)));
            }
        }

        moments.AddRange(Moments);
        return new Queue<(long, Action)>(moments.OrderBy(moment => moment.Time));
    }

    private void CarryOut(string space, NodeEvent item)
    {
        if (CommandApplier.Apply(_built, space, item.Command, item.TimestampNanoseconds) is { } note)
        {
            _notes.Add($"event in line {item.Line}: {note}");
        }
    }

    private void Reach((long Time, Action Reached) moment)
    {
        _batch.Clear();
        _built.Node.Advance(moment.Time, _batch);
        _batch.Flush();
        moment.Reached();
    }
}

/// <summary>Counts what leaves a node at each port, and hands it on.</summary>
public sealed class NodeSink : IFrameSink
{
    private readonly Action<int, ReadOnlySpan<byte>, EmittedFrame> _take;

    /// <summary>Makes a sink.</summary>
    /// <param name="node">The node.</param>
    /// <param name="take">Takes each frame with its port.</param>
    public NodeSink(SwarmNode node, Action<int, ReadOnlySpan<byte>, EmittedFrame> take)
    {
        _take = take;
        FrameCounts = new long[node.Ports.Count];
    }

    /// <summary>Frames by port.</summary>
    public long[] FrameCounts { get; }

    /// <inheritdoc/>
    public void Send(FrameBatch batch)
    {
        for (int index = 0; index < batch.Emitted.Length; index++)
        {
            EmittedFrame frame = batch.Emitted[index];
            FrameCounts[frame.PortIndex]++;
            _take(frame.PortIndex, batch.EmittedBytes(index), frame);
        }
    }
}
