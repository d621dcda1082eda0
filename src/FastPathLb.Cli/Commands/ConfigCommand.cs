using System.CommandLine;
using FastPathLb.Cli.Options;
using FastPathLb.NodeState;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Cli.Commands;

/// <summary><c>config</c>: the YAML of a folder of dumps.</summary>
internal static class ConfigCommand
{
    private static readonly string[] s_examples =
    [
        "fastpathlb config --node captures/rr-basic",
        "fastpathlb config --node dumps/ -o lb.yaml",
        "fastpathlb config --node dumps/ --network frontend",
    ];

    /// <summary>The command.</summary>
    public static Command Create(CommandConsole console)
    {
        Option<string> node = new("--node", "-n") { HelpName = "DIR", Description = "Folder of a node's dumps", Required = true };
        Option<string?> output = new("--output", "-o") { HelpName = "FILE", Description = "File to write; standard output if not given" };
        Option<string?> network = NodeOptions.NetworkOption();
        Command command = new("config", "Print the YAML configuration that says the same as a folder of dumps") { node, network, output };
        command.SetAction(parsed => Run(parsed.GetValue(node)!, parsed.GetValue(network), parsed.GetValue(output), console));
        return command.WithExamples(s_examples);
    }

    private static int Run(string folder, string? network, string? output, CommandConsole console)
    {
        NodeDump node = NodeDumpReader.Read(folder);
        string yaml = LbConfigWriter.Write(network is null ? node : node.OfNetwork(network));
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
