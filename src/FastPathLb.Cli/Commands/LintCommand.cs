using System.CommandLine;
using FastPathLb.Cli.Input;
using FastPathLb.Cli.Options;
using FastPathLb.Cli.Output;
using FastPathLb.Topology;

namespace FastPathLb.Cli.Commands;

/// <summary><c>lint</c>: what is set up wrongly on a node?</summary>
internal static class LintCommand
{
    private static readonly string[] s_examples =
    [
        "fastpathlb lint --node captures/swarm-web",
        "fastpathlb lint --node captures/swarm-web captures/swarm-web/lb-eth0.pcap.gz",
        "fastpathlb lint --node dumps/ --json | jq -r '.findings[].check'",
        "fastpathlb lint --checks",
    ];

    /// <summary>The command.</summary>
    public static Command Create(CommandConsole console)
    {
        Argument<string?> capture = new("CAPTURE")
        {
            Description = "Capture taken on the node, to look for what only traffic shows; '-' for standard input",
            Arity = ArgumentArity.ZeroOrOne,
        };
        NodeFolderOptions folder = new(isRequired: false);
        Option<bool> json = new("--json") { Description = "One JSON document on standard output" };
        Option<bool> checks = new("--checks") { Description = "List what is looked for, and look for nothing" };
        Command command = new(
            "lint", "Find what breaks virtual addresses in a node's files. Exit code 1 where something was found") { capture };
        folder.AddTo(command);
        command.Add(checks);
        command.Add(json);
        command.SetAction(parsed => parsed.GetValue(checks)
            ? List(parsed.GetValue(json), console)
            : Run(folder.Read(parsed), parsed.GetValue(capture), parsed.GetValue(json), console));
        return command.WithExamples(s_examples);
    }

    private static int List(bool isJson, CommandConsole console)
    {
        if (isJson)
        {
            LintJson.WriteChecks(console.Out);
        }
        else
        {
            LintText.WriteChecks(console.Out);
        }

        return ExitCode.Success;
    }

    private static int Run(NodeFolder folder, string? capture, bool isJson, CommandConsole console)
    {
        using CaptureInput? input = capture is null ? null : CaptureInput.Open(capture, console);
        IReadOnlyList<LintFinding> findings = Linter.Run(folder.Path, folder.Prefix, input?.Reader);
        if (isJson)
        {
            LintJson.Write(console.Out, findings);
        }
        else
        {
            LintText.Write(console.Out, findings, capture is not null);
        }

        return findings.Count == 0 ? ExitCode.Success : ExitCode.Different;
    }
}
