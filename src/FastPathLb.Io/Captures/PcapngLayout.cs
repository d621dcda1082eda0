namespace FastPathLb.Io.Captures;

/// <summary>Block types, offsets and option codes of pcapng (draft-ietf-opsawg-pcapng).</summary>
/// <remarks>
/// <code>
/// every block           Section Header (3.1, 4.1)    Interface Description (4.2)    Enhanced Packet (4.3)
///  0 type                8 byte-order magic           8 link type | 10 reserved      8 interface
///  4 total length       12 major | 14 minor          12 snap length                12 timestamp, high half
///  8 body               16 section length, -1 = ?    16 options                    16 timestamp, low half
///  … total length       24 options                                                20 captured length
///                                                     Simple Packet (4.4)           24 original length
/// option (3.5)                                        8 original length            28 bytes, padding, options
///  0 code | 2 length                                 12 bytes, padding
///  4 value, padding                                                                 Packet (obsolete, appendix A)
///                                                                                    8 interface | 10 drops, then as above
/// </code>
/// All padding is to a multiple of 4. Integers are in the section's byte order, which the byte-order magic tells.
/// </remarks>
internal static class PcapngLayout
{
    /// <summary>The same in both byte orders, so that it can be recognised before the order is known.</summary>
    public const uint SectionHeaderBlock = 0x0a0d0d0a;
    public const uint InterfaceDescriptionBlock = 1;
    public const uint PacketBlock = 2;
    public const uint SimplePacketBlock = 3;
    public const uint EnhancedPacketBlock = 6;

    public const uint ByteOrderMagic = 0x1a2b3c4d;

    public const int TypeOffset = 0;
    public const int TotalLengthOffset = 4;
    public const int BodyOffset = 8;
    public const int TotalLengthBytes = 4;
    public const int BlockBytesMin = 12;

    public const int ByteOrderMagicOffset = 8;
    public const int MajorVersionOffset = 12;
    public const int MinorVersionOffset = 14;
    public const int SectionLengthOffset = 16;
    public const int SectionOptionsOffset = 24;
    public const int SectionHeaderBytesMin = 28;

    public const int LinkTypeOffset = 8;
    public const int SnapLengthOffset = 12;
    public const int InterfaceOptionsOffset = 16;
    public const int InterfaceDescriptionBytesMin = 20;

    public const int PacketInterfaceOffset = 8;
    public const int TimestampHighOffset = 12;
    public const int TimestampLowOffset = 16;
    public const int CapturedLengthOffset = 20;
    public const int OriginalLengthOffset = 24;
    public const int PacketDataOffset = 28;
    public const int PacketBytesMin = 32;

    public const int SimpleOriginalLengthOffset = 8;
    public const int SimpleDataOffset = 12;
    public const int SimplePacketBytesMin = 16;

    public const int OptionHeaderBytes = 4;
    public const int EndOfOptions = 0;
    public const int InterfaceNameOption = 2;
    public const int UserApplicationOption = 4;
    public const int TimestampResolutionOption = 9;
    public const int TimestampOffsetOption = 14;

    /// <summary>if_tsresol without the option: microseconds (4.2).</summary>
    public const byte TimestampResolutionDefault = 6;

    public const int MajorVersion = 1;
    public const int MinorVersion = 0;

    public static int Padded(int count) => (count + 3) & ~3;
}
