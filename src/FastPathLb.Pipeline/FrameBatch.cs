using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastPathLb.Pipeline;

/// <summary>
/// A batch of frames in one contiguous arena, each with head room before it, and the frames they cause.
/// Allocated once; owned by one worker.
/// </summary>
/// <remarks>
/// <code>
/// arena: | room | frame 0 | room | frame 1 | ... | frame n-1 |      free      | frames made by the data path |
///        ^ input area, filled by the source                                    ^ output area
/// </code>
/// Frames that are sent on are rewritten where they lie. Frames that the data path makes (ICMP errors, fragments) are put
/// into the output area; when that or the list of emitted frames is full, the sink is called early and both start anew.
/// </remarks>
public sealed class FrameBatch
{
    /// <summary>Most input frames in a batch.</summary>
    public const int CountMax = 256;

    /// <summary>
    /// Free bytes before each frame: the 50 bytes of a VXLAN envelope over IPv4 with room for a capture's record header.
    /// </summary>
    public const int HeadroomBytes = 128;

    /// <summary>Free bytes after each frame, so that wide loads at its end stay inside the arena.</summary>
    public const int TailroomBytes = 64;

    /// <summary>The largest frame a batch takes. BIG TCP super-packets of captures are above 64 KiB.</summary>
    public const int FrameLengthMax = 512 * 1024;

    /// <summary>Bytes for input frames when nothing else is asked for.</summary>
    public const int InputBytesDefault = 1024 * 1024;

    // Twice what one frame may cause: a datagram of 64 KiB put together and cut again, with head rooms.
    private const int OutputBytesPerFrame = 512 * 1024;
    private const int OutputBytes = 2 * OutputBytesPerFrame;
    private const int EmittedMax = 1024;
    private const int LineBytes = 64;

    private readonly byte[] _arena;
    private readonly int _inputStart;
    private readonly int _inputEnd;
    private readonly FrameDescriptor[] _frames = new FrameDescriptor[CountMax];
    private readonly EmittedFrame[] _emitted = new EmittedFrame[EmittedMax];
    private readonly int _countMax;
    private int _inputNext;
    private int _outputNext;
    private int _count;
    private int _emittedCount;
    private IFrameSink? _sink;

    /// <summary>Allocates the arena.</summary>
    /// <param name="inputBytes">Bytes for input frames with their head room; at least one largest frame.</param>
    /// <param name="countMax">Most frames per batch, 1 to <see cref="CountMax"/>.</param>
    public FrameBatch(int inputBytes = InputBytesDefault, int countMax = CountMax)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputBytes, FrameLengthMax + HeadroomBytes + TailroomBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(countMax, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(countMax, CountMax);
        _countMax = countMax;
        _arena = GC.AllocateArray<byte>(LineBytes + inputBytes + OutputBytes, pinned: true);
        _inputStart = (int)(-ArenaAddress & (LineBytes - 1));
        _inputNext = _inputStart;
        _inputEnd = _inputStart + inputBytes;
        _outputNext = _inputEnd;

        // Descriptors are read several at a time: those that had no frame yet lie where one may lie.
        foreach (ref FrameDescriptor frame in _frames.AsSpan())
        {
            frame.Offset = _inputStart + HeadroomBytes;
        }
    }

    /// <summary>Number of input frames.</summary>
    public int Count => _count;

    /// <summary>The input frames, in order of arrival.</summary>
    public Span<FrameDescriptor> Frames => _frames.AsSpan(0, _count);

    /// <summary>The frames to send, in order.</summary>
    public ReadOnlySpan<EmittedFrame> Emitted => _emitted.AsSpan(0, _emittedCount);

    /// <summary>The whole arena; offsets of descriptors index it.</summary>
    public Span<byte> Arena => _arena;

    /// <summary>
    /// Address of the arena's first byte, for a device that shares the arena with the kernel or a card. The arena is pinned: it never moves.
    /// </summary>
    public nint ArenaAddress => Marshal.UnsafeAddrOfPinnedArrayElement(_arena, 0);

    /// <summary>Connects the sink that takes emitted frames when the batch has no more room for them.</summary>
    public void ConnectSink(IFrameSink sink) => _sink = sink;

    /// <summary>Forgets all frames.</summary>
    public void Clear()
    {
        _count = 0;
        _inputNext = _inputStart;
        _emittedCount = 0;
        _outputNext = _inputEnd;
    }

    /// <summary>Forgets the input frames after the first ones: whoever takes some out moves the others to the front. Before it is processed.</summary>
    public void Keep(int count)
    {
        Debug.Assert(count <= _count && _emittedCount == 0, "only before the batch is processed");
        _count = count;
    }

    /// <summary>Bytes from an offset of the arena.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Slice(int offset, int lengthBytes) => _arena.AsSpan(offset, lengthBytes);

    /// <summary>The input frame's bytes.</summary>
    public Span<byte> FrameBytes(int index) => _arena.AsSpan(_frames[index].Offset, _frames[index].LengthBytes);

    /// <summary>The emitted frame's bytes.</summary>
    public ReadOnlySpan<byte> EmittedBytes(int index) => _arena.AsSpan(_emitted[index].Offset, _emitted[index].LengthBytes);

    /// <summary>Room for one more input frame, with its head room before it, or an empty span when the batch is full.</summary>
    /// <param name="lengthMax">Most bytes the frame may have.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Reserve(int lengthMax)
    {
        if (_count == _countMax || lengthMax > FrameLengthMax || _inputNext + HeadroomBytes + lengthMax + TailroomBytes > _inputEnd)
        {
            return [];
        }

        return _arena.AsSpan(_inputNext + HeadroomBytes, lengthMax);
    }

