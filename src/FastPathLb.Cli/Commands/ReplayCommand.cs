using System.CommandLine;
using FastPathLb.Cli.Input;
using FastPathLb.Cli.Options;
using FastPathLb.Cli.Output;
using FastPathLb.Cli.Running;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Replaying;
using FastPathLb.Io.Captures;

namespace FastPathLb.Cli.Commands;

/// <summary><c>replay</c>: a capture through the load balancer.</summary>
internal static class ReplayCommand
{
    private static readonly string[] s_examples =
    [
        "fastpathlb replay captures/rr-two-services/underlay.pcap.gz",
        "fastpathlb replay traffic.pcap --node dumps/ -o emitted.pcap",
        "fastpathlb replay lb-eth0.pcap --config lb.yaml --attach overlay --json",
        "fastpathlb replay traffic.pcap --node dumps/ --events events.txt --checkpoints checkpoints.txt --state tables/",
        "fastpathlb replay lb-eth0.pcap --node dumps/ --network frontend",
        "fastpathlb replay traffic.pcap --node dumps/ --workers 4 -o emitted.pcap",
        "fastpathlb replay traffic.pcap --node dumps/ --workers 2 --cpus 2-3 --numa 0",
        "fastpathlb replay recording.pcap --node dumps/ --no-hints --rr-start 1",
        "tcpdump -i eth0 -w - udp port 4789 | fastpathlb replay - --node dumps/ -o emitted.pcap",
    ];

    /// <summary>The command.</summary>
    public static Command Create(CommandConsole console)
    {
        Command command = new("replay", "Feed a capture through the load balancer: what it emits, counts, drops and why");
        ReplayOptions options = new(CommandTree.CaptureArgument());
        options.AddTo(command);
        command.SetAction(parsed => Run(options.Read(parsed), console));
        return command.WithExamples(s_examples);
    }

    /// <summary>Runs the command.</summary>
    public static int Run(ReplayArguments typed, CommandConsole console)
    {
        if (typed.Attach == Words.Node)
        {
            return NodeCommand.Replay(typed, console);
        }

        using ReplayPlan plan = ReplayPlanner.Plan(typed, console, usesRecording: false);
        ReplayResult result = Replay(plan, console);
        if (plan.IsJson)
        {
            SummaryJson.Write(console.Out, result);
        }
        else
        {
            SummaryText.Write(plan.Output == CaptureInput.StandardInput ? console.Error : console.Out, result);
        }

        return CommandTree.EndOf(result.Summary, console);
    }

    private static ReplayResult Replay(ReplayPlan plan, CommandConsole console)
    {
        using BuiltWorkers? workers = plan.Workers > 1 ? LoadBalancerBuilder.BuildWorkers(plan.Node, plan.Balancer, plan.Workers) : null;
        using BuiltLoadBalancer built = workers?.First ?? LoadBalancerBuilder.Build(plan.Node, plan.Balancer);
        using CaptureWriter? writer = Outputs.Create(plan, console);
        CaptureSink sink = new(writer);
        ReplayHooks hooks = new() { Sink = sink, Workers = workers, Stopping = console.Stop.Token };
        ReplaySummary summary = ReplayRunner.Run(plan, built, console, hooks);
        return new ReplayResult(plan, summary, sink, console.Stop.IsRaised);
    }
}
