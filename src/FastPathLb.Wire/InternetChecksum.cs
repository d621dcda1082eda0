using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FastPathLb.Wire;

/// <summary>The Internet checksum (RFC 1071): the ones' complement sum of big-endian 16-bit words.</summary>
/// <remarks>
/// A partial sum is 32 bits wide, so that sums of several pieces can be added before <see cref="Fold"/>. Every piece but the
/// last must have an even length, as the words of the whole are meant.
/// The sum of bytes is 0 only if every byte is 0; otherwise a multiple of 0xFFFF shows as 0xFFFF, as in Linux's csum_fold.
/// </remarks>
public static class InternetChecksum
{
    /// <summary>
    /// Adds the words of <paramref name="bytes"/> to a partial sum. An odd last byte is followed by a zero.
    /// </summary>
    /// <returns>A partial sum of below 0x30000: thousands of them can be added without overflow.</returns>
    public static uint Sum(ReadOnlySpan<byte> bytes, uint initial = 0)
    {
        // Summing words in the machine's own order and swapping the folded result once is exact (RFC 1071, section 2 (B)).
        // Words of 32 bits in 64-bit lanes: no carry is lost in any span's length.
        ulong native = 0;
        if (Vector512.IsHardwareAccelerated && bytes.Length >= Vector512<byte>.Count * 2)
        {
            native = SumVector512(ref bytes);
        }
        else if (Vector256.IsHardwareAccelerated && bytes.Length >= Vector256<byte>.Count * 2)
        {
            native = SumVector256(ref bytes);
        }
        else if (Vector128.IsHardwareAccelerated && bytes.Length >= Vector128<byte>.Count * 4)
        {
            native = SumVector128(ref bytes);
        }

        native += SumScalar(bytes);
        ushort folded = FoldWide(native);
        uint sum = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(folded) : folded;
        return (initial & 0xFFFF) + (initial >> 16) + sum;
    }