    /// <summary>Takes the frame that was written into the reserved room.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Commit(int lengthBytes, int wireLengthBytes, long timestampNanoseconds, long number, int portIndex = 0)
    {
        ref FrameDescriptor frame = ref _frames[_count];
        frame.Offset = _inputNext + HeadroomBytes;
        frame.LengthBytes = lengthBytes;
        frame.WireLengthBytes = wireLengthBytes;
        frame.PortIndex = portIndex;
        frame.TimestampNanoseconds = timestampNanoseconds;
        frame.Number = number;
        frame.Connection = -1;
        frame.Verdict = Verdict.None;
        frame.Reason = DropReason.None;
        frame.Turn = 0;
        _count++;

        // The next frame starts on a cache line, as a card puts it: the envelope and both Ethernet headers are one line.
        int end = frame.Offset - _inputStart + lengthBytes + TailroomBytes;
        _inputNext = _inputStart + ((end + LineBytes - 1) & -LineBytes) - LineBytes;
    }

    /// <summary>
    /// Takes a frame that lies in the input area already, where a device put it, with head room before it. Not to be mixed with
    /// <see cref="Reserve"/>, which knows nothing of such places. At most <see cref="CountMax"/> frames.
    /// </summary>
    /// <param name="offset">First byte of the frame in the arena.</param>
    /// <param name="lengthBytes">Bytes that are there.</param>
    /// <param name="wireLengthBytes">Bytes it had on the wire.</param>
    /// <param name="timestampNanoseconds">Time of arrival, nanoseconds since the Unix epoch.</param>
    /// <param name="number">Number of the frame in its source.</param>
    /// <param name="portIndex">Port it came in at.</param>
    public void Place(int offset, int lengthBytes, int wireLengthBytes, long timestampNanoseconds, long number, int portIndex = 0)
    {
        Debug.Assert(offset >= HeadroomBytes && offset + lengthBytes + TailroomBytes <= _arena.Length, "a frame has room around it");
        _inputNext = offset - HeadroomBytes;
        Commit(lengthBytes, wireLengthBytes, timestampNanoseconds, number, portIndex);
    }

    /// <summary>Copies a frame in.</summary>
    /// <returns><see langword="false"/> when the batch is full; the caller processes it and tries again.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryAdd(ReadOnlySpan<byte> bytes, long timestampNanoseconds, long number = 0, int wireLengthBytes = -1, int portIndex = 0)
    {
        Span<byte> room = Reserve(bytes.Length);
        if (room.Length != bytes.Length || _count == _countMax)
        {
            return false;
        }

        bytes.CopyTo(room);
        Commit(bytes.Length, wireLengthBytes < 0 ? bytes.Length : wireLengthBytes, timestampNanoseconds, number, portIndex);
        return true;
    }

    /// <summary>
    /// Makes room for all that one more input frame may cause, so that nothing is flushed while it is processed. Called between
    /// frames.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void EnsureOutputRoom()
    {
        if (_arena.Length - _outputNext < OutputBytesPerFrame)
        {
            Flush();
        }
    }

    /// <summary>
    /// Room in the output area for a frame that the data path makes, with head room before it. Earlier emitted frames are
    /// flushed to the sink when there is none left, so take the room before emitting what it depends on.
    /// </summary>
    /// <returns>Offset of the frame's first byte in the arena.</returns>
    public int RentOutput(int lengthBytes)
    {
        int needed = (HeadroomBytes + lengthBytes + TailroomBytes + 63) & ~63;
        if (_outputNext + needed > _arena.Length)
        {
            Flush();
        }

        int offset = _outputNext + HeadroomBytes;
        _outputNext += needed;
        return offset;
    }

    /// <summary>
    /// Puts a frame on the list of those to send; its length on the wire is greater where a capture cut it. Where an input frame
    /// causes it, it has that one's time, even if the data path's own is ahead of it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Emit(
        int offset, int lengthBytes, long timestampNanoseconds, int inputIndex, int portIndex = 0, int wireLengthBytes = 0)
    {
        if (_emittedCount == EmittedMax)
        {
            // Rooms rented from the output area but not emitted yet stay as they are: only the list is emptied.
            FlushList();
        }

        ref EmittedFrame frame = ref _emitted[_emittedCount++];
        frame.Offset = offset;
        frame.LengthBytes = lengthBytes;
        frame.WireLengthBytes = Math.Max(lengthBytes, wireLengthBytes);
        frame.TimestampNanoseconds = inputIndex >= 0 ? _frames[inputIndex].TimestampNanoseconds : timestampNanoseconds;
        frame.InputIndex = inputIndex;
        frame.PortIndex = portIndex;
    }

    /// <summary>
    /// Puts as many frames on the list as some input frames cause, one each. The caller fills them in at once, with the input frames' times.
    /// </summary>
    /// <param name="count">How many, at most <see cref="CountMax"/>.</param>
    public Span<EmittedFrame> EmitInputs(int count)
    {
        if (_emittedCount + count > EmittedMax)
        {
            FlushList();
        }

        _emittedCount += count;
        return _emitted.AsSpan(_emittedCount - count, count);
    }

    /// <summary>Sends what is on the list now. Called by the owner at the end of a batch.</summary>
    public void Flush()
    {
        FlushList();
        _outputNext = _inputEnd;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void FlushList()
    {
        if (_emittedCount > 0)
        {
            _sink?.Send(this);
            _emittedCount = 0;
        }
    }
}
