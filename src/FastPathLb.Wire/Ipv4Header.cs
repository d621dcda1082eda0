using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace FastPathLb.Wire;

/// <summary>IPv4 header with its options (RFC 791).</summary>
/// <remarks>
/// <code>
///  0       4       8              16  19                 31
/// +-------+-------+--------------+-----------------------+
/// |version|  IHL  |type of serv. |  total length         |
/// +-------+-------+--------------+---+-------------------+
/// |  identification              |flg|  fragment offset  |
/// +---------------+--------------+---+-------------------+
/// | time to live  |  protocol    |  header checksum      |
/// +---------------+--------------+-----------------------+
/// |  source address                                      |
/// |  destination address                                 |
/// |  options, IHL words in all                           |
/// +------------------------------------------------------+
/// </code>
/// The replacing setters carry the checksum along (RFC 1624), so a wrong sum stays exactly as wrong as it was.
/// </remarks>
public readonly ref struct Ipv4Header : IWireHeader<Ipv4Header>
{
    /// <summary>Offset of version and header length.</summary>
    public const int VersionOffset = 0;

    /// <summary>Offset of the type of service.</summary>
    public const int TypeOfServiceOffset = 1;

    /// <summary>Offset of the total length.</summary>
    public const int TotalLengthOffset = 2;

    /// <summary>Offset of the identification.</summary>
    public const int IdentificationOffset = 4;

    /// <summary>Offset of flags and fragment offset.</summary>
    public const int FragmentOffset = 6;

    /// <summary>Offset of the time to live.</summary>
    public const int TimeToLiveOffset = 8;

    /// <summary>Offset of the protocol.</summary>
    public const int ProtocolOffset = 9;

    /// <summary>Offset of the header checksum.</summary>
    public const int ChecksumOffset = 10;

    /// <summary>Offset of the source address.</summary>
    public const int SourceOffset = 12;

    /// <summary>Offset of the destination address.</summary>
    public const int DestinationOffset = 16;

    /// <summary>Length of the header without options.</summary>
    public const int MinimumLengthBytes = 20;

    /// <summary>Length of the header with all the options that fit.</summary>
    public const int MaximumLengthBytes = 60;

    /// <summary>Flag "do not fragment" in <see cref="FragmentField"/>.</summary>
    public const ushort DontFragmentMask = 0x4000;

    /// <summary>Flag "more fragments" in <see cref="FragmentField"/>.</summary>
    public const ushort MoreFragmentsMask = 0x2000;

    /// <summary>Fragment offset, in units of 8 bytes, in <see cref="FragmentField"/>.</summary>
    public const ushort FragmentOffsetMask = 0x1FFF;

    private readonly ReadOnlySpan<byte> _bytes;

    private Ipv4Header(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Always 4.</summary>
    public int Version { [MethodImpl(AggressiveInlining)] get => _bytes[VersionOffset] >> 4; }

    /// <summary>Length of header and options: 20 to 60.</summary>
    public int HeaderLengthBytes { [MethodImpl(AggressiveInlining)] get => (_bytes[VersionOffset] & 0x0F) * 4; }

    /// <summary>DSCP in bits 7..2 (RFC 2474), ECN in bits 1..0 (RFC 3168).</summary>
    public byte TypeOfService { [MethodImpl(AggressiveInlining)] get => _bytes[TypeOfServiceOffset]; }

    /// <summary>Length of header and payload as the header says it; 0 in the oversize frames of segmentation offload.</summary>
    public ushort TotalLength
    {
        [MethodImpl(AggressiveInlining)]
        get => BinaryPrimitives.ReadUInt16BigEndian(_bytes[TotalLengthOffset..]);
    }

    /// <summary>Groups the fragments of a datagram.</summary>
    public ushort Identification
    {
        [MethodImpl(AggressiveInlining)]
        get => BinaryPrimitives.ReadUInt16BigEndian(_bytes[IdentificationOffset..]);
    }

    /// <summary>Flags and fragment offset as they are.</summary>
    public ushort FragmentField
    {
        [MethodImpl(AggressiveInlining)]
        get => BinaryPrimitives.ReadUInt16BigEndian(_bytes[FragmentOffset..]);
    }

    /// <summary>The datagram must not be fragmented.</summary>
    public bool DontFragment { [MethodImpl(AggressiveInlining)] get => (FragmentField & DontFragmentMask) != 0; }

    /// <summary>This is not the last fragment.</summary>
    public bool MoreFragments { [MethodImpl(AggressiveInlining)] get => (FragmentField & MoreFragmentsMask) != 0; }

    /// <summary>Place of this payload in the whole datagram's, in bytes.</summary>
    public int FragmentOffsetBytes { [MethodImpl(AggressiveInlining)] get => (FragmentField & FragmentOffsetMask) * 8; }

    /// <summary>A part of a datagram: more follow, or some came before.</summary>
    public bool IsFragment
    {
        [MethodImpl(AggressiveInlining)]
        get => (FragmentField & (MoreFragmentsMask | FragmentOffsetMask)) != 0;
    }

    /// <summary>Hops that are left.</summary>
    public byte TimeToLive { [MethodImpl(AggressiveInlining)] get => _bytes[TimeToLiveOffset]; }

    /// <summary>What the datagram carries.</summary>
    public IpProtocol Protocol { [MethodImpl(AggressiveInlining)] get => (IpProtocol)_bytes[ProtocolOffset]; }

    /// <summary>Header checksum as it is.</summary>
    public ushort Checksum
    {
        [MethodImpl(AggressiveInlining)]
        get => BinaryPrimitives.ReadUInt16BigEndian(_bytes[ChecksumOffset..]);
    }

    /// <summary>The header and its checksum agree.</summary>
    public bool IsChecksumCorrect
    {
        [MethodImpl(AggressiveInlining)]
        get => InternetChecksum.Compute(_bytes[..HeaderLengthBytes]) == 0;
    }

    /// <summary>Source address.</summary>
    public Ipv4Address Source { [MethodImpl(AggressiveInlining)] get => Ipv4Address.Read(_bytes[SourceOffset..]); }

    /// <summary>Destination address.</summary>
    public Ipv4Address Destination { [MethodImpl(AggressiveInlining)] get => Ipv4Address.Read(_bytes[DestinationOffset..]); }

    /// <summary>The option bytes, 0 to 40.</summary>
    public ReadOnlySpan<byte> Options { [MethodImpl(AggressiveInlining)] get => _bytes[MinimumLengthBytes..HeaderLengthBytes]; }

    /// <summary>From the end of the header to the total length, clipped to the bytes that are there.</summary>
    public ReadOnlySpan<byte> Payload
    {
        [MethodImpl(AggressiveInlining)]
        get
        {
            int start = HeaderLengthBytes;
            int end = Math.Min(TotalLength, _bytes.Length);
            return end > start ? _bytes[start..end] : default;
        }
    }

    static int IWireHeader<Ipv4Header>.MinimumLengthBytes => MinimumLengthBytes;

    /// <summary>
    /// Succeeds if version is 4 and the header with its options is there. The total length is not judged: it may say less than
    /// the header or more than the bytes.
    /// </summary>
    [MethodImpl(AggressiveInlining)]
    public static bool TryParse(ReadOnlySpan<byte> bytes, out Ipv4Header header)
    {
        // 0x45 to 0x4F: version 4 and at least five words.
        bool fits = bytes.Length >= MinimumLengthBytes
            && (uint)(bytes[VersionOffset] - 0x45) <= 0x0A
            && bytes.Length >= (bytes[VersionOffset] & 0x0F) * 4;
        header = fits ? new Ipv4Header(bytes) : default;
        return fits;
    }

    /// <summary>Sets the source address and updates the header checksum (RFC 1624).</summary>
    public static void ReplaceSource(Span<byte> ipv4Header, Ipv4Address source) =>
        ReplaceAddress(ipv4Header, SourceOffset, source);

    /// <summary>Sets the destination address and updates the header checksum (RFC 1624).</summary>
    public static void ReplaceDestination(Span<byte> ipv4Header, Ipv4Address destination) =>
        ReplaceAddress(ipv4Header, DestinationOffset, destination);

    /// <summary>Takes one hop off the time to live and updates the header checksum, bit for bit as Linux's ip_decrease_ttl.</summary>
    public static void DecrementTimeToLive(Span<byte> ipv4Header)
    {
        Span<byte> field = ipv4Header[ChecksumOffset..];
        uint checksum = BinaryPrimitives.ReadUInt16BigEndian(field) + 0x0100u;
        BinaryPrimitives.WriteUInt16BigEndian(field, (ushort)(checksum + (checksum >= 0xFFFF ? 1u : 0u)));
        ipv4Header[TimeToLiveOffset]--;
    }

    /// <summary>Computes the checksum of a header anew, as Linux's ip_send_check.</summary>
    /// <param name="ipv4Header">The header with its options, and nothing else.</param>
    public static void WriteChecksum(Span<byte> ipv4Header)
    {
        Span<byte> field = ipv4Header.Slice(ChecksumOffset, sizeof(ushort));
        field.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(field, InternetChecksum.Compute(ipv4Header));
    }

    private static void ReplaceAddress(Span<byte> ipv4Header, int offset, Ipv4Address address)
    {
        ChecksumDelta delta = default;
        delta.Replace(Ipv4Address.Read(ipv4Header[offset..]).Value, address.Value);
        Span<byte> field = ipv4Header[ChecksumOffset..];
        BinaryPrimitives.WriteUInt16BigEndian(field, delta.ApplyTo(BinaryPrimitives.ReadUInt16BigEndian(field)));
        address.WriteTo(ipv4Header[offset..]);
    }
}
