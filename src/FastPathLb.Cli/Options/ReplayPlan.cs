using FastPathLb.Cli.Input;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Placing;
using FastPathLb.NodeState;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Cli.Options;

/// <summary>What the options of a replay mean: everything is read, found or inferred.</summary>
internal sealed record ReplayPlan : IDisposable
{
    /// <summary>The capture.</summary>
    public required CaptureInput Input { get; init; }

    /// <summary>The node.</summary>
    public required NodeDump Node { get; init; }

    /// <summary>The folder of the recording: of its dumps, tables and events. Null where there is none.</summary>
    public string? RecordingFolder { get; init; }

    /// <summary>How the load balancer is made.</summary>
    public required LoadBalancerOptions Balancer { get; init; }

    /// <summary>How many workers share the frames.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Where they run; null where the system chooses.</summary>
    public ProcessorList? Processors { get; init; }

    /// <summary>Whether the recording may say how round robin began: nothing typed does.</summary>
    public bool InfersStart { get; init; }

    /// <summary>Whether the recording may say what dumps cannot.</summary>
    public bool UsesHints { get; init; }

    /// <summary>Changes to carry out.</summary>
    public IReadOnlyList<NodeEvent> Events { get; init; } = [];

    /// <summary>When to write or compare the tables.</summary>
    public IReadOnlyList<Checkpoint> Checkpoints { get; init; } = [];

    /// <summary>Where the tables go.</summary>
    public string? StateFolder { get; init; }

    /// <summary>Where the emitted frames go.</summary>
    public string? Output { get; init; }

    /// <summary>Whether results are a JSON document.</summary>
    public bool IsJson { get; init; }

    /// <summary>Whether progress may be shown.</summary>
    public bool ShowsProgress { get; init; }

    /// <summary>What was inferred in making the plan, one sentence each.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <inheritdoc/>
    public void Dispose() => Input.Dispose();
}
