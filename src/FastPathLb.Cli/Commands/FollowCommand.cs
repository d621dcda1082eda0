using System.CommandLine;
using FastPathLb.Cli.Options;
using FastPathLb.Cli.Output;
using FastPathLb.Cli.Running;

namespace FastPathLb.Cli.Commands;

/// <summary><c>follow</c>: frames from node to node, from client to task and back.</summary>
internal static class FollowCommand
{
    private const string Wire = "captures/swarm-web/node2.uplink.pcap.gz";

    private static readonly string[] s_examples =
    [
        $"fastpathlb follow {Wire} --node captures/swarm-web --node captures/swarm-web/node2. --count 3",
        $"fastpathlb follow {Wire} -n captures/swarm-web -n captures/swarm-web/node2. --frame 55",
        "fastpathlb follow wire.pcap --node node1/ --node node2/ --node node3/ --json | jq '.journeys[0].steps'",
    ];

    /// <summary>The command.</summary>
    public static Command Create(CommandConsole console)
    {
        Argument<string> input = CommandTree.CaptureArgument();
        Option<string[]> nodes = new("--node", "-n")
        {
            HelpName = "DIR",
            Description = "A node's folder of dumps, once for each node; DIR/node2. is the node whose files in DIR begin with node2.",
        };
        Option<long?> frame = OptionKinds.Number<long>("--frame", "Show the way of frame N of the capture alone", 1);
        Option<long?> count = OptionKinds.Number<long>("--count", "Show the ways of the first N frames that come in", 0);
        Option<bool> json = new("--json") { Description = "One JSON document on standard output" };
        Command command = new(
            "follow",
            "Follow frames through several nodes and the wire between them: IN is a capture of that wire, from outside or at a card");
        command.Add(input);
        command.Add(nodes);
        command.Add(frame);
        command.Add(count);
        command.Add(json);
        command.SetAction(parsed => Run(
            parsed.GetValue(input)!, parsed.GetValue(nodes) ?? [], parsed.GetValue(frame), parsed.GetValue(count) ?? long.MaxValue,
            parsed.GetValue(json), console));
        return command.WithExamples(s_examples);
    }

    private static int Run(string input, string[] nodes, long? frame, long count, bool isJson, CommandConsole console)
    {
        using FollowRun run = FollowRun.Open(input, [.. nodes.Select(NodeFolder.Parse)], console);
        using IJourneyOutput output = isJson ? new JourneyJson(console.Out, run) : new JourneyText(console, run);
        long shown = 0;
        run.Run(
            journey =>
            {
                if (frame is null ? shown < count : journey.Number == frame)
                {
                    output.Write(journey);
                    shown++;
                }

                // What is not shown changes what comes after it all the same; what comes after is not asked for.
                return frame is { } last ? journey.Number < last : shown < count || count == long.MaxValue;
            },
            console.Stop.Token);
        output.End();
        if (frame is not null && shown == 0)
        {
            throw new UsageException(
                $"{input}: frame {frame} came into none of the nodes from outside: it is a node's own work, for others, or not there");
        }

        return ExitCode.Success;
    }
}
