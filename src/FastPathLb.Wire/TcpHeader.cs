using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace FastPathLb.Wire;

/// <summary>TCP header with its options (RFC 9293).</summary>
/// <remarks>
/// <code>
///  0        4           8               16                31
/// +-------------------------------------+------------------+
/// |  source port                        | destination port |
/// +-------------------------------------+------------------+
/// |  sequence number                                       |
/// |  acknowledgment number                                 |
/// +--------+-----------+----------------+------------------+
/// | offset | reserved  | CEUAPRSF flags | window           |
/// +--------+-----------+----------------+------------------+
/// |  checksum                           | urgent pointer   |
/// +-------------------------------------+------------------+
/// |  options, offset words in all                          |
/// +--------------------------------------------------------+
/// </code>
/// The data offset is the sender's claim. Where it is false (<see cref="IsDataOffsetValid"/>), options and payload are empty and the
/// fixed part can still be read, as Linux translates such segments.
/// </remarks>
public readonly ref struct TcpHeader : IWireHeader<TcpHeader>
{
    /// <summary>Offset of the source port.</summary>
    public const int SourcePortOffset = 0;

    /// <summary>Offset of the destination port.</summary>
    public const int DestinationPortOffset = 2;

    /// <summary>Offset of the sequence number.</summary>
    public const int SequenceNumberOffset = 4;

    /// <summary>Offset of the acknowledgment number.</summary>
    public const int AcknowledgmentNumberOffset = 8;

    /// <summary>Offset of the data offset.</summary>
    public const int DataOffsetOffset = 12;

    /// <summary>Offset of the flags.</summary>
    public const int FlagsOffset = 13;

    /// <summary>Offset of the window.</summary>
    public const int WindowOffset = 14;

    /// <summary>Offset of the checksum.</summary>
    public const int ChecksumOffset = 16;

    /// <summary>Offset of the urgent pointer.</summary>
    public const int UrgentPointerOffset = 18;

    /// <summary>Length of the header without options.</summary>
    public const int MinimumLengthBytes = 20;

    /// <summary>Length of the header with all the options that fit.</summary>
    public const int MaximumLengthBytes = 60;

    private readonly ReadOnlySpan<byte> _bytes;

    private TcpHeader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Source port.</summary>
    public ushort SourcePort
    {
        [MethodImpl(AggressiveInlining)]
        get => BinaryPrimitives.ReadUInt16BigEndian(_bytes[SourcePortOffset..]);
    }

    /// <summary>Destination port.</summary>
    public ushort DestinationPort
    {
        [MethodImpl(AggressiveInlining)]
        get => BinaryPrimitives.ReadUInt16BigEndian(_bytes[DestinationPortOffset..]);
    }

    /// <summary>Number of the first byte of payload, or of the SYN.</summary>
    public uint SequenceNumber
    {
        [MethodImpl(AggressiveInlining)]
        get => BinaryPrimitives.ReadUInt32BigEndian(_bytes[SequenceNumberOffset..]);
    }

    /// <summary>Number of the next byte expected; counts with <see cref="TcpFlags.Ack"/>.</summary>
    public uint AcknowledgmentNumber
    {
        [MethodImpl(AggressiveInlining)]
        get => BinaryPrimitives.ReadUInt32BigEndian(_bytes[AcknowledgmentNumberOffset..]);
    }

    /// <summary>Length of header and options as the header says it: 0 to 60.</summary>
    public int DataOffsetBytes { [MethodImpl(AggressiveInlining)] get => (_bytes[DataOffsetOffset] >> 4) * 4; }

    /// <summary>The data offset is 20 or more and inside the bytes that are there.</summary>
    public bool IsDataOffsetValid
    {
        [MethodImpl(AggressiveInlining)]
        get => DataOffsetBytes >= MinimumLengthBytes && DataOffsetBytes <= _bytes.Length;
    }

    /// <summary>Control bits.</summary>
    public TcpFlags Flags { [MethodImpl(AggressiveInlining)] get => (TcpFlags)_bytes[FlagsOffset]; }

    /// <summary>Window, not scaled.</summary>
    public ushort Window { [MethodImpl(AggressiveInlining)] get => BinaryPrimitives.ReadUInt16BigEndian(_bytes[WindowOffset..]); }

    /// <summary>Checksum as it is.</summary>
    public ushort Checksum
    {
        [MethodImpl(AggressiveInlining)]
        get => BinaryPrimitives.ReadUInt16BigEndian(_bytes[ChecksumOffset..]);
    }

    /// <summary>Urgent pointer; counts with <see cref="TcpFlags.Urg"/>.</summary>
    public ushort UrgentPointer
    {
        [MethodImpl(AggressiveInlining)]
        get => BinaryPrimitives.ReadUInt16BigEndian(_bytes[UrgentPointerOffset..]);
    }

    /// <summary>The option bytes, 0 to 40, for a <see cref="TcpOptionReader"/>.</summary>
    public ReadOnlySpan<byte> Options
    {
        [MethodImpl(AggressiveInlining)]
        get => IsDataOffsetValid ? _bytes[MinimumLengthBytes..DataOffsetBytes] : default;
    }

    /// <summary>Everything after the options.</summary>
    public ReadOnlySpan<byte> Payload
    {
        [MethodImpl(AggressiveInlining)]
        get => IsDataOffsetValid ? _bytes[DataOffsetBytes..] : default;
    }

    static int IWireHeader<TcpHeader>.MinimumLengthBytes => MinimumLengthBytes;

    /// <summary>Succeeds on 20 bytes or more. The data offset is not judged.</summary>
    [MethodImpl(AggressiveInlining)]
    public static bool TryParse(ReadOnlySpan<byte> bytes, out TcpHeader header)
    {
        bool fits = bytes.Length >= MinimumLengthBytes;
        header = fits ? new TcpHeader(bytes) : default;
        return fits;
    }

    /// <summary>Computes the checksum of a segment anew.</summary>
    /// <param name="segment">Header, options and payload, and nothing else.</param>
    /// <param name="source">Source address of the pseudo-header.</param>
    /// <param name="destination">Destination address of the pseudo-header.</param>
    public static void WriteChecksum(Span<byte> segment, Ipv4Address source, Ipv4Address destination)
    {
        Span<byte> field = segment.Slice(ChecksumOffset, sizeof(ushort));
        field.Clear();
        ushort checksum = InternetChecksum.ComputeTransport(source, destination, IpProtocol.Tcp, segment);
        BinaryPrimitives.WriteUInt16BigEndian(field, checksum);
    }
}
