using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.FastPath;

/// <summary>
/// The headers in front of an IPv4 packet towards a next hop, ready to be written but for what differs from packet to packet.
/// </summary>
/// <remarks>
/// <code>
///  0 outer Ethernet | 14 IPv4 | 34 UDP | 42 VXLAN | 50 Ethernet | 64
///    left at zero:    15 type of service, 16 length, 18 identification, 24 checksum, 34 source port, 38 length, 40 checksum
/// </code>
/// Eight words, so that a header is eight stores: narrow ones would stall whoever reads the frame as words soon after.
/// Without a tunnel the last fourteen bytes alone count. Little-endian machines only.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = 128)]
internal struct LinkHeader
{
    /// <summary>Bytes in front of the IPv4 packet, envelope included.</summary>
    public const int SizeBytes = 64;

    /// <summary>Bytes of the Ethernet header, the last of them.</summary>
    public const int EthernetBytes = 14;

    /// <summary>How far before the IPv4 packet the address is of the node that sent it through the tunnel.</summary>
    public const int VtepBytesBefore = 38;

    // The outer addresses and all behind them: what the outer UDP checksum is over, beside protocol, length and packet.
    private const int CheckedBytes = 38;
    private const int InnerEthernetBytes = 14;
    private const int VxlanOverUdpBytes = 16;

    private ulong _word0;
    private ulong _word1;
    private ulong _word2;
    private ulong _word3;
    private ulong _word4;
    private ulong _word5;
    private ulong _word6;
    private ulong _word7;
    private uint _sum;

    // The outer UDP checksum's share of these headers, its complement, in wire order.
    private uint _udpSumComplement;

    /// <summary>The next hop's node as it lies on the wire; 0 without a tunnel.</summary>
    public uint Vtep;

    // The last word in front of an IPv4 packet that the next hop sends: its hardware address and the Ethernet type. 0 where frames
    // from it may teach something.
    private ulong _source;

    /// <summary>Takes the headers of a frame that was sent.</summary>
    /// <param name="headers">The <see cref="SizeBytes"/> bytes before the IPv4 packet.</param>
    /// <param name="isTunnelled">Whether an envelope is among them.</param>
    public void Take(ReadOnlySpan<byte> headers, bool isTunnelled)
    {
        this = default;
        Span<byte> own = MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref _word0, SizeBytes / sizeof(ulong)));
        int start = isTunnelled ? 0 : 50;
        headers[start..].CopyTo(own[start..]);
        if (isTunnelled)
        {
            own[15] = 0;
            own.Slice(16, 4).Clear();
            own.Slice(24, 2).Clear();
            own.Slice(34, 2).Clear();
            own.Slice(38, 4).Clear();
            _sum = InternetChecksum.Fold(InternetChecksum.Sum(own.Slice(14, 20)));
            _udpSumComplement = (ushort)~InternetChecksum.FoldWide(SumChecked(ref own[SizeBytes - CheckedBytes]));
            Vtep = MemoryMarshal.Read<uint>(own[30..]);
        }
    }

    /// <summary>Notes that a frame from the next hop's MAC and node is let in and teaches nothing.</summary>
    public void NoteKnownSource()
    {
        const ulong Ipv4Type = 0x0008;
        ReadOnlySpan<byte> own = MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(ref _word0, SizeBytes / sizeof(ulong)));
        _source = MemoryMarshal.Read<uint>(own[50..]) | ((ulong)MemoryMarshal.Read<ushort>(own[54..]) << 32) | (Ipv4Type << 48);
    }

    /// <summary>Whether a frame with an IPv4 packet comes from the next hop, and such frames are let in and teach nothing.</summary>
    /// <param name="packet">The IPv4 packet, behind the headers it came with.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool IsSourceOf(ref byte packet) =>
        Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref packet, -8)) == _source
        && Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref packet, -VtepBytesBefore)) == Vtep;

    /// <summary>Writes the Ethernet header.</summary>
    /// <param name="packet">The IPv4 packet; the header goes in front of it.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void WriteEthernet(ref byte packet)
    {
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref packet, -14), (uint)(_word6 >> 16));
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref packet, -10), (ushort)(_word6 >> 48));
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref packet, -8), _word7);
    }

    /// <summary>Sum of the outer IPv4 header's words without what differs from packet to packet, as numbers.</summary>
    public readonly uint HeaderSum => _sum;

    /// <summary>Writes envelope and Ethernet header.</summary>
    /// <param name="packet">The IPv4 packet; the headers go in front of it.</param>
    /// <param name="own">What is this packet's own in the 32 bytes from the outer IPv4 header on, zero elsewhere.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void WriteTunnel(ref byte packet, Vector256<byte> own)
    {
        const int Ipv4 = 14;
        ref byte start = ref Unsafe.Add(ref packet, -SizeBytes);
        ref byte ready = ref Unsafe.As<ulong, byte>(ref Unsafe.AsRef(in _word0));
        Vector256<byte> envelope = Vector256.LoadUnsafe(ref ready, Ipv4) | own;

        // The ends first, and what they leave out in the middle: whoever reads the frame soon finds wide words.
        Vector128.LoadUnsafe(ref ready).StoreUnsafe(ref start);
        Vector256.LoadUnsafe(ref ready, SizeBytes / 2).StoreUnsafe(ref start, SizeBytes / 2);
        envelope.StoreUnsafe(ref start, Ipv4);
    }

    /// <summary>
    /// The outer UDP checksum with these headers, from that of the headers which are still in front of the packet: it was right, so
    /// the packet's own sum is what it leaves. The packet is not read again.
    /// </summary>
    /// <remarks>
    /// RFC 1624. An IPv4 header with a right checksum adds nothing, before and after; ports, and the transport checksum that follows
    /// them and the addresses, add the addresses' change, negative.
    /// </remarks>
    /// <param name="packet">The rewritten packet, behind the headers it came with.</param>
    /// <param name="packetBytes">Its length.</param>
    /// <param name="sourcePort">Outer source port.</param>
    /// <param name="change">What rewriting added to the sum of its addresses' words in wire order, modulo 0xFFFF.</param>
    /// <returns>The checksum as it lies on the wire, never 0.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly uint ChecksumAfter(ref byte packet, int packetBytes, ushort sourcePort, ulong change)
    {
        ref byte came = ref Unsafe.Add(ref packet, -CheckedBytes);
        uint lengthBefore = Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref came, 12));
        uint length = BinaryPrimitives.ReverseEndianness((ushort)(packetBytes + InnerEthernetBytes + VxlanOverUdpBytes));

        // The length counts twice, in the header and in the pseudo header.
        return InternetChecksum.FoldWide(
            SumChecked(ref came) + lengthBefore + change + _udpSumComplement + (2 * (length ^ 0xFFFF))
            + (BinaryPrimitives.ReverseEndianness(sourcePort) ^ 0xFFFFU));
    }

    /// <summary>Sum of the words of 32 bits from the outer addresses on, as they lie on the wire.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SumChecked(ref byte start)
    {
        ulong word0 = Unsafe.ReadUnaligned<ulong>(ref start);
        ulong word1 = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, 8));
        ulong word2 = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, 16));
        ulong word3 = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, 24));
        ulong rest = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, 32)) + (ulong)Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref start, 36));
        return (uint)word0 + (word0 >> 32) + (uint)word1 + (word1 >> 32) + (uint)word2 + (word2 >> 32) + (uint)word3 + (word3 >> 32) + rest;
    }
}
