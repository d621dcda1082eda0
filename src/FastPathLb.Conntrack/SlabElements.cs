using System.Runtime.CompilerServices;

namespace FastPathLb.Conntrack;

/// <summary>The elements of a <see cref="Slab{T}"/> by their address alone, one load less than by the slab.</summary>
/// <remarks>Sound as long as the slab is kept, for indexes that it would take.</remarks>
public readonly unsafe struct SlabElements<T>
    where T : unmanaged
{
    private const int CacheLineBytes = 64;

    private readonly T* _first;

    /// <summary>Takes the address.</summary>
    internal SlabElements(T* first) => _first = first;

    /// <summary>An element, by reference.</summary>
    public ref T this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _first[(nuint)(uint)index];
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

    /// <summary>Asks the processor to fetch the cache line where an element begins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchBeginning(int index)
    {
        if (System.Runtime.Intrinsics.X86.Sse.IsSupported)
        {
            System.Runtime.Intrinsics.X86.Sse.Prefetch0(_first + (nuint)(uint)index);
        }
    }

    /// <summary>Reads a word of the cache line where an element begins: see <see cref="Touch"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong TouchBeginning(int index) => *(ulong*)(_first + (nuint)(uint)index);

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
}
