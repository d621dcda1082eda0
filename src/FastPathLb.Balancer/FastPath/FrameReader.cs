using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.FastPath;

/// <summary>
/// Recognises frames of the shape that nearly all have, and that the general path would let through to conntrack unchanged: whole,
/// with right IPv4 checksums, without options or fragments, to the load balancer. Whatever is else is <see cref="FrameKind.Other"/>.
/// </summary>
/// <remarks>
/// All that must be as it always is in front of the packet, envelope and both Ethernet headers, is compared as one vector. Reads words
/// as they lie on the wire, so constants are swapped instead of frames. Sound although no index is checked: the frame's length is
/// compared first, the arena has <see cref="FrameBatch.HeadroomBytes"/> before and <see cref="FrameBatch.TailroomBytes"/> behind each
/// frame, and its descriptors are made by the batch alone. Little-endian machines only.
/// </remarks>
internal sealed class FrameReader
{
    private const int MacBytes = 6;
    private const int EthernetBytes = 14;
    private const int Ipv4Bytes = 20;
    private const int UdpBytes = 8;
    private const int TcpBytes = 20;
    private const byte EcnMask = 3;
    private const uint FlagsThatMatter = (uint)(TcpFlags.Fin | TcpFlags.Syn | TcpFlags.Rst | TcpFlags.Ack);

    // The first word of a packet without options that is no fragment.
    private const ulong WholeMask = 0xFF3F_0000_0000_00FF;
    private const ulong Whole = 0x45;

    private readonly LookAhead _ahead;
    private readonly OpeningForecast _openings;
    private readonly ulong _space;
    private readonly bool _isTunnelled;

    // What stands in the bytes before the packet, as far back as an envelope reaches, and which of them must be just so.
    private readonly Vector512<byte> _front;
    private readonly Vector512<byte> _frontMask;

    // Kept for nobody: else the compiler might leave the loads out.
    private ulong _touched;

    /// <summary>Makes a reader for an interface, at the underlay where its network is given.</summary>
    public FrameReader(
        NetworkNamespace space, NetworkInterface device, Uplink? uplink, OverlayNetwork? network, OpeningForecast openings)
    {
        _ahead = space.Connections.LookAhead;
        _openings = openings;
        _space = (ulong)space.Number << 48;
        _isTunnelled = uplink is not null && network is not null;
        Span<byte> front = stackalloc byte[LinkHeader.SizeBytes];
        Span<byte> mask = stackalloc byte[LinkHeader.SizeBytes];
        front.Clear();
        mask.Clear();
        Expect(front, mask, Uplink.EnvelopeBytes, device.Mac);
        if (_isTunnelled)
        {
            const int Udp = EthernetBytes + Ipv4Bytes;
            Expect(front, mask, 0, uplink!.Mac);
            front[EthernetBytes] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(mask[(EthernetBytes + Ipv4.FragmentOffset)..], Ipv4.MoreFragments | Ipv4.FragmentOffsetMask);
            front[EthernetBytes + Ipv4.ProtocolOffset] = (byte)IpProtocol.Udp;
            BinaryPrimitives.WriteUInt32BigEndian(front[(EthernetBytes + Ipv4.DestinationOffset)..], uplink.Address);
            BinaryPrimitives.WriteUInt16BigEndian(front[(Udp + 2)..], uplink.Port);

            // Flags with the VNI bit alone, and no reserved bit set.
            BinaryPrimitives.WriteUInt64BigEndian(front[(Udp + UdpBytes)..], (0x08UL << 56) | ((ulong)network!.Vni << 8));
            mask[EthernetBytes] = byte.MaxValue;
            mask[EthernetBytes + Ipv4.ProtocolOffset] = byte.MaxValue;
            mask.Slice(EthernetBytes + Ipv4.DestinationOffset, sizeof(uint)).Fill(byte.MaxValue);
            mask.Slice(Udp + 2, sizeof(ushort)).Fill(byte.MaxValue);
            mask.Slice(Udp + UdpBytes, sizeof(ulong)).Fill(byte.MaxValue);
        }

        _front = Vector512.Create<byte>(front);
        _frontMask = Vector512.Create<byte>(mask);
    }

    /// <summary>Reads some frames of a batch and asks for the index lines that know their connections.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Recognize(FrameBatch batch, int first, Span<FrameShape> shapes)
    {
        if (_isTunnelled)
        {
            Recognize(batch, first, shapes, isTunnelled: true);
        }
        else
        {
            Recognize(batch, first, shapes, isTunnelled: false);
        }
    }

