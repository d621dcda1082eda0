using System.CommandLine;
using FastPathLb.Cli.Input;
using FastPathLb.Cli.Options;
using FastPathLb.Cli.Output;
using FastPathLb.Cli.Running;
using FastPathLb.Engine.Replaying;

namespace FastPathLb.Cli.Commands;

/// <summary><c>show</c>: the frames of a capture, one line each.</summary>
internal static class ShowCommand
{
    private static readonly string[] s_examples =
    [
        "fastpathlb show captures/ping-vip/lb-eth0.pcap.gz",
        "fastpathlb show traffic.pcap --node dumps/ --count 20",
        "fastpathlb show traffic.pcap --json | jq '.frames[] | select(.verdict == \"dropped\")'",
    ];

    /// <summary>The command.</summary>
    public static Command Create(CommandConsole console)
    {
        NodeOptions options = new(CommandTree.CaptureArgument());
        Option<long?> count = OptionKinds.Number<long>("--count", "Show the first N frames", 0);
        Command command = new("show", "Show frames, one line each: what each is to the load balancer, and what becomes of it");
        options.AddTo(command);
        command.Add(count);
        command.SetAction(parsed => Run(options.Read(parsed), parsed.GetValue(count) ?? long.MaxValue, console));
        return command.WithExamples(s_examples);
    }

    private static int Run(ReplayArguments typed, long count, CommandConsole console)
    {
        bool hasNode = typed.NodeFolder is not null || typed.ConfigFile is not null || RecordingFolder.Of(typed.Input) is not null;
        if (!hasNode && typed.Attach is not null)
        {
            throw new UsageException("--attach is about a load balancer: --node DIR or --config FILE is expected with it");
        }

        if (!hasNode)
        {
            using CaptureInput input = CaptureInput.Open(typed.Input, console);
            List(typed, [], show => new FrameLister(show, count, console).List(input), console);
            return ExitCode.Success;
        }

        using ReplayPlan plan = ReplayPlanner.Plan(typed with { HidesProgress = true }, console, usesRecording: false);
        ReplaySummary? summary = null;
        List(typed, plan.Notes, show => summary = new FrameLister(show, count, console).List(plan), console);
        return CommandTree.EndOf(summary!, console);
    }

    private static void List(ReplayArguments typed, IReadOnlyList<string> notes, Action<Action<ShownFrame>> list, CommandConsole console)
    {
        if (!typed.IsJson)
        {
            foreach (string note in notes)
            {
                console.Error.WriteLine($"Note: {note}");
            }

            list(frame => FrameLines.Write(console.Out, frame));
            return;
        }

        using JsonOutput json = new(console.Out);
        json.Writer.WriteStartObject();
        json.Writer.WriteString("input", typed.Input);
        SummaryJson.WriteStrings(json.Writer, "notes", notes);
        json.Writer.WriteStartArray("frames");
        list(frame =>
        {
            FrameJson.Write(json.Writer, frame);
            json.Advance();
        });
        json.Writer.WriteEndArray();
        json.Writer.WriteEndObject();
        json.End();
    }
}
