namespace FastPathLb.Conntrack;

/// <summary>How the kernel picks the NUMA nodes that memory lies on.</summary>
public enum MemoryPlacementKind
{
    /// <summary>Nothing is asked for: the process's own policy holds, as <c>numactl</c> sets it.</summary>
    Inherited,

    /// <summary>Each page on the node of the processor that first touches it (MPOL_LOCAL).</summary>
    Local,

    /// <summary>One node while it has free pages, then its neighbours (MPOL_PREFERRED).</summary>
    Node,

    /// <summary>Pages in turn on all nodes that have memory (MPOL_INTERLEAVE).</summary>
    Interleave,
}
