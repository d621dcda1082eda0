using System.CommandLine;
using FastPathLb.Cli.Options;
using FastPathLb.Cli.Output;
using FastPathLb.Topology;

namespace FastPathLb.Cli.Commands;

/// <summary><c>topology</c>: the swarm as a node knows it, printed or drawn.</summary>
internal static class TopologyCommand
{
    private static readonly string[] s_examples =
    [
        "fastpathlb topology --node captures/swarm-web",
        "fastpathlb topology --node captures/swarm-web --svg swarm.svg",
        "fastpathlb topology --node captures/swarm-web --json | jq '.networks[].services'",
        "fastpathlb topology --node captures/swarm-web --prefix node2.",
    ];

    /// <summary>The command.</summary>
    public static Command Create(CommandConsole console)
    {
        NodeFolderOptions folder = new();
        Option<string?> svg = new("--svg") { HelpName = "FILE", Description = "Draw it: an SVG picture for a browser or an editor" };
        Option<bool> json = new("--json") { Description = "One JSON document on standard output" };
        Command command = new("topology", "Print the swarm as a node knows it: nodes, networks, VIPs, marks, tasks, tunnel endpoints");
        folder.AddTo(command);
        command.Add(svg);
        command.Add(json);
        command.SetAction(parsed => Run(folder.Read(parsed), parsed.GetValue(svg), parsed.GetValue(json), console));
        return command.WithExamples(s_examples);
    }

    private static int Run(NodeFolder folder, string? svg, bool isJson, CommandConsole console)
    {
        SwarmTopology swarm = TopologyReader.Read(folder.ReadState());
        if (svg is not null)
        {
            using StreamWriter picture = File.CreateText(svg);
            TopologyDrawing.Write(swarm, picture);
        }

        if (isJson)
        {
            TopologyJson.Write(console.Out, swarm);
        }
        else
        {
            TopologyText.Write(console.Out, swarm);
            if (svg is not null)
            {
                console.Out.WriteLine();
                console.Out.WriteLine($"drawn to {svg}");
            }
        }

        return ExitCode.Success;
    }
}
