using System.Buffers.Binary;

namespace FastPathLb.Wire;

/// <summary>Walks the options of a TCP header (RFC 9293, section 3.1), one at a time; never runs past their end.</summary>
/// <remarks>
/// <code>
/// +------+        +------+--------+----------------+
/// | 0, 1 |   or   | kind | length | length-2 bytes |
/// +------+        +------+--------+----------------+
/// </code>
/// An option of a known kind with a wrong length is walked over; its value is refused by the matching <c>TryGet</c>.
/// </remarks>
public ref struct TcpOptionReader
{
    private const int SackBlockBytes = 8;

    private ReadOnlySpan<byte> _rest;

    /// <summary>Stands before the first option.</summary>
    /// <param name="options">As <see cref="TcpHeader.Options"/> has them.</param>
    public TcpOptionReader(ReadOnlySpan<byte> options) => _rest = options;

    /// <summary>Kind of the current option.</summary>
    public TcpOptionKind Kind { get; private set; }

    /// <summary>Bytes of the current option after kind and length.</summary>
    public ReadOnlySpan<byte> Data { get; private set; }

    /// <summary>The walk ended early, at an option with a length below 2 or beyond the end.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>Blocks in the current option, if it is a selective acknowledgment.</summary>
    public readonly int SackBlockCount => Kind == TcpOptionKind.Sack ? Data.Length / SackBlockBytes : 0;

    /// <summary>
    /// Goes to the next option, paddings included. The last is <see cref="TcpOptionKind.EndOfOptions"/>, if it is there.
    /// </summary>
    /// <returns><see langword="false"/> at the end, or where the options make no sense.</returns>
    public bool MoveNext()
    {
        Data = default;
        if (_rest.IsEmpty)
        {
            return false;
        }

        Kind = (TcpOptionKind)_rest[0];
        if (Kind == TcpOptionKind.EndOfOptions)
        {
            _rest = default;
            return true;
        }

        if (Kind == TcpOptionKind.NoOperation)
        {
            _rest = _rest[1..];
            return true;
        }

        int length = _rest.Length >= 2 ? _rest[1] : 0;
        if (length < 2 || length > _rest.Length)
        {
            _rest = default;
            IsMalformed = true;
            return false;
        }

        Data = _rest[2..length];
        _rest = _rest[length..];
        return true;
    }

    /// <summary>Maximum segment size in bytes, if the current option is one.</summary>
    public readonly bool TryGetMaximumSegmentSize(out ushort sizeBytes)
    {
        bool fits = Kind == TcpOptionKind.MaximumSegmentSize && Data.Length == sizeof(ushort);
        sizeBytes = fits ? BinaryPrimitives.ReadUInt16BigEndian(Data) : (ushort)0;
        return fits;
    }

    /// <summary>Window scale in bits, as sent (above 14 counts as 14), if the current option is one.</summary>
    public readonly bool TryGetWindowScale(out byte shift)
    {
        bool fits = Kind == TcpOptionKind.WindowScale && Data.Length == 1;
        shift = fits ? Data[0] : (byte)0;
        return fits;
    }

    /// <summary>Timestamp value and echoed value, if the current option has them.</summary>
    public readonly bool TryGetTimestamps(out uint value, out uint echo)
    {
        bool fits = Kind == TcpOptionKind.Timestamps && Data.Length == 2 * sizeof(uint);
        value = fits ? BinaryPrimitives.ReadUInt32BigEndian(Data) : 0;
        echo = fits ? BinaryPrimitives.ReadUInt32BigEndian(Data[sizeof(uint)..]) : 0;
        return fits;
    }

    /// <summary>One block of a selective acknowledgment: sequence numbers of its first byte and of the one after its last.</summary>
    /// <param name="index">Below <see cref="SackBlockCount"/>.</param>
    /// <param name="left">First byte.</param>
    /// <param name="right">One after the last byte.</param>
    public readonly bool TryGetSackBlock(int index, out uint left, out uint right)
    {
        bool fits = (uint)index < (uint)SackBlockCount;
        ReadOnlySpan<byte> block = fits ? Data.Slice(index * SackBlockBytes, SackBlockBytes) : default;
        left = fits ? BinaryPrimitives.ReadUInt32BigEndian(block) : 0;
        right = fits ? BinaryPrimitives.ReadUInt32BigEndian(block[sizeof(uint)..]) : 0;
        return fits;
    }
}
