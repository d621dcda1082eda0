using System.Buffers.Binary;

namespace FastPathLb.Io.Captures;

/// <summary>Finds the network packet in frames of any link type served, and makes Ethernet frames of those that are none.</summary>
/// <remarks>
/// <code>
/// LINUX_SLL, 16 bytes                    LINUX_SLL2, 20 bytes
///  0 packet type                          0 protocol
///  2 ARPHRD_ of the interface             2 reserved
///  4 length of the sender's address       4 interface index
///  6 sender's address, 8 bytes            8 ARPHRD_ of the interface
/// 14 protocol                            10 packet type | 11 length of the sender's address
///                                        12 sender's address, 8 bytes
/// </code>
/// Big-endian (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html, …SLL2.html). Any thread.
/// </remarks>
public static class LinkLayer
{
    /// <summary>How many bytes longer a frame may become by <see cref="ToEthernet"/>, at most.</summary>
    public const int EthernetGrowthBytesMax = EthernetHeaderBytes;

    private const int EthernetHeaderBytes = 14;
    private const int EtherTypeOffset = 12;
    private const int SourceMacOffset = 6;
    private const int MacBytes = 6;
    private const int AddressFamilyBytes = 4;

    private const int SllHeaderBytes = 16;
    private const int SllPacketTypeOffset = 0;
    private const int SllHardwareTypeOffset = 2;
    private const int SllAddressLengthOffset = 4;
    private const int SllAddressOffset = 6;
    private const int SllProtocolOffset = 14;

    private const int Sll2HeaderBytes = 20;
    private const int Sll2ProtocolOffset = 0;
    private const int Sll2HardwareTypeOffset = 8;
    private const int Sll2PacketTypeOffset = 10;
    private const int Sll2AddressLengthOffset = 11;
    private const int Sll2AddressOffset = 12;

    private const ushort EtherTypeIpv4 = 0x0800;
    private const ushort EtherTypeIpv6 = 0x86dd;

    /// <summary>Smaller type fields are lengths of IEEE 802.3 frames or Linux's own protocol numbers.</summary>
    private const ushort EtherTypeMin = 0x0600;

    private const ushort PacketTypeBroadcast = 1;

    /// <summary>Where the network-layer packet of a frame begins, and its EtherType.</summary>
    /// <param name="linkType">What the frame begins with.</param>
    /// <param name="data">The captured bytes.</param>
    /// <param name="etherType">Its EtherType. Of a tagged frame, the tag's: the packet then begins with the tag.</param>
    /// <param name="packet">The packet, to the end of the captured bytes (trailers included).</param>
    /// <returns>False if the frame is too short, its link type is not served, or what it carries has no EtherType.</returns>
    public static bool TryGetNetworkPacket(
        LinkType linkType,
        ReadOnlySpan<byte> data,
        out ushort etherType,
        out ReadOnlySpan<byte> packet)
    {
        int headerBytes = linkType switch
        {
            LinkType.Ethernet => EthernetHeaderBytes,
            LinkType.LinuxSll => SllHeaderBytes,
            LinkType.LinuxSll2 => Sll2HeaderBytes,
            LinkType.Null or LinkType.Loop => AddressFamilyBytes,
            LinkType.Raw or LinkType.Ipv4 or LinkType.Ipv6 => 0,
            _ => int.MaxValue,
        };
        etherType = 0;
        packet = default;
        if (data.Length < headerBytes)
        {
            return false;
        }

        packet = data[headerBytes..];
        etherType = linkType switch
        {
            LinkType.Ethernet => BinaryPrimitives.ReadUInt16BigEndian(data[EtherTypeOffset..]),
            LinkType.LinuxSll => CookedEtherType(data, SllHardwareTypeOffset, SllProtocolOffset),
            LinkType.LinuxSll2 => CookedEtherType(data, Sll2HardwareTypeOffset, Sll2ProtocolOffset),
            LinkType.Null or LinkType.Loop => FamilyEtherType(data),
            LinkType.Raw => VersionEtherType(packet),
            LinkType.Ipv4 => EtherTypeIpv4,
            _ => EtherTypeIpv6,
        };
        if (etherType < EtherTypeMin)
        {
            packet = default;
            etherType = 0;
            return false;
        }

        return true;
    }