    /// <summary>Asks for the connections of frames whose index lines have come.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Find(Span<FrameShape> shapes)
    {
        LookAhead ahead = _ahead;
        ref FrameShape shape = ref MemoryMarshal.GetReference(shapes);
        ref FrameShape end = ref Unsafe.Add(ref shape, shapes.Length);
        for (; Unsafe.IsAddressLessThan(ref shape, ref end); shape = ref Unsafe.Add(ref shape, 1))
        {
            // A frame that has no flow has the line and hash of another one.
            IndexEntry entry = ahead.PrefetchConnection(shape.Line, shape.Hash);
            shape.Entry = entry;
            if (entry.IsNone && shape.Kind != FrameKind.Other)
            {
                _openings.Prefetch(shape);
            }
        }
    }

    /// <summary>Waits for the index lines of some frames.</summary>
    /// <remarks>
    /// Where many lines are missing, processors drop prefetches, and whoever comes for the line waits for all of memory's latency. A load
    /// is never dropped; as long as nobody looks at its value, those after it start meanwhile: the shorter the loop, the more at a time.
    /// </remarks>
    public void AwaitIndex(ReadOnlySpan<FrameShape> shapes)
    {
        LookAhead ahead = _ahead;
        ulong touched = 0;
        foreach (ref readonly FrameShape shape in shapes)
        {
            touched += ahead.TouchIndex(shape.Line);
        }

        _touched = touched;
    }

    /// <summary>Waits for the connections of some frames.</summary>
    public void AwaitConnections(ReadOnlySpan<FrameShape> shapes)
    {
        LookAhead ahead = _ahead;
        ulong touched = 0;
        foreach (ref readonly FrameShape shape in shapes)
        {
            // Record 0 is as good as any where there is none: one line, again and again.
            touched += ahead.Touch(Math.Max(0, shape.Entry.Number));
        }

        _touched += touched;
    }

