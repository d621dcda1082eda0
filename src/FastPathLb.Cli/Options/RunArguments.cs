namespace FastPathLb.Cli.Options;

/// <summary>The options of a live run, as typed: nothing is looked up or opened yet.</summary>
internal sealed record RunArguments
{
    public string? Tap { get; init; }

    public string? Packet { get; init; }

    public string? Xdp { get; init; }

    public int? Queue { get; init; }

    public string? ZeroCopy { get; init; }

    public string? NodeFolder { get; init; }

    public string? ConfigFile { get; init; }

    public string? Attach { get; init; }

    public int? Mtu { get; init; }

    public string? Mac { get; init; }

    public int? Workers { get; init; }

    public string? Processors { get; init; }

    public string? Memory { get; init; }

    public string? Recording { get; init; }

    public int? RecordingMegabytes { get; init; }

    public int? RecordingFiles { get; init; }

    public string? Dns { get; init; }

    public string? Metrics { get; init; }

    public string? Otlp { get; init; }

    public string? Control { get; init; }

    public bool HasNoControl { get; init; }

    public bool WatchesNot { get; init; }

    public int? Capacity { get; init; }

    public ulong? Seed { get; init; }

    public string? SourcePorts { get; init; }

    public bool IsBusyPolling { get; init; }

    public bool ShowsTop { get; init; }

    public string? LogLevel { get; init; }

    public bool IsLogJson { get; init; }
}
