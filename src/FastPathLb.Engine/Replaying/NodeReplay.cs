using System.Diagnostics;
using FastPathLb.Balancer.Node;
using FastPathLb.Engine.Building;
using FastPathLb.Pipeline;

namespace FastPathLb.Engine.Replaying;

/// <summary>Feeds captures of a node through the whole of it.</summary>
public sealed class NodeReplay
{
    private readonly BuiltNode _built;
    private readonly FrameBatch _batch = new();

    /// <summary>Makes a replay over a node.</summary>
    public NodeReplay(BuiltNode built) => _built = built;

    /// <summary>Called after each batch, with the frames and their verdicts.</summary>
    public Action<FrameBatch>? AfterBatch { get; init; }

    /// <summary>Runs to the captures' end, or until told to stop.</summary>
    /// <returns>How long it took.</returns>
    public TimeSpan Run(NodeSource source, IFrameSink sink, CancellationToken stopping = default)
    {
        _batch.ConnectSink(sink);
        long began = Stopwatch.GetTimestamp();
        bool isOpen = true;
        while (isOpen && !stopping.IsCancellationRequested)
        {
            _batch.Clear();
            isOpen = source.Receive(_batch);
            if (_batch.Count > 0)
            {
                _built.Node.Process(_batch);
                _batch.Flush();
                AfterBatch?.Invoke(_batch);
            }
        }

        return Stopwatch.GetElapsedTime(began);
    }

    /// <summary>Lets time pass to a moment, as when tables were read.</summary>
    public void Advance(long moment)
    {
        _batch.Clear();
        _built.Node.Advance(moment, _batch);
        _batch.Flush();
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
