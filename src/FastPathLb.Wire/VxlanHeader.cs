using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace FastPathLb.Wire;

/// <summary>VXLAN header (RFC 7348, section 5).</summary>
/// <remarks>
/// <code>
///  0          8                                  24      31
/// +----------+----------------------------------+---------+
/// |RRRR I RRR|  reserved                                  |
/// +----------+----------------------------------+---------+
/// |  VXLAN network identifier                   | reserved|
/// +---------------------------------------------+---------+
/// </code>
/// RFC 7348 has reserved bits ignored; Linux drops a packet with any set, unless the device is told what they mean (GBP, GPE).
/// </remarks>
public readonly ref struct VxlanHeader : IWireHeader<VxlanHeader>
{
    /// <summary>The registered UDP port.</summary>
    public const ushort UdpPort = 4789;

    /// <summary>Offset of the flags.</summary>
    public const int FlagsOffset = 0;

    /// <summary>Offset of the identifier.</summary>
    public const int VniOffset = 4;

    /// <summary>Length of the header.</summary>
    public const int MinimumLengthBytes = 8;

    /// <summary>The flag that says the identifier is valid (I), in <see cref="Flags"/>.</summary>
    public const byte VniFlag = 0x08;

    private const ulong KnownBits = 0x0800_0000_FFFF_FF00;

    private readonly ReadOnlySpan<byte> _bytes;

    private VxlanHeader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>All eight bytes as a big-endian number.</summary>
    public ulong Value { [MethodImpl(AggressiveInlining)] get => BinaryPrimitives.ReadUInt64BigEndian(_bytes); }

    /// <summary>The first byte.</summary>
    public byte Flags { [MethodImpl(AggressiveInlining)] get => _bytes[FlagsOffset]; }

    /// <summary><see cref="Value"/> without the I flag and the identifier: 0 in a packet as RFC 7348 has it sent.</summary>
    public ulong ReservedBits { [MethodImpl(AggressiveInlining)] get => Value & ~KnownBits; }

    /// <summary>The I flag is set.</summary>
    public bool HasVni { [MethodImpl(AggressiveInlining)] get => (Flags & VniFlag) != 0; }

    /// <summary>The identifier, which means something if <see cref="HasVni"/>.</summary>
    public Vni Vni
    {
        [MethodImpl(AggressiveInlining)]
        get => new(BinaryPrimitives.ReadUInt32BigEndian(_bytes[VniOffset..]) >> 8);
    }

    /// <summary>The inner frame.</summary>
    public ReadOnlySpan<byte> Payload { [MethodImpl(AggressiveInlining)] get => _bytes[MinimumLengthBytes..]; }

    static int IWireHeader<VxlanHeader>.MinimumLengthBytes => MinimumLengthBytes;

    /// <summary>Succeeds on 8 bytes or more, whatever the flags.</summary>
    [MethodImpl(AggressiveInlining)]
    public static bool TryParse(ReadOnlySpan<byte> bytes, out VxlanHeader header)
    {
        bool fits = bytes.Length >= MinimumLengthBytes;
        header = fits ? new VxlanHeader(bytes) : default;
        return fits;
    }
}
