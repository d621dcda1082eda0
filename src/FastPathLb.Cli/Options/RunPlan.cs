using System.Net;
using FastPathLb.Live.Devices;
using FastPathLb.Live.Running;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Cli.Options;

/// <summary>What the options of a live run mean.</summary>
internal sealed record RunPlan
{
    public required LiveOptions Live { get; init; }

    public required NodeDump Node { get; init; }

    /// <summary>Opens the device, a queue for each worker; frames are stamped by the clock.</summary>
    public required Func<LiveClock, IReadOnlyList<ILiveDevice>> OpenQueues { get; init; }

    /// <summary>Where names are answered, or null.</summary>
    public IPEndPoint? Dns { get; init; }

    public string? Metrics { get; init; }

    public Uri? Otlp { get; init; }

    public bool ShowsTop { get; init; }
}