    /// <summary>
    /// Folds a partial sum to 16 bits with end-around carry. Not complemented: this is what a partial checksum field holds.
    /// </summary>
    public static ushort Fold(uint sum)
    {
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)(sum + (sum >> 16));
    }

    /// <summary>Folds and complements: the value of a checksum field, and 0 over bytes that contain a correct one.</summary>
    public static ushort Finish(uint sum) => (ushort)~Fold(sum);

    /// <summary>The checksum of some bytes: <see cref="Finish"/> of their <see cref="Sum"/>.</summary>
    public static ushort Compute(ReadOnlySpan<byte> bytes) => Finish(Sum(bytes));

    /// <summary>Partial sum of the IPv4 pseudo-header (RFC 768, RFC 9293 section 3.1).</summary>
    /// <param name="source">Source address.</param>
    /// <param name="destination">Destination address.</param>
    /// <param name="protocol">Transport protocol.</param>
    /// <param name="lengthBytes">Length of transport header and payload.</param>
    public static uint PseudoHeaderSum(Ipv4Address source, Ipv4Address destination, IpProtocol protocol, int lengthBytes)
    {
        uint length = (uint)lengthBytes;
        return (source.Value >> 16) + (source.Value & 0xFFFF)
            + (destination.Value >> 16) + (destination.Value & 0xFFFF)
            + (uint)protocol
            + (length >> 16) + (length & 0xFFFF);
    }

    /// <summary>Partial sum of the IPv6 pseudo-header (RFC 8200, section 8.1).</summary>
    /// <param name="source">Source address.</param>
    /// <param name="destination">Final destination address.</param>
    /// <param name="protocol">Transport protocol.</param>
    /// <param name="lengthBytes">Length of transport header and payload.</param>
    public static uint PseudoHeaderSum(Ipv6Address source, Ipv6Address destination, IpProtocol protocol, int lengthBytes)
    {
        uint length = (uint)lengthBytes;
        return SumWords(source.Value) + SumWords(destination.Value)
            + (uint)protocol
            + (length >> 16) + (length & 0xFFFF);
    }

    /// <summary>The checksum of a TCP, UDP or SCTP-like segment over IPv4, its checksum field being zero.</summary>
    public static ushort ComputeTransport(
        Ipv4Address source, Ipv4Address destination, IpProtocol protocol, ReadOnlySpan<byte> segment) =>
        Finish(Sum(segment, PseudoHeaderSum(source, destination, protocol, segment.Length)));

    /// <summary>
    /// Whether a 64-bit sum of 32-bit words is that of bytes with a right checksum in them: a multiple of 0xFFFF, and not 0.
    /// </summary>
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
    public static bool IsRight(ulong sum)
    {
        // An odd number divides another if that, times its inverse modulo 2^64, is not above the largest quotient.
        const ulong Inverse = 0xFFFE_FFFE_FFFE_FFFF;
        return sum * Inverse - 1 < ulong.MaxValue / ushort.MaxValue;
    }

    /// <summary>
    /// The same for a sum that is not 0 and below 2^63, in fewer steps. Such are those of an IPv4 header, whose first word may be one of
    /// 64 bits where it is no fragment: 2^16 is 1 modulo 0xFFFF, so wider words count as their parts do.
    /// </summary>
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
    public static bool IsRightHeader(ulong sum)
    {
        // The quotient is below 2^48 where it is one, and what is none is above the largest quotient.
        const ulong Inverse = 0xFFFE_FFFE_FFFE_FFFF;
        return (sum * Inverse) >> 48 == 0;
    }

    private static uint SumWords(UInt128 value)
    {
        uint sum = 0;
        for (; value != UInt128.Zero; value >>= 16)
        {
            sum += (ushort)value;
        }

        return sum;
    }

    private static ulong SumVector512(ref ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<Vector512<ulong>> blocks = MemoryMarshal.Cast<byte, Vector512<ulong>>(bytes);
        Vector512<ulong> low = Vector512.Create<ulong>(uint.MaxValue);
        Vector512<ulong> sum = Vector512<ulong>.Zero;
        foreach (Vector512<ulong> block in blocks)
        {
            sum += (block & low) + (block >>> 32);
        }

        bytes = bytes[(blocks.Length * Vector512<byte>.Count)..];
        return Vector512.Sum(sum);
    }

    private static ulong SumVector256(ref ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<Vector256<ulong>> blocks = MemoryMarshal.Cast<byte, Vector256<ulong>>(bytes);
        Vector256<ulong> low = Vector256.Create<ulong>(uint.MaxValue);
        Vector256<ulong> sum = Vector256<ulong>.Zero;
        foreach (Vector256<ulong> block in blocks)
        {
            sum += (block & low) + (block >>> 32);
        }

        bytes = bytes[(blocks.Length * Vector256<byte>.Count)..];
        return Vector256.Sum(sum);
    }

    private static ulong SumVector128(ref ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<Vector128<ulong>> blocks = MemoryMarshal.Cast<byte, Vector128<ulong>>(bytes);
        Vector128<ulong> low = Vector128.Create<ulong>(uint.MaxValue);
        Vector128<ulong> sum = Vector128<ulong>.Zero;
        foreach (Vector128<ulong> block in blocks)
        {
            sum += (block & low) + (block >>> 32);
        }

        bytes = bytes[(blocks.Length * Vector128<byte>.Count)..];
        return Vector128.Sum(sum);
    }

    private static ulong SumScalar(ReadOnlySpan<byte> bytes)
    {
        ulong sum = 0;
        while (bytes.Length >= sizeof(ulong))
        {
            ulong word = MemoryMarshal.Read<ulong>(bytes);
            sum += (uint)word + (word >> 32);
            bytes = bytes[sizeof(ulong)..];
        }

        if (bytes.Length >= sizeof(uint))
        {
            sum += MemoryMarshal.Read<uint>(bytes);
            bytes = bytes[sizeof(uint)..];
        }

        if (bytes.Length >= sizeof(ushort))
        {
            sum += MemoryMarshal.Read<ushort>(bytes);
            bytes = bytes[sizeof(ushort)..];
        }

        if (bytes.Length > 0)
        {
            sum += BitConverter.IsLittleEndian ? bytes[0] : (uint)bytes[0] << 8;
        }

        return sum;
    }

    /// <summary>Folds a 64-bit sum of 32-bit words to 16 bits with end-around carry.</summary>
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
    public static ushort FoldWide(ulong sum)
    {
        // Both halves added, with the carry of the lower sum in the upper one: the end-around carry without a compare.
        uint half = (uint)((sum + BitOperations.RotateRight(sum, 32)) >> 32);
        return (ushort)((half + BitOperations.RotateRight(half, 16)) >> 16);
    }
}
