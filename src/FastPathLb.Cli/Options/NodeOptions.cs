using System.CommandLine;
using static FastPathLb.Cli.Options.Words;

namespace FastPathLb.Cli.Options;

/// <summary>Where the capture and the load balancer come from: the part that all commands over a capture share.</summary>
internal class NodeOptions
{
    /// <summary>Makes the options, all new: an option belongs to one command.</summary>
    /// <param name="input">The capture argument.</param>
    public NodeOptions(Argument<string> input) => Input = input;

    /// <summary>The capture.</summary>
    public Argument<string> Input { get; }

    private Option<string?> NodeFolder { get; } = new("--node", "-n")
    {
        HelpName = "DIR",
        Description = "Folder of a node's dumps (lb.ip-addr.txt, lb.ipvsadm-save.txt, ...); the capture's own folder if it holds dumps",
    };

    private Option<string?> ConfigFile { get; } = new("--config", "-c")
    {
        HelpName = "FILE",
        Description = "YAML configuration instead of dumps; 'fastpathlb config' prints one of a folder of dumps",
    };

    private Option<string?> Network { get; } = NetworkOption();

    private Option<string?> Attach { get; } = OptionKinds.OneOf(
        "--attach",
            "Where the capture was taken: the node's card (VXLAN), or the load balancer's eth0; or node, its card with the whole node "
                + "behind it. Inferred if not given",
        Underlay, Overlay, Node);

    private Option<bool> Json { get; } = new("--json") { Description = "One JSON document on standard output" };

    /// <summary>Which network's load balancer is meant.</summary>
    public static Option<string?> NetworkOption() => new("--network")
    {
        HelpName = "NET",
        Description = "Network whose load balancer it is, where the node has several; the dumps lb.* and overlay.* if not given",
    };

    /// <summary>Gives a command the options.</summary>
    public virtual void AddTo(Command command)
    {
        command.Add(Input);
        command.Add(NodeFolder);
        command.Add(ConfigFile);
        command.Add(Network);
        command.Add(Attach);
        command.Add(Json);
    }

    /// <summary>What was typed.</summary>
    public virtual ReplayArguments Read(ParseResult parsed) => new()
    {
        Input = parsed.GetValue(Input) ?? string.Empty,
        NodeFolder = parsed.GetValue(NodeFolder),
        Network = parsed.GetValue(Network),
        ConfigFile = parsed.GetValue(ConfigFile),
        Attach = parsed.GetValue(Attach),
        IsJson = parsed.GetValue(Json),
    };
}
