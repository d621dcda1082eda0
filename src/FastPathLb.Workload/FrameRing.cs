using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastPathLb.Conntrack;

namespace FastPathLb.Workload;

/// <summary>Whole frames in slots of two cache lines, in huge pages as the table is: what a generator copies from.</summary>
public sealed class FrameRing : IDisposable
{
    /// <summary>Bytes of a slot.</summary>
    public const int SlotBytes = 128;

    private readonly Slab<Slot> _slots;

    /// <summary>Makes slots, all zero.</summary>
    public FrameRing(int count) => _slots = new Slab<Slot>(count);

    /// <summary>Number of slots.</summary>
    public int Count => _slots.Count;

    /// <summary>A slot.</summary>
    public Span<byte> this[int index] => _slots[index];

    /// <inheritdoc/>
    public void Dispose() => _slots.Dispose();

    [InlineArray(SlotBytes)]
    [StructLayout(LayoutKind.Sequential)]
    private struct Slot
    {
        private byte _first;
    }
}
