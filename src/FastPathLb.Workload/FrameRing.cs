using System.Runtime.InteropServices;

namespace FastPathLb.Workload;

/// <summary>Whole frames in slots of two cache lines, in huge pages: what a generator copies from.</summary>
/// <remarks>Sound because slots are reached through <see cref="this[int]"/> alone, whose index is a number below the count.</remarks>
public sealed unsafe class FrameRing : IDisposable
{
    /// <summary>Bytes of a slot.</summary>
    public const int SlotBytes = 128;

    private const int HugePageBytes = 2 << 20;

    private readonly byte* _slots;

    /// <summary>Makes slots, all zero.</summary>
    public FrameRing(int count)
    {
        Count = count;
        nuint length = ((nuint)count * SlotBytes + HugePageBytes - 1) & ~(nuint)(HugePageBytes - 1);
        _slots = (byte*)NativeMemory.AlignedAlloc(length, HugePageBytes);
        LinuxInterop.AdviseHugePages((nint)_slots, length);
        NativeMemory.Clear(_slots, length);
    }

    /// <summary>Number of slots.</summary>
    public int Count { get; }

    /// <summary>A slot.</summary>
    public Span<byte> this[int index] => new(_slots + ((nint)index * SlotBytes), SlotBytes);

    /// <inheritdoc/>
    public void Dispose() => NativeMemory.AlignedFree(_slots);
}
