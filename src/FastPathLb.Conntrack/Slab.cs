using System.Runtime.CompilerServices;

namespace FastPathLb.Conntrack;

/// <summary>
/// A fixed number of elements in zeroed memory that starts on a cache line and that the collector never sees.
/// </summary>
/// <remarks>
/// Sound because: the element type holds no references (constraint), the memory lives as long as the slab (the owner keeps the
/// slab, and elements are reached through it alone), and an index is checked in debug builds where it is used and by its maker
/// in release builds (numbers come from the free list, slots from a modulo).
/// The memory is reserved whole and touched page by page as it is first used, so an unused slab costs no resident memory.
/// </remarks>
public sealed unsafe class Slab<T> : IDisposable
    where T : unmanaged
{
    private readonly ReservedMemory _memory;

    /// <summary>Reserves zeroed memory.</summary>
    /// <param name="count">Number of elements, 1 or more.</param>
    /// <param name="placement">Which NUMA nodes it lies on.</param>
    /// <exception cref="ArgumentException">The kernel refuses the placement.</exception>
    public Slab(int count, MemoryPlacement placement = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        Count = count;
        _memory = new ReservedMemory((nuint)count * (nuint)sizeof(T), placement);
        Elements = new SlabElements<T>((T*)_memory.Start);
    }

    /// <summary>Number of elements.</summary>
    public int Count { get; }

    /// <summary>Size of the memory in bytes.</summary>
    public long SizeBytes => (long)Count * sizeof(T);

    /// <summary>The elements themselves, for a loop that keeps their address in a register. Not to be used longer than the slab.</summary>
    public SlabElements<T> Elements { get; }

    /// <summary>An element, by reference.</summary>
    public ref T this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            System.Diagnostics.Debug.Assert((uint)index < (uint)Count, "slab index");
            return ref Elements[index];
        }
    }

    /// <summary>Asks for an element's lines: see <see cref="SlabElements{T}.Prefetch"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(int index) => Elements.Prefetch(index);

    /// <summary>Which NUMA nodes it lies on, as the kernel tells it. Null where it does not.</summary>
    public MemoryPlacement? ReadPlacement() => _memory.ReadPlacement();

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}
