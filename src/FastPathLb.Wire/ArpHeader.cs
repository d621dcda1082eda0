using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace FastPathLb.Wire;

/// <summary>ARP packet for IPv4 over Ethernet (RFC 826).</summary>
/// <remarks>
/// <code>
/// byte 0          2          4    5    6          8
/// +----------+----------+----+----+----------+
/// | hw type 1| 0x0800   | 6  | 4  | operation|
/// +----------+----------+----+----+----------+
/// 8              14           18             24           28
/// +--------------+------------+--------------+------------+
/// | sender MAC   | sender IP  | target MAC   | target IP  |
/// +--------------+------------+--------------+------------+
/// </code>
/// </remarks>
public readonly ref struct ArpHeader : IWireHeader<ArpHeader>
{
    /// <summary>Offset of the operation.</summary>
    public const int OperationOffset = 6;

    /// <summary>Offset of the sender's MAC address.</summary>
    public const int SenderMacOffset = 8;

    /// <summary>Offset of the sender's IPv4 address.</summary>
    public const int SenderAddressOffset = 14;

    /// <summary>Offset of the target's MAC address.</summary>
    public const int TargetMacOffset = 18;

    /// <summary>Offset of the target's IPv4 address.</summary>
    public const int TargetAddressOffset = 24;

    /// <summary>Length of the packet.</summary>
    public const int MinimumLengthBytes = 28;

    // Hardware type, protocol type and both address lengths, as one number.
    internal const ulong EthernetIpv4 = 0x0001_0800_0604;

    private readonly ReadOnlySpan<byte> _bytes;

    private ArpHeader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Request, reply or another number.</summary>
    public ArpOperation Operation
    {
        [MethodImpl(AggressiveInlining)]
        get => (ArpOperation)BinaryPrimitives.ReadUInt16BigEndian(_bytes[OperationOffset..]);
    }

    /// <summary>MAC address of who speaks.</summary>
    public MacAddress SenderMac { [MethodImpl(AggressiveInlining)] get => MacAddress.Read(_bytes[SenderMacOffset..]); }

    /// <summary>IPv4 address of who speaks; zero in a probe (RFC 5227).</summary>
    public Ipv4Address SenderAddress { [MethodImpl(AggressiveInlining)] get => Ipv4Address.Read(_bytes[SenderAddressOffset..]); }

    /// <summary>MAC address of who is spoken to; meaningless in a request.</summary>
    public MacAddress TargetMac { [MethodImpl(AggressiveInlining)] get => MacAddress.Read(_bytes[TargetMacOffset..]); }

    /// <summary>IPv4 address of who is spoken to, or asked for.</summary>
    public Ipv4Address TargetAddress { [MethodImpl(AggressiveInlining)] get => Ipv4Address.Read(_bytes[TargetAddressOffset..]); }

    /// <summary>Empty: what follows an ARP packet is padding.</summary>
    public ReadOnlySpan<byte> Payload { [MethodImpl(AggressiveInlining)] get => default; }

    static int IWireHeader<ArpHeader>.MinimumLengthBytes => MinimumLengthBytes;

    /// <summary>Succeeds on 28 bytes or more that say Ethernet and IPv4.</summary>
    [MethodImpl(AggressiveInlining)]
    public static bool TryParse(ReadOnlySpan<byte> bytes, out ArpHeader header)
    {
        bool fits = bytes.Length >= MinimumLengthBytes && BinaryPrimitives.ReadUInt64BigEndian(bytes) >> 16 == EthernetIpv4;
        header = fits ? new ArpHeader(bytes) : default;
        return fits;
    }
}
