using System.Globalization;

namespace FastPathLb.Conntrack;

/// <summary>On which NUMA nodes the memory of connections lies.</summary>
/// <remarks>
/// A node is preferred, not insisted on: pages are touched as connections come, and a node that is full by then would cost the process its
/// life. On a machine with one node every placement is the same.
/// </remarks>
/// <param name="Kind">How nodes are picked.</param>
/// <param name="Node">The node of <see cref="MemoryPlacementKind.Node"/>, else 0.</param>
public readonly record struct MemoryPlacement(MemoryPlacementKind Kind, int Node = 0)
{
    private const string LocalWord = "local";
    private const string InterleaveWord = "interleave";

    /// <summary>
    /// Whether little of it will be used, so that small pages do: the kernel clears a huge page whole as its first byte is touched, which
    /// for a dozen of connections takes longer than all else.
    /// </summary>
    public bool IsSparse { get; init; }

    /// <summary>The nodes that have memory, ascending; 0 alone where the kernel knows of no nodes.</summary>
    public static ReadOnlySpan<int> Nodes => KernelList.ReadFile("/sys/devices/system/node/has_memory") ?? [0];

    /// <summary>Reads a node's number, <c>interleave</c> or <c>local</c>.</summary>
    public static bool TryParse(string text, out MemoryPlacement placement)
    {
        placement = text switch
        {
            LocalWord => new(MemoryPlacementKind.Local),
            InterleaveWord => new(MemoryPlacementKind.Interleave),
            _ => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int node)
                ? new(MemoryPlacementKind.Node, node)
                : default,
        };
        return placement.Kind != MemoryPlacementKind.Inherited;
    }

    /// <summary>What this machine lacks for it, in one sentence, or null.</summary>
    public string? FindProblem()
    {
        if (Kind == MemoryPlacementKind.Inherited)
        {
            return null;
        }

        if (!OperatingSystem.IsLinux())
        {
            return "memory is placed by Linux's mbind; other systems have none";
        }

        ReadOnlySpan<int> nodes = Nodes;
        return Kind == MemoryPlacementKind.Node && nodes.IndexOf(Node) < 0
            ? string.Create(CultureInfo.InvariantCulture, $"there is no NUMA node {Node} with memory here, but {KernelList.Format(nodes)}")
            : null;
    }

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        MemoryPlacementKind.Local => LocalWord,
        MemoryPlacementKind.Interleave => InterleaveWord,
        MemoryPlacementKind.Node => Node.ToString(CultureInfo.InvariantCulture),
        _ => "",
    };
}
