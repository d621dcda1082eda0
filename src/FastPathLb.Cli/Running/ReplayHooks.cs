using FastPathLb.Engine.Building;
using FastPathLb.Engine.Replaying;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;

namespace FastPathLb.Cli.Running;

/// <summary>What a command wants of a replay besides its summary.</summary>
internal sealed record ReplayHooks
{
    /// <summary>Takes what is emitted.</summary>
    public required IFrameSink Sink { get; init; }

    /// <summary>Workers that share the frames, where there are several.</summary>
    public BuiltWorkers? Workers { get; init; }

    /// <summary>Takes what the recording's own load balancer sent.</summary>
    public OwnFrameHandler? OwnFrames { get; init; }

    /// <summary>Called at each checkpoint.</summary>
    public Action<Checkpoint>? AtCheckpoint { get; init; }

    /// <summary>Called before each batch, with the frames as they came.</summary>
    public Action<FrameBatch>? BeforeBatch { get; init; }

    /// <summary>Called after each batch, with the verdicts.</summary>
    public Action<FrameBatch>? AfterBatch { get; init; }

    /// <summary>Ends the replay early.</summary>
    public required CancellationToken Stopping { get; init; }
}
