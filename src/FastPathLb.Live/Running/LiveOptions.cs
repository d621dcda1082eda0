using FastPathLb.Engine.Building;
using FastPathLb.Engine.Placing;
using FastPathLb.Live.Recording;

namespace FastPathLb.Live.Running;

/// <summary>What a load balancer on a live network is run with.</summary>
public sealed record LiveOptions
{
    /// <summary>Where its state comes from.</summary>
    public required NodeSource Source { get; init; }

    /// <summary>What it is made with besides the state.</summary>
    public required LoadBalancerOptions Balancer { get; init; }

    /// <summary>What it records, or null.</summary>
    public RecordingOptions? Recording { get; init; }

    /// <summary>Path of the control socket, or null for none.</summary>
    public string? ControlPath { get; init; }

    /// <summary>Whether a changed file is reloaded by itself.</summary>
    public bool WatchesFiles { get; init; } = true;

    /// <summary>The processors of its workers, or null where the system chooses.</summary>
    public ProcessorList? Processors { get; init; }

    /// <summary>Whether workers never sleep.</summary>
    public bool IsBusyPolling { get; init; }
}
