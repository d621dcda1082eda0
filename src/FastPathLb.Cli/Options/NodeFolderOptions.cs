using System.CommandLine;
using FastPathLb.NodeState;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Cli.Options;

/// <summary>A folder of dumps, and which node's of those in it.</summary>
/// <param name="Path">The folder.</param>
/// <param name="Prefix">What the names of the node's files begin with; empty for the first node's.</param>
internal sealed record NodeFolder(string Path, string Prefix)
{
    /// <summary>Takes <c>DIR</c>, or <c>DIR/node2.</c> for the node whose files in the folder begin so.</summary>
    /// <exception cref="UsageException">There is neither.</exception>
    public static NodeFolder Parse(string text)
    {
        if (Directory.Exists(text))
        {
            return new NodeFolder(text, "");
        }

        string folder = System.IO.Path.GetDirectoryName(text) is { Length: > 0 } parent ? parent : ".";
        string prefix = System.IO.Path.GetFileName(text);
        return prefix.Length > 0 && Directory.Exists(folder) && Directory.EnumerateFiles(folder, $"{prefix}*").Any()
            ? new NodeFolder(folder, prefix)
            : throw new UsageException($"--node {text}: there is no such folder, and no file in {folder} whose name begins so");
    }

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
