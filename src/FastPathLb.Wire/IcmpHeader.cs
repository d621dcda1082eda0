using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace FastPathLb.Wire;

/// <summary>ICMP header (RFC 792).</summary>
/// <remarks>
/// <code>
///  0        8        16                31
/// +--------+--------+------------------+
/// |  type  |  code  |  checksum        |
/// +--------+--------+------------------+
/// |  rest: identifier and sequence     |
/// |  number, gateway, or unused + MTU  |
/// +------------------------------------+
/// </code>
/// </remarks>
public readonly ref struct IcmpHeader : IWireHeader<IcmpHeader>
{
    /// <summary>Offset of the type.</summary>
    public const int TypeOffset = 0;

    /// <summary>Offset of the code.</summary>
    public const int CodeOffset = 1;

    /// <summary>Offset of the checksum.</summary>
    public const int ChecksumOffset = 2;

    /// <summary>Offset of the last four bytes.</summary>
    public const int RestOfHeaderOffset = 4;

    /// <summary>Length of the header.</summary>
    public const int MinimumLengthBytes = 8;

    private readonly ReadOnlySpan<byte> _bytes;

    private IcmpHeader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Kind of message.</summary>
    public IcmpType Type { [MethodImpl(AggressiveInlining)] get => (IcmpType)_bytes[TypeOffset]; }

    /// <summary>Kind within the type.</summary>
    public byte Code { [MethodImpl(AggressiveInlining)] get => _bytes[CodeOffset]; }

    /// <summary>Checksum as it is: over header and payload, no pseudo-header.</summary>
    public ushort Checksum
    {
        [MethodImpl(AggressiveInlining)]
        get => BinaryPrimitives.ReadUInt16BigEndian(_bytes[ChecksumOffset..]);
    }

    /// <summary>The last four bytes, whose meaning depends on the type.</summary>
    public uint RestOfHeader
    {
        [MethodImpl(AggressiveInlining)]
        get => BinaryPrimitives.ReadUInt32BigEndian(_bytes[RestOfHeaderOffset..]);
    }

    /// <summary>Identifier of an echo.</summary>
    public ushort Identifier { [MethodImpl(AggressiveInlining)] get => (ushort)(RestOfHeader >> 16); }

    /// <summary>Sequence number of an echo.</summary>
    public ushort SequenceNumber { [MethodImpl(AggressiveInlining)] get => (ushort)RestOfHeader; }

    /// <summary>Next-hop MTU of "fragmentation needed", in bytes (RFC 1191); 0 from old routers.</summary>
    public ushort NextHopMtu { [MethodImpl(AggressiveInlining)] get => (ushort)RestOfHeader; }

    /// <summary>An error message, which embeds the datagram that caused it (RFC 1122, section 3.2.2).</summary>
    public bool IsError
    {
        [MethodImpl(AggressiveInlining)]
        get => Type is IcmpType.DestinationUnreachable or IcmpType.SourceQuench or IcmpType.Redirect
            or IcmpType.TimeExceeded or IcmpType.ParameterProblem;
    }

    /// <summary>Everything after the header.</summary>
    public ReadOnlySpan<byte> Payload { [MethodImpl(AggressiveInlining)] get => _bytes[MinimumLengthBytes..]; }

    static int IWireHeader<IcmpHeader>.MinimumLengthBytes => MinimumLengthBytes;

    /// <summary>Succeeds on 8 bytes or more.</summary>
    [MethodImpl(AggressiveInlining)]
    public static bool TryParse(ReadOnlySpan<byte> bytes, out IcmpHeader header)
    {
        bool fits = bytes.Length >= MinimumLengthBytes;
        header = fits ? new IcmpHeader(bytes) : default;
        return fits;
    }

    /// <summary>The embedded datagram of an error: an IPv4 header and usually only the start of its payload.</summary>
    /// <returns><see langword="false"/> if the message is not an error.</returns>
    public bool TryGetEmbedded(out ReadOnlySpan<byte> datagram)
    {
        bool isError = IsError;
        datagram = isError ? Payload : default;
        return isError;
    }

    /// <summary>Computes the checksum of a message anew.</summary>
    /// <param name="message">Header and payload, and nothing else.</param>
    public static void WriteChecksum(Span<byte> message)
    {
        Span<byte> field = message.Slice(ChecksumOffset, sizeof(ushort));
        field.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(field, InternetChecksum.Compute(message));
    }
}
