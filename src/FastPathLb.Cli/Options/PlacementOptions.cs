using System.CommandLine;
using FastPathLb.Conntrack;
using FastPathLb.Engine.Placing;

namespace FastPathLb.Cli.Options;

/// <summary>The options that say where workers run and where their table lies, and what they mean on this machine.</summary>
internal sealed class PlacementOptions
{
    private const string ProcessorsName = "--cpus";
    private const string MemoryName = "--numa";

    private Option<string?> Processors { get; } = new(ProcessorsName)
    {
        HelpName = "LIST",
        Description = "Processors of the workers, one for each in turn, such as 0,2-3 (default: the system chooses)",
    };

    private Option<string?> Memory { get; } = new(MemoryName)
    {
        HelpName = "NODE|interleave|local",
        Description = "NUMA node of the connections' memory while it has room, or pages in turn on all nodes, or where a worker first "
            + "touches them (default: the process's own policy)",
    };

    /// <summary>Gives a command the options.</summary>
    public void AddTo(Command command)
    {
        command.Add(Processors);
        command.Add(Memory);
    }

    /// <summary>What was typed.</summary>
    public (string? Processors, string? Memory) Read(ParseResult parsed) => (parsed.GetValue(Processors), parsed.GetValue(Memory));

    /// <summary>The processors that were typed, if any.</summary>
    /// <exception cref="UsageException">They are no list, are not there, are not the process's, or are too few.</exception>
    public static ProcessorList? ProcessorsOf(string? typed, int workers)
    {
        if (typed is null)
        {
            return null;
        }

        if (!ProcessorList.TryParse(typed, out ProcessorList? list))
        {
            throw new UsageException($"{ProcessorsName} {typed}: processors are expected, each once, such as 0,2-3");
        }

        return list.FindProblem(workers) is { } problem ? throw new UsageException($"{ProcessorsName} {typed}: {problem}") : list;
    }

    /// <summary>The placement of memory that was typed, if any.</summary>
    /// <exception cref="UsageException">It is none, or the node is not there.</exception>
    public static MemoryPlacement MemoryOf(string? typed)
    {
        if (typed is null)
        {
            return default;
        }

        if (!MemoryPlacement.TryParse(typed, out MemoryPlacement placement))
        {
            throw new UsageException($"{MemoryName} {typed}: the number of a NUMA node, interleave or local is expected");
        }

        return placement.FindProblem() is { } problem ? throw new UsageException($"{MemoryName} {typed}: {problem}") : placement;
    }
}
