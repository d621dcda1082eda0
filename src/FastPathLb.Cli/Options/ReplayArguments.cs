namespace FastPathLb.Cli.Options;

/// <summary>The options of a replay, as typed: nothing is looked up or inferred yet.</summary>
internal sealed record ReplayArguments
{
    public required string Input { get; init; }

    public string? Output { get; init; }

    public string? NodeFolder { get; init; }

    public string? ConfigFile { get; init; }

    public string? Network { get; init; }

    public string? Attach { get; init; }

    public IReadOnlyList<string> Taps { get; init; } = [];

    public string Prefix { get; init; } = "";

    public string? CheckpointFile { get; init; }

    public string? StateFolder { get; init; }

    public string? EventFile { get; init; }

    public string? Order { get; init; }

    public int? RoundRobinStart { get; init; }

    public int? Capacity { get; init; }

    public int? Workers { get; init; }

    public string? Processors { get; init; }

    public string? Memory { get; init; }

    public ulong? Seed { get; init; }

    public string? SourcePorts { get; init; }

    public bool IsJson { get; init; }

    public bool IgnoresRecording { get; init; }

    public bool HidesProgress { get; init; }
}
