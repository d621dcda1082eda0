using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace FastPathLb.Wire;

/// <summary>IPv6 header without its extension headers (RFC 8200).</summary>
/// <remarks>
/// <code>
///  0     4              12                              31
/// +-----+--------------+--------------------------------+
/// | ver | traffic class|  flow label                    |
/// +-----+--------------+-----+-------------+------------+
/// |  payload length          | next header | hop limit  |
/// +--------------------------+-------------+------------+
/// |  source address, 16 bytes                           |
/// |  destination address, 16 bytes                      |
/// +-----------------------------------------------------+
/// </code>
/// </remarks>
public readonly ref struct Ipv6Header : IWireHeader<Ipv6Header>
{
    /// <summary>Offset of version, traffic class and flow label.</summary>
    public const int VersionOffset = 0;

    /// <summary>Offset of the payload length.</summary>
    public const int PayloadLengthOffset = 4;

    /// <summary>Offset of the next header.</summary>
    public const int NextHeaderOffset = 6;

    /// <summary>Offset of the hop limit.</summary>
    public const int HopLimitOffset = 7;

    /// <summary>Offset of the source address.</summary>
    public const int SourceOffset = 8;

    /// <summary>Offset of the destination address.</summary>
    public const int DestinationOffset = 24;

    /// <summary>Length of the header.</summary>
    public const int MinimumLengthBytes = 40;

    private readonly ReadOnlySpan<byte> _bytes;

    private Ipv6Header(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Always 6.</summary>
    public int Version { [MethodImpl(AggressiveInlining)] get => _bytes[VersionOffset] >> 4; }

    /// <summary>DSCP in bits 7..2, ECN in bits 1..0.</summary>
    public byte TrafficClass
    {
        [MethodImpl(AggressiveInlining)]
        get => (byte)(BinaryPrimitives.ReadUInt16BigEndian(_bytes[VersionOffset..]) >> 4);
    }

    /// <summary>Flow label, 20 bits (RFC 6437).</summary>
    public uint FlowLabel
    {
        [MethodImpl(AggressiveInlining)]
        get => BinaryPrimitives.ReadUInt32BigEndian(_bytes[VersionOffset..]) & 0x000F_FFFF;
    }

    /// <summary>Length of everything after this header, extension headers included; 0 in a jumbogram.</summary>
    public ushort PayloadLength
    {
        [MethodImpl(AggressiveInlining)]
        get => BinaryPrimitives.ReadUInt16BigEndian(_bytes[PayloadLengthOffset..]);
    }

    /// <summary>What follows: an extension header or a protocol.</summary>
    public IpProtocol NextHeader { [MethodImpl(AggressiveInlining)] get => (IpProtocol)_bytes[NextHeaderOffset]; }

    /// <summary>Hops that are left.</summary>
    public byte HopLimit { [MethodImpl(AggressiveInlining)] get => _bytes[HopLimitOffset]; }

    /// <summary>Source address.</summary>
    public Ipv6Address Source { [MethodImpl(AggressiveInlining)] get => Ipv6Address.Read(_bytes[SourceOffset..]); }

    /// <summary>Destination address.</summary>
    public Ipv6Address Destination { [MethodImpl(AggressiveInlining)] get => Ipv6Address.Read(_bytes[DestinationOffset..]); }

    /// <summary>As many bytes as the payload length says, clipped to those that are there.</summary>
    public ReadOnlySpan<byte> Payload
    {
        [MethodImpl(AggressiveInlining)]
        get => _bytes.Slice(MinimumLengthBytes, Math.Min(PayloadLength, _bytes.Length - MinimumLengthBytes));
    }

    static int IWireHeader<Ipv6Header>.MinimumLengthBytes => MinimumLengthBytes;

    /// <summary>Succeeds on 40 bytes or more with version 6.</summary>
    [MethodImpl(AggressiveInlining)]
    public static bool TryParse(ReadOnlySpan<byte> bytes, out Ipv6Header header)
    {
        bool fits = bytes.Length >= MinimumLengthBytes && bytes[VersionOffset] >> 4 == 6;
        header = fits ? new Ipv6Header(bytes) : default;
        return fits;
    }
}
