using System.Buffers.Binary;

namespace FastPathLb.Io.Captures;

/// <summary>Offsets of the classic pcap format (draft-ietf-opsawg-pcap).</summary>
/// <remarks>
/// <code>
/// file header, 24 bytes                       record header, 16 bytes (modified records: 24)
///  0 magic                                      0 seconds since 1970, unsigned
///  4 major version | 6 minor version            4 microseconds or nanoseconds
///  8 time zone, unused                          8 captured length
/// 12 accuracy, unused                          12 original length
/// 16 snap length                               16 interface, 20 protocol, 22 packet type, 23 padding
/// 20 link type word                            then the captured bytes, without padding
///
/// link type word, from the high bit:
/// 31..28 words of 16 bits of frame check sequence | 27 reserved | 26 "that length is given" | 25..16 reserved, 0 | 15..0 link type
/// </code>
/// The order of the magic's bytes is the order of all others.
/// </remarks>
internal static class PcapLayout
{
    public const uint MagicMicroseconds = 0xa1b2c3d4;
    public const uint MagicNanoseconds = 0xa1b23c4d;
    public const uint MagicModified = 0xa1b2cd34;

    public const int MajorVersionOffset = 4;
    public const int MinorVersionOffset = 6;
    public const int SnapLengthOffset = 16;
    public const int LinkTypeWordOffset = 20;
    public const int FileHeaderBytes = 24;

    public const int SecondsOffset = 0;
    public const int FractionOffset = 4;
    public const int CapturedLengthOffset = 8;
    public const int OriginalLengthOffset = 12;
    public const int RecordHeaderBytes = 16;
    public const int ModifiedRecordHeaderBytes = 24;

    public const int MajorVersion = 2;
    public const int MinorVersion = 4;

    /// <summary>DG/UX tcpdump's version number, the only other one in use.</summary>
    public const int DguxMajorVersion = 543;

    public static bool IsMagic(uint littleEndian, uint magic) =>
        littleEndian == magic || littleEndian == BinaryPrimitives.ReverseEndianness(magic);

    public static LinkType LinkTypeOf(uint word) => Normalize((LinkType)(ushort)word);

    public static uint ReservedBitsOf(uint word) => word & 0x03ff_0000;

    public static int FrameCheckSequenceBytesOf(uint word) => (word & 0x0400_0000) != 0 ? (int)(word >> 28) * 2 : 0;

    /// <summary>LINKTYPE_RAW is 101 since DLT_RAW is 12 on most systems and 14 on OpenBSD; old files have those.</summary>
    public static LinkType Normalize(LinkType linkType) => (ushort)linkType is 12 or 14 ? LinkType.Raw : linkType;
}
