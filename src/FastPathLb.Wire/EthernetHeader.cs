using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace FastPathLb.Wire;

/// <summary>Ethernet II header (IEEE 802.3, RFC 894), without the frame check sequence.</summary>
/// <remarks>
/// <code>
/// byte 0              6              12       14
/// +-----------------+---------------+--------+---------
/// |  destination    |  source       |  type  | payload
/// +-----------------+---------------+--------+---------
/// </code>
/// </remarks>
public readonly ref struct EthernetHeader : IWireHeader<EthernetHeader>
{
    /// <summary>Offset of the destination address.</summary>
    public const int DestinationOffset = 0;

    /// <summary>Offset of the source address.</summary>
    public const int SourceOffset = 6;

    /// <summary>Offset of the type.</summary>
    public const int EtherTypeOffset = 12;

    /// <summary>Length of the header.</summary>
    public const int MinimumLengthBytes = 14;

    private readonly ReadOnlySpan<byte> _bytes;

    private EthernetHeader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Destination address.</summary>
    public MacAddress Destination { [MethodImpl(AggressiveInlining)] get => MacAddress.Read(_bytes); }

    /// <summary>Source address.</summary>
    public MacAddress Source { [MethodImpl(AggressiveInlining)] get => MacAddress.Read(_bytes[SourceOffset..]); }

    /// <summary>What follows: a tag, a protocol, or an 802.3 length below 0x0600.</summary>
    public EtherType EtherType
    {
        [MethodImpl(AggressiveInlining)]
        get => (EtherType)BinaryPrimitives.ReadUInt16BigEndian(_bytes[EtherTypeOffset..]);
    }

    /// <summary>Everything after the type, padding included.</summary>
    public ReadOnlySpan<byte> Payload { [MethodImpl(AggressiveInlining)] get => _bytes[MinimumLengthBytes..]; }

    static int IWireHeader<EthernetHeader>.MinimumLengthBytes => MinimumLengthBytes;

    /// <summary>Succeeds on 14 bytes or more.</summary>
    [MethodImpl(AggressiveInlining)]
    public static bool TryParse(ReadOnlySpan<byte> bytes, out EthernetHeader header)
    {
        bool fits = bytes.Length >= MinimumLengthBytes;
        header = fits ? new EthernetHeader(bytes) : default;
        return fits;
    }
}
