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
    private const int CacheLineBytes = 64;

    private readonly ReservedMemory _memory;
    private readonly T* _first;

    /// <summary>Reserves zeroed memory.</summary>
    /// <param name="count">Number of elements, 1 or more.</param>
    /// <param name="placement">Which NUMA nodes it lies on.</param>
    /// <exception cref="ArgumentException">The kernel refuses the placement.</exception>
    public Slab(int count, MemoryPlacement placement = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        Count = count;
        _memory = new ReservedMemory((nuint)count * (nuint)sizeof(T), placement);
        _first = (T*)_memory.Start;
    }

    /// <summary>Number of elements.</summary>
    public int Count { get; }

    /// <summary>Size of the memory in bytes.</summary>
    public long SizeBytes => (long)Count * sizeof(T);

    /// <summary>An element, by reference.</summary>
    public ref T this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            System.Diagnostics.Debug.Assert((uint)index < (uint)Count, "slab index");
            return ref _first[(nuint)(uint)index];
        }
    }

    /// <summary>Asks the processor to fetch the cache line of an element, and the one after it if it has two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(int index)
    {
        if (System.Runtime.Intrinsics.X86.Sse.IsSupported)
        {
            T* element = _first + (nuint)(uint)index;
            System.Runtime.Intrinsics.X86.Sse.Prefetch0(element);
            if (sizeof(T) > CacheLineBytes)
            {
                System.Runtime.Intrinsics.X86.Sse.Prefetch0((byte*)element + CacheLineBytes);
            }
        }
    }

    /// <summary>
    /// Reads a word of an element's cache line, and of the one after it if it has two: unlike a prefetch, the processor does not drop it.
    /// </summary>
    /// <returns>Nothing of meaning: to be added up and kept, so that the compiler does not leave the load out.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Touch(int index)
    {
        byte* element = (byte*)(_first + (nuint)(uint)index);
        ulong word = *(ulong*)element;
        return sizeof(T) > CacheLineBytes ? word + *(ulong*)(element + CacheLineBytes) : word;
    }

    /// <summary>Which NUMA nodes it lies on, as the kernel tells it. Null where it does not.</summary>
    public MemoryPlacement? ReadPlacement() => _memory.ReadPlacement();

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}
