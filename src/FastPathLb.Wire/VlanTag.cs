using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace FastPathLb.Wire;

/// <summary>802.1Q or 802.1ad tag, from behind the type 0x8100 or 0x88A8 that announces it.</summary>
/// <remarks>
/// <code>
///  0   2 3   4                       15 16             31
/// +-----+---+-------------------------+-----------------+
/// | PCP |DEI|      VLAN identifier    |  type           |
/// +-----+---+-------------------------+-----------------+
/// </code>
/// </remarks>
public readonly ref struct VlanTag : IWireHeader<VlanTag>
{
    /// <summary>Offset of the tag control information.</summary>
    public const int ControlOffset = 0;

    /// <summary>Offset of the type.</summary>
    public const int EtherTypeOffset = 2;

    /// <summary>Length of the tag.</summary>
    public const int MinimumLengthBytes = 4;

    private readonly ReadOnlySpan<byte> _bytes;

    private VlanTag(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Tag control information: the first 16 bits as they are.</summary>
    public ushort Control
    {
        [MethodImpl(AggressiveInlining)]
        get => BinaryPrimitives.ReadUInt16BigEndian(_bytes[ControlOffset..]);
    }

    /// <summary>Priority code point, 0 to 7.</summary>
    public int Priority { [MethodImpl(AggressiveInlining)] get => Control >> 13; }

    /// <summary>Drop eligible indicator.</summary>
    public bool DropEligible { [MethodImpl(AggressiveInlining)] get => (Control & 0x1000) != 0; }

    /// <summary>VLAN identifier, 0 (priority tag) to 4095.</summary>
    public int VlanId { [MethodImpl(AggressiveInlining)] get => Control & 0x0FFF; }

    /// <summary>What follows the tag.</summary>
    public EtherType EtherType
    {
        [MethodImpl(AggressiveInlining)]
        get => (EtherType)BinaryPrimitives.ReadUInt16BigEndian(_bytes[EtherTypeOffset..]);
    }

    /// <summary>Everything after the type.</summary>
    public ReadOnlySpan<byte> Payload { [MethodImpl(AggressiveInlining)] get => _bytes[MinimumLengthBytes..]; }

    static int IWireHeader<VlanTag>.MinimumLengthBytes => MinimumLengthBytes;

    /// <summary>Succeeds on 4 bytes or more.</summary>
    [MethodImpl(AggressiveInlining)]
    public static bool TryParse(ReadOnlySpan<byte> bytes, out VlanTag header)
    {
        bool fits = bytes.Length >= MinimumLengthBytes;
        header = fits ? new VlanTag(bytes) : default;
        return fits;
    }
}
