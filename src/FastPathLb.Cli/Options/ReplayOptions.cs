using System.CommandLine;
using FastPathLb.Conntrack;
using static FastPathLb.Cli.Options.Words;

namespace FastPathLb.Cli.Options;

/// <summary>The options of commands that run the load balancer over a capture.</summary>
internal sealed class ReplayOptions : NodeOptions
{
    private const int CapacityMin = 16;

    /// <summary>Makes the options, all new.</summary>
    public ReplayOptions(Argument<string> input)
        : base(input)
    {
    }

    private Option<string?> Output { get; } = new("--output", "-o")
    {
        HelpName = "OUT",
        Description = "Capture to write what the load balancer emits to: .pcap, .pcapng, with .gz compressed, '-' for standard output",
    };

    private Option<string?> CheckpointFile { get; } = new("--checkpoints")
    {
        HelpName = "FILE",
        Description = "When to write the tables: lines 'TAG EPOCH'",
    };

    private Option<string?> StateFolder { get; } = new("--state")
    {
        HelpName = "DIR",
        Description = "Folder for the tables at checkpoints: ipvsadm-Ln.TAG.txt, -Lnc.TAG.txt, -stats.TAG.txt, mangle.TAG.txt",
    };

    private Option<string?> EventFile { get; } = new("--events")
    {
        HelpName = "FILE",
        Description = "Changes to carry out at their times: lines 'EPOCH COMMAND' (ipvsadm, iptables, sysctl, ip)",
    };

    private Option<string?> Order { get; } = OptionKinds.OneOf(
        "--order", "Order in which servers were added, which a sorted dump does not tell", Listed, Reversed);

    private Option<int?> RoundRobinStart { get; } = OptionKinds.Number(
        "--rr-start", "How many servers round robin had picked before the capture began", 0);

    private Option<int?> Capacity { get; } = OptionKinds.Number(
        "--capacity", $"Most connections at a time (default {ConnectionTable.CapacityDefault})", CapacityMin);

    private Option<int?> Workers { get; } = OptionKinds.Number(
        "--workers", "Threads that share the frames by flow (default 1, whose result is always the same)", 1);

    private PlacementOptions Placement { get; } = new();

    private Option<ulong?> Seed { get; } = OptionKinds.Number<ulong>(
        "--seed", "Seed of drawn ports and of the connection hash", 0);

    private Option<string?> SourcePorts { get; } = OptionKinds.OneOf(
        "--snat-ports", "Which source port is taken when the client's own is in use", NextFree, Drawn);

    private Option<bool> NoHints { get; } = new("--no-hints")
    {
        Description = "Take nothing from what the recording's own load balancer sent: order of frames, round robin's start, drawn ports",
    };

    private Option<string[]> Taps { get; } = new("--tap")
    {
        HelpName = "FILE",
        Description = "With --attach node: a capture taken at a device of a namespace, by its name (lb-eth0.pcap, ingress-eth1.pcap); "
            + "what tasks sent there comes in, the rest is compared",
        AllowMultipleArgumentsPerToken = true,
    };

    private Option<string?> Prefix { get; } = new("--prefix")
    {
        HelpName = "NAME",
        Description = "With --attach node: what the names of the node's files begin with, where a folder has several nodes' (node2.)",
    };

    private Option<bool> NoProgress { get; } = new("--no-progress") { Description = "No progress bar on the terminal" };

    /// <inheritdoc/>
    public override void AddTo(Command command)
    {
        base.AddTo(command);
        command.Add(Output);
        command.Add(CheckpointFile);
        command.Add(StateFolder);
        command.Add(EventFile);
        command.Add(Order);
        command.Add(RoundRobinStart);
        command.Add(Capacity);
        command.Add(Workers);
        Placement.AddTo(command);
        command.Add(Seed);
        command.Add(SourcePorts);
        command.Add(NoHints);
        command.Add(Taps);
        command.Add(Prefix);
        command.Add(NoProgress);
    }

    /// <inheritdoc/>
    public override ReplayArguments Read(ParseResult parsed) => base.Read(parsed) with
    {
        Output = parsed.GetValue(Output),
        CheckpointFile = parsed.GetValue(CheckpointFile),
        StateFolder = parsed.GetValue(StateFolder),
        EventFile = parsed.GetValue(EventFile),
        Order = parsed.GetValue(Order),
        RoundRobinStart = parsed.GetValue(RoundRobinStart),
        Capacity = parsed.GetValue(Capacity),
        Workers = parsed.GetValue(Workers),
        Processors = Placement.Read(parsed).Processors,
        Memory = Placement.Read(parsed).Memory,
        Seed = parsed.GetValue(Seed),
        SourcePorts = parsed.GetValue(SourcePorts),
        IgnoresRecording = parsed.GetValue(NoHints),
        Taps = parsed.GetValue(Taps) ?? [],
        Prefix = parsed.GetValue(Prefix) ?? "",
        HidesProgress = parsed.GetValue(NoProgress),
    };
}
