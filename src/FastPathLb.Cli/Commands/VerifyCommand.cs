using System.CommandLine;
using FastPathLb.Cli.Input;
using FastPathLb.Cli.Options;
using FastPathLb.Cli.Output;
using FastPathLb.Cli.Running;

namespace FastPathLb.Cli.Commands;

/// <summary><c>verify</c>: is what the emulator emits what the recording's load balancer sent?</summary>
internal static class VerifyCommand
{
    private const int FirstDefault = 5;

    private static readonly string[] s_examples =
    [
        "fastpathlb verify captures/rr-basic/underlay.pcap.gz",
        "fastpathlb verify lb-eth0.pcap --node dumps/ --attach overlay --first 20",
        "fastpathlb verify --all captures",
        "fastpathlb verify --all captures --json",
    ];

    /// <summary>The command.</summary>
    public static Command Create(CommandConsole console)
    {
        Argument<string> input = CommandTree.CaptureArgument();
        input.Arity = ArgumentArity.ZeroOrOne;
        ReplayOptions options = new(input);
        Option<string?> all = new("--all")
        {
            HelpName = "DIR",
            Description = "Verify every recording below a folder: underlay.pcap[.gz] and lb-eth0.pcap[.gz] beside dumps",
        };
        Option<int?> first = OptionKinds.Number("--first", $"How many differences to show (default {FirstDefault})", 0);
        Command command = new(
            "verify",
            "Replay a recording of both directions and compare: frames, and tables where it has checkpoints. "
            + "Exit code 1 if any differ");
        options.AddTo(command);
        command.Add(all);
        command.Add(first);
        command.SetAction(parsed => Run(options.Read(parsed), parsed.GetValue(all), parsed.GetValue(first) ?? FirstDefault, console));
        return command.WithExamples(s_examples);
    }

    private static int Run(ReplayArguments typed, string? all, int first, CommandConsole console)
    {
        if (all is not null)
        {
            return typed is
            {
                Input.Length: 0, Output: null, NodeFolder: null, ConfigFile: null, StateFolder: null, EventFile: null, CheckpointFile: null,
            }
                ? VerifyAll.Run(typed, all, first, console)
                : throw new UsageException(
                    "--all DIR takes captures, dumps, events and checkpoints from the folders below DIR: "
                    + "give no IN, --node or files with it");
        }

        if (typed.Input.Length == 0)
        {
            throw new UsageException("verify needs a capture IN, or --all DIR (see 'fastpathlb verify --help')");
        }

        if (typed.Attach == Words.Node)
        {
            return NodeCommand.Verify(typed, first, console);
        }

        using ReplayPlan plan = ReplayPlanner.Plan(typed, console, usesRecording: true);
        VerifyResult result = VerifyRunner.Run(plan, console);
        if (plan.IsJson)
        {
            VerifyJson.Write(console.Out, result, first);
        }
        else
        {
            VerifyText.Write(plan.Output == CaptureInput.StandardInput ? console.Error : console.Out, result, first);
        }

        int end = CommandTree.EndOf(result.Replay.Summary, console);
        return end != ExitCode.Success ? end : result.IsSame ? ExitCode.Success : ExitCode.Different;
    }
}