    /// <summary>Makes an Ethernet frame of a captured frame; an Ethernet frame is copied as it is.</summary>
    /// <param name="linkType">What the frame begins with.</param>
    /// <param name="data">The captured bytes.</param>
    /// <param name="destination">Where to: <see cref="EthernetGrowthBytesMax"/> bytes longer than <paramref name="data"/>, and apart from
    /// it.</param>
    /// <returns>Bytes written, 0 if <see cref="TryGetNetworkPacket"/> finds no packet. What this differs from the length of
    /// <paramref name="data"/> the original length differs, too.</returns>
    /// <remarks>The source MAC is the sender's address where a cooked header has one of 6 bytes; the target MAC is ff:ff:ff:ff:ff:ff where
    /// it says broadcast; all else is zero.</remarks>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is too short.</exception>
    public static int ToEthernet(LinkType linkType, ReadOnlySpan<byte> data, Span<byte> destination)
    {
        if (destination.Length < data.Length + EthernetGrowthBytesMax)
        {
            throw new ArgumentException("An Ethernet frame of this frame may not fit.", nameof(destination));
        }

        if (linkType == LinkType.Ethernet)
        {
            data.CopyTo(destination);
            return data.Length;
        }

        if (!TryGetNetworkPacket(linkType, data, out ushort etherType, out ReadOnlySpan<byte> packet))
        {
            return 0;
        }

        destination[..EthernetHeaderBytes].Clear();
        switch (linkType)
        {
            case LinkType.LinuxSll:
                WriteAddresses(
                    destination,
                    BinaryPrimitives.ReadUInt16BigEndian(data[SllPacketTypeOffset..]),
                    BinaryPrimitives.ReadUInt16BigEndian(data[SllAddressLengthOffset..]),
                    data.Slice(SllAddressOffset, MacBytes));
                break;

            case LinkType.LinuxSll2:
                WriteAddresses(
                    destination,
                    data[Sll2PacketTypeOffset],
                    data[Sll2AddressLengthOffset],
                    data.Slice(Sll2AddressOffset, MacBytes));
                break;

            default:
                break;
        }

        BinaryPrimitives.WriteUInt16BigEndian(destination[EtherTypeOffset..], etherType);
        packet.CopyTo(destination[EthernetHeaderBytes..]);
        return EthernetHeaderBytes + packet.Length;
    }

    private static void WriteAddresses(Span<byte> ethernet, ushort packetType, int addressLength, ReadOnlySpan<byte> sender)
    {
        if (packetType == PacketTypeBroadcast)
        {
            ethernet[..MacBytes].Fill(0xff);
        }

        if (addressLength == MacBytes)
        {
            sender.CopyTo(ethernet[SourceMacOffset..]);
        }
    }

    // On these interfaces the protocol field is not an EtherType: netlink, radiotap, frame relay (LINKTYPE_LINUX_SLL).
    private static ushort CookedEtherType(ReadOnlySpan<byte> data, int hardwareTypeOffset, int protocolOffset) =>
        BinaryPrimitives.ReadUInt16BigEndian(data[hardwareTypeOffset..]) is 824 or 803 or 770
            ? (ushort)0
            : BinaryPrimitives.ReadUInt16BigEndian(data[protocolOffset..]);

    private static ushort VersionEtherType(ReadOnlySpan<byte> packet) => packet switch
    {
        [>= 0x40 and <= 0x4f, ..] => EtherTypeIpv4,
        [>= 0x60 and <= 0x6f, ..] => EtherTypeIpv6,
        _ => 0,
    };

    // A number below 256 in either byte order: the capturing machine's in LINKTYPE_NULL. IPv6 has many numbers (BSDs, macOS, Linux).
    private static ushort FamilyEtherType(ReadOnlySpan<byte> data)
    {
        uint family = BinaryPrimitives.ReadUInt32BigEndian(data);
        return (family > 0xffff ? BinaryPrimitives.ReverseEndianness(family) : family) switch
        {
            2 => EtherTypeIpv4,
            10 or 24 or 28 or 30 => EtherTypeIpv6,
            _ => 0,
        };
    }
}
