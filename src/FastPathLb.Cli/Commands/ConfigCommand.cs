using System.CommandLine;
using FastPathLb.NodeState;

namespace FastPathLb.Cli.Commands;

/// <summary><c>config</c>: the YAML of a folder of dumps.</summary>
internal static class ConfigCommand
{
    private static readonly string[] s_examples =
    [
        "fastpathlb config --node captures/rr-basic",
        "fastpathlb config --node dumps/ -o lb.yaml",
    ];

    /// <summary>The command.</summary>
    public static Command Create(CommandConsole console)
    {
        Option<string> node = new("--node", "-n") { HelpName = "DIR", Description = "Folder of a node's dumps", Required = true };
        Option<string?> output = new("--output", "-o") { HelpName = "FILE", Description = "File to write; standard output if not given" };
        Command command = new("config", "Print the YAML configuration that says the same as a folder of dumps") { node, output };
        command.SetAction(parsed => Run(parsed.GetValue(node)!, parsed.GetValue(output), console));
        return command.WithExamples(s_examples);
    }

    private static int Run(string folder, string? output, CommandConsole console)
    {
        string yaml = LbConfigWriter.Write(NodeDumpReader.Read(folder));
        if (output is null)
        {
            console.Out.Write(yaml);
        }
        else
        {
            File.WriteAllText(output, yaml);
        }

        return ExitCode.Success;
    }
}
