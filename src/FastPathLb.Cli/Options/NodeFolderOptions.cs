using System.CommandLine;
using FastPathLb.NodeState;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Cli.Options;

/// <summary>A folder of dumps, and which node's of those in it.</summary>
/// <param name="Path">The folder.</param>
/// <param name="Prefix">What the names of the node's files begin with; empty for the first node's.</param>
internal sealed record NodeFolder(string Path, string Prefix)
{
    /// <summary>Reads it.</summary>
    public NodeDump ReadState() => NodeDumpReader.Read(Path, Prefix);
}

/// <summary>The options that name a node's files, for commands that are about those.</summary>
/// <param name="isRequired">Whether the folder must be given whatever else is.</param>
internal sealed class NodeFolderOptions(bool isRequired = true)
{
    private Option<string> Folder { get; } = new("--node", "-n")
    {
        HelpName = "DIR",
        Description = "Folder of a node's dumps and Docker's inspects (src/FastPathLb.NodeState/collect.sh makes one)",
        Required = isRequired,
    };

    private Option<string?> Prefix { get; } = new("--prefix")
    {
        HelpName = "NAME",
        Description = "What the names of the node's files begin with, where a folder has several nodes' (node2.)",
    };

    /// <summary>Gives a command the options.</summary>
    public void AddTo(Command command)
    {
        command.Add(Folder);
        command.Add(Prefix);
    }

    /// <summary>What was typed.</summary>
    public NodeFolder Read(ParseResult parsed) => new(
        parsed.GetValue(Folder) ?? throw new UsageException("--node DIR is expected: the folder of a node's dumps"),
        parsed.GetValue(Prefix) ?? "");
}