    private static void Expect(Span<byte> front, Span<byte> mask, int ethernet, MacAddress mac)
    {
        mac.WriteTo(front[ethernet..]);
        BinaryPrimitives.WriteUInt16BigEndian(front[(ethernet + 12)..], (ushort)EtherType.Ipv4);
        mask.Slice(ethernet, MacBytes).Fill(byte.MaxValue);
        mask.Slice(ethernet + 12, sizeof(ushort)).Fill(byte.MaxValue);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T At<T>(ref byte start, int offset)
        where T : unmanaged => Unsafe.ReadUnaligned<T>(ref Unsafe.Add(ref start, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint SwappedAt(ref byte start, int offset) => BinaryPrimitives.ReverseEndianness(At<ushort>(ref start, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Recognize(FrameBatch batch, int first, Span<FrameShape> shapes, bool isTunnelled)
    {
        LookAhead ahead = _ahead;
        ref byte arena = ref MemoryMarshal.GetReference(batch.Arena);
        ref FrameDescriptor frame = ref MemoryMarshal.GetReference(batch.Frames.Slice(first, shapes.Length));
        ref FrameShape shape = ref MemoryMarshal.GetReference(shapes);
        ref FrameShape end = ref Unsafe.Add(ref shape, shapes.Length);
        while (Unsafe.IsAddressLessThan(ref shape, ref end))
        {
            FrameKind kind = Recognize(ref arena, frame, ref shape, isTunnelled);
            shape.Kind = kind;
            if (kind != FrameKind.Other)
            {
                ulong hash = ahead.Hash(shape.Addresses, shape.Rest);
                shape.Hash = hash;
                shape.Line = ahead.PrefetchIndex(hash);
            }

            frame = ref Unsafe.Add(ref frame, 1);
            shape = ref Unsafe.Add(ref shape, 1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private FrameKind Recognize(ref byte arena, in FrameDescriptor frame, ref FrameShape shape, bool isTunnelled)
    {
        int headers = isTunnelled ? LinkHeader.SizeBytes : LinkHeader.EthernetBytes;
        int available = frame.LengthBytes - headers;
        int start = frame.Offset + headers;
        ref byte packet = ref Unsafe.Add(ref arena, start);
        Vector512<byte> front = Vector512.LoadUnsafe(ref Unsafe.Add(ref packet, -LinkHeader.SizeBytes));
        if (frame.WireLengthBytes != frame.LengthBytes || available < Ipv4Bytes + UdpBytes
            || ((front ^ _front) & _frontMask) != Vector512<byte>.Zero || (isTunnelled && !IsEnvelopeWhole(ref packet, available, ref shape)))
        {
            return FrameKind.Other;
        }

        ulong begin = At<ulong>(ref packet, 0);
        ulong addressSum = (ulong)At<uint>(ref packet, 12) + At<uint>(ref packet, 16);
        uint total = SwappedAt(ref packet, 2);
        uint transportBytes = total - Ipv4Bytes;
        if (((begin ^ Whole) & WholeMask) != 0 || Unsafe.Add(ref packet, 8) <= 1 || total > (uint)available
            || !InternetChecksum.IsRightHeader(begin + At<uint>(ref packet, 8) + addressSum))
        {
            return FrameKind.Other;
        }

        FrameKind kind = FrameKind.Flow;
        uint protocol = Unsafe.Add(ref packet, 9);
        ulong rest = _space;
        ulong pseudoHeader = addressSum + At<ushort>(ref packet, 2);
        if (protocol == (byte)IpProtocol.Tcp)
        {
            // By one difference: no shorter than a header, and no longer than the segment, which is no shorter either.
            uint tail = At<ushort>(ref packet, 32);
            uint options = ((tail & 0xF0) >> 2) - TcpBytes;
            if (total < Ipv4Bytes + TcpBytes)
            {
                return FrameKind.Other;
            }

            if (options <= transportBytes - TcpBytes)
            {
                uint flags = tail & (FlagsThatMatter << 8);
                kind = flags == (uint)TcpFlags.Ack << 8 ? FrameKind.Segment
                    : flags == (uint)TcpFlags.Syn << 8 ? FrameKind.Opening : FrameKind.Flow;
            }

            pseudoHeader += PseudoHeaderOf(IpProtocol.Tcp) + (At<ushort>(ref packet, 36) ^ (uint)ushort.MaxValue);
            rest |= (ulong)IpProtocol.Tcp << 32;
        }
        else if (protocol == (byte)IpProtocol.Udp)
        {
            uint length = SwappedAt(ref packet, 24);
            uint checksum = At<ushort>(ref packet, 26);
            if (total < Ipv4Bytes + UdpBytes)
            {
                return FrameKind.Other;
            }

            if (checksum != 0 && length >= UdpBytes && length <= transportBytes)
            {
                kind = FrameKind.Datagram;
            }

            pseudoHeader += PseudoHeaderOf(IpProtocol.Udp) + (checksum ^ ushort.MaxValue);
            rest |= (ulong)IpProtocol.Udp << 32;
        }
        else
        {
            return FrameKind.Other;
        }

        if (InternetChecksum.IsRightHeader(pseudoHeader))
        {
            // Looks like a sum that the sender's offload left unfinished.
            kind = FrameKind.Flow;
        }

        shape.Addresses = BitOperations.RotateLeft(BinaryPrimitives.ReverseEndianness(At<ulong>(ref packet, 12)), 32);
        shape.Rest = BitOperations.RotateLeft(BinaryPrimitives.ReverseEndianness(At<uint>(ref packet, 20)), 16) | rest;
        shape.Start = start;
        shape.LengthBytes = (ushort)total;
        return kind;
    }

    /// <summary>
    /// What a pseudo header's sum has beside addresses and total length, in wire order modulo 0xFFFF: the protocol, and less the header
    /// that the total length counts.
    /// </summary>
    private static uint PseudoHeaderOf(IpProtocol protocol) => ((uint)protocol << 8) + ushort.MaxValue - (Ipv4Bytes << 8);

    /// <summary>Looks at what differs from envelope to envelope.</summary>
    /// <returns><see langword="false"/> where the general path must look.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsEnvelopeWhole(ref byte packet, int available, ref FrameShape shape)
    {
        ref byte outer = ref Unsafe.Add(ref packet, EthernetBytes - LinkHeader.SizeBytes);
        uint total = (uint)(available + LinkHeader.SizeBytes - EthernetBytes);

        // Congestion marked on the way, or another mark than the packet's own: the general path merges it.
        if (SwappedAt(ref outer, 2) != total || SwappedAt(ref outer, Ipv4Bytes + 4) != total - Ipv4Bytes
            || !InternetChecksum.IsRightHeader(
                At<ulong>(ref outer, 0) + At<uint>(ref outer, 8) + At<uint>(ref outer, 12) + At<uint>(ref outer, 16))
            || ((Unsafe.Add(ref outer, 1) & EcnMask) != 0 && ((Unsafe.Add(ref outer, 1) ^ Unsafe.Add(ref packet, 1)) & EcnMask) != 0))
        {
            return false;
        }

        shape.IsSummed = false;
        return At<ushort>(ref outer, Ipv4Bytes + 6) == 0 || IsOuterSumRight(ref outer, (int)total, out shape.IsSummed);
    }

    /// <summary>Whether the outer UDP checksum is right, or still to be finished.</summary>
    /// <param name="outer">The outer IPv4 header.</param>
    /// <param name="lengthBytes">Bytes from there to the frame's end.</param>
    /// <param name="isSummed">Whether it is right over the inner packet and nothing behind that.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsOuterSumRight(ref byte outer, int lengthBytes, out bool isSummed)
    {
        const int Headers = LinkHeader.SizeBytes - EthernetBytes;
        ReadOnlySpan<byte> packet = MemoryMarshal.CreateReadOnlySpan(ref outer, lengthBytes);
        bool isRight = Uplink.IsSumRight(packet, packet[Ipv4Bytes..], out bool isFinished);
        isSummed = isFinished && SwappedAt(ref outer, Headers + Ipv4.TotalLengthOffset) == (uint)(lengthBytes - Headers);
        return isRight;
    }
}
