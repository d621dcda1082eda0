using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace FastPathLb.Live.Running;

/// <summary>
/// Copies of frames on their way from one thread to one other: bounded, in order, without a lock. One thread adds and publishes, one takes
/// and releases. Nothing is allocated after the start.
/// </summary>
/// <remarks>
/// <code>
/// bytes: | header, frame, padding to 8 | header, frame ... | -1, nothing up to the end |
///          ^ released                    ^ published (all before it may be read)
/// </code>
/// Positions only grow; their low bits are places. The adder's writes are seen by whoever reads the published position after it; the
/// taker's reads are over before the adder sees the released one. Many frames are published at once, so that the two threads fetch
/// each other's line once a batch.
/// </remarks>
internal sealed class FrameRing
{
    private const int HeaderBytes = 16;
    private const int WireLengthOffset = 4;
    private const int TimestampOffset = 8;
    private const int Alignment = 8;
    private const int Skip = -1;
    private const int Adder = 1;
    private const int Taker = 2;

    private readonly byte[] _bytes;
    private readonly int _mask;

    // One at each end is unused: neighbours in memory are others' business.
    private readonly Side[] _sides = new Side[4];

    /// <summary>Makes a ring.</summary>
    /// <param name="sizeBytes">Its size, a power of two.</param>
    public FrameRing(int sizeBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(System.Numerics.BitOperations.IsPow2(sizeBytes), true);
        _bytes = GC.AllocateUninitializedArray<byte>(sizeBytes);
        _mask = sizeBytes - 1;
    }

    /// <summary>The longest frame that it takes, in bytes: where it wraps, it must still find room.</summary>
    public int FrameBytesMax => (_bytes.Length / 2) - HeaderBytes;

    /// <summary>Whether there is something to be taken. Any thread; a moment old.</summary>
    public bool HasFrames => Volatile.Read(ref _sides[Adder].Shared) != Volatile.Read(ref _sides[Taker].Shared);

    /// <summary>Whether more than half of it is in use. Any thread; a moment old.</summary>
    public bool IsPressed => Volatile.Read(ref _sides[Adder].Shared) - Volatile.Read(ref _sides[Taker].Shared) > _bytes.Length / 2;

    /// <summary>Copies a frame in, which is seen by the other thread after <see cref="Publish"/>. The adding thread.</summary>
    /// <param name="frame">The frame, at most <see cref="FrameBytesMax"/>.</param>
    /// <param name="wireLengthBytes">Bytes it had on the wire.</param>
    /// <param name="timestampNanoseconds">Its time, nanoseconds since the Unix epoch.</param>
    /// <returns><see langword="false"/> where there is no room now.</returns>
    public bool TryAdd(ReadOnlySpan<byte> frame, int wireLengthBytes, long timestampNanoseconds)
    {
        ref Side side = ref _sides[Adder];
        int needed = (HeaderBytes + frame.Length + Alignment - 1) & ~(Alignment - 1);
        int offset = (int)side.Own & _mask;
        int left = _bytes.Length - offset;
        int skipped = needed <= left ? 0 : left;
        long end = side.Own + skipped + needed;
        if (end - side.Seen > _bytes.Length)
        {
            side.Seen = Volatile.Read(ref _sides[Taker].Shared);
            if (end - side.Seen > _bytes.Length || frame.Length > FrameBytesMax)
            {
                return false;
            }
        }

        if (skipped > 0)
        {
            BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(offset), Skip);
            offset = 0;
        }

        Span<byte> place = _bytes.AsSpan(offset, HeaderBytes + frame.Length);
        BinaryPrimitives.WriteInt32LittleEndian(place, frame.Length);
        BinaryPrimitives.WriteInt32LittleEndian(place[WireLengthOffset..], wireLengthBytes);
        BinaryPrimitives.WriteInt64LittleEndian(place[TimestampOffset..], timestampNanoseconds);
        frame.CopyTo(place[HeaderBytes..]);
        side.Own = end;
        return true;
    }

    /// <summary>Lets the other thread see what was added. The adding thread.</summary>
    public void Publish() => Volatile.Write(ref _sides[Adder].Shared, _sides[Adder].Own);

    /// <summary>Looks at the next frame, which stays valid until it is released. The taking thread.</summary>
    public bool TryPeek(out RingedFrame frame)
    {
        ref Side side = ref _sides[Taker];
        if (side.Own == side.Seen)
        {
            side.Seen = Volatile.Read(ref _sides[Adder].Shared);
            if (side.Own == side.Seen)
            {
                frame = default;
                return false;
            }
        }

        int offset = (int)side.Own & _mask;
        int length = BinaryPrimitives.ReadInt32LittleEndian(_bytes.AsSpan(offset));
        if (length == Skip)
        {
            // A frame follows: both are published at once.
            side.Own += _bytes.Length - offset;
            offset = 0;
            length = BinaryPrimitives.ReadInt32LittleEndian(_bytes);
        }

        ReadOnlySpan<byte> place = _bytes.AsSpan(offset, HeaderBytes + length);
        frame = new RingedFrame(
            place[HeaderBytes..], BinaryPrimitives.ReadInt32LittleEndian(place[WireLengthOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(place[TimestampOffset..]));
        return true;
    }

    /// <summary>Goes on to the frame after the one that was looked at. The taking thread.</summary>
    public void Take(in RingedFrame frame) =>
        _sides[Taker].Own += (HeaderBytes + frame.Bytes.Length + Alignment - 1) & ~(Alignment - 1);

    /// <summary>Gives back the room of what was taken. The taking thread.</summary>
    public void Release() => Volatile.Write(ref _sides[Taker].Shared, _sides[Taker].Own);

    /// <summary>One thread's positions, in lines of its own: neighbours are fetched in pairs.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Side
    {
        /// <summary>What the other thread may see.</summary>
        [FieldOffset(0)]
        public long Shared;

        /// <summary>How far this thread is.</summary>
        [FieldOffset(8)]
        public long Own;

        /// <summary>What of the other thread was seen last.</summary>
        [FieldOffset(16)]
        public long Seen;
    }
}
