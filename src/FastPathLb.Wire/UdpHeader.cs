using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace FastPathLb.Wire;

/// <summary>UDP header (RFC 768).</summary>
/// <remarks>
/// <code>
///  0               15 16              31
/// +------------------+------------------+
/// |  source port     | destination port |
/// |  length          | checksum         |
/// +------------------+------------------+
/// </code>
/// </remarks>
public readonly ref struct UdpHeader : IWireHeader<UdpHeader>
{
    /// <summary>Offset of the source port.</summary>
    public const int SourcePortOffset = 0;

    /// <summary>Offset of the destination port.</summary>
    public const int DestinationPortOffset = 2;

    /// <summary>Offset of the length.</summary>
    public const int LengthOffset = 4;

    /// <summary>Offset of the checksum.</summary>
    public const int ChecksumOffset = 6;

    /// <summary>Length of the header.</summary>
    public const int MinimumLengthBytes = 8;

    private readonly ReadOnlySpan<byte> _bytes;

    private UdpHeader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

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

    /// <summary>Length of header and payload, as the header says it.</summary>
    public ushort Length { [MethodImpl(AggressiveInlining)] get => BinaryPrimitives.ReadUInt16BigEndian(_bytes[LengthOffset..]); }

    /// <summary>Checksum as it is.</summary>
    public ushort Checksum
    {
        [MethodImpl(AggressiveInlining)]
        get => BinaryPrimitives.ReadUInt16BigEndian(_bytes[ChecksumOffset..]);
    }

    /// <summary>The sender made a checksum: the field is not 0.</summary>
    public bool HasChecksum { [MethodImpl(AggressiveInlining)] get => Checksum != 0; }

    /// <summary>From the end of the header to the length, clipped to the bytes that are there.</summary>
    public ReadOnlySpan<byte> Payload
    {
        [MethodImpl(AggressiveInlining)]
        get
        {
            int end = Math.Min(Length, _bytes.Length);
            return end > MinimumLengthBytes ? _bytes[MinimumLengthBytes..end] : default;
        }
    }

    static int IWireHeader<UdpHeader>.MinimumLengthBytes => MinimumLengthBytes;

    /// <summary>Succeeds on 8 bytes or more. The length field is not judged.</summary>
    [MethodImpl(AggressiveInlining)]
    public static bool TryParse(ReadOnlySpan<byte> bytes, out UdpHeader header)
    {
        bool fits = bytes.Length >= MinimumLengthBytes;
        header = fits ? new UdpHeader(bytes) : default;
        return fits;
    }

    /// <summary>Computes the checksum of a datagram anew; a sum of 0 is written as 0xFFFF.</summary>
    /// <param name="datagram">Header and payload, and nothing else.</param>
    /// <param name="source">Source address of the pseudo-header.</param>
    /// <param name="destination">Destination address of the pseudo-header.</param>
    public static void WriteChecksum(Span<byte> datagram, Ipv4Address source, Ipv4Address destination)
    {
        Span<byte> field = datagram.Slice(ChecksumOffset, sizeof(ushort));
        field.Clear();
        ushort checksum = InternetChecksum.ComputeTransport(source, destination, IpProtocol.Udp, datagram);
        BinaryPrimitives.WriteUInt16BigEndian(field, checksum == 0 ? ushort.MaxValue : checksum);
    }
}
