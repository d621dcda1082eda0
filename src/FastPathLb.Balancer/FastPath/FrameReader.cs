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
    private const byte FlagsThatMatter = (byte)(TcpFlags.Fin | TcpFlags.Syn | TcpFlags.Rst | TcpFlags.Ack);

    // The first word of a packet without options that is no fragment.
    private const ulong WholeMask = 0xFF3F_0000_0000_00FF;
    private const ulong Whole = 0x45;

    private readonly ConnectionTable _table;
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
        _table = space.Connections;
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

        FetchIndex(shapes);
    }

    /// <summary>Asks for the connections of frames whose index lines have come.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Find(Span<FrameShape> shapes)
    {
        LookAhead ahead = _table.LookAhead;
        ref FrameShape start = ref MemoryMarshal.GetReference(shapes);
        ref FrameShape end = ref Unsafe.Add(ref start, shapes.Length);
        for (ref FrameShape shape = ref start; Unsafe.IsAddressLessThan(ref shape, ref end); shape = ref Unsafe.Add(ref shape, 1))
        {
            FetchConnection(ahead, ref shape);
        }
    }

    /// <summary>Waits for the index lines of some frames.</summary>
    /// <remarks>
    /// Where many lines are missing, processors drop prefetches, and whoever comes for the line waits for all of memory's latency. A load
    /// is never dropped; as long as nobody looks at its value, those after it start meanwhile: the shorter the loop, the more at a time.
    /// </remarks>
    public void AwaitIndex(ReadOnlySpan<FrameShape> shapes)
    {
        LookAhead ahead = _table.LookAhead;
        ulong touched = 0;
        foreach (ref readonly FrameShape shape in shapes)
        {
            touched += ahead.TouchIndex(shape.Hash);
        }

        _touched = touched;
    }

    /// <summary>Waits for the connections of some frames.</summary>
    public void AwaitConnections(ReadOnlySpan<FrameShape> shapes)
    {
        LookAhead ahead = _table.LookAhead;
        ulong touched = 0;
        foreach (ref readonly FrameShape shape in shapes)
        {
            // Record 0 is as good as any where there is none: one line, again and again.
            touched += ahead.Touch(Math.Max(0, shape.Connection));
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

    /// <summary>Sum of an IPv4 header's words of 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SumHeader(ref byte header) =>
        (ulong)At<uint>(ref header, 0) + At<uint>(ref header, 4) + At<uint>(ref header, 8) + At<uint>(ref header, 12) + At<uint>(ref header, 16);

    private void FetchIndex(Span<FrameShape> shapes)
    {
        LookAhead ahead = _table.LookAhead;
        ref FrameShape start = ref MemoryMarshal.GetReference(shapes);
        ref FrameShape end = ref Unsafe.Add(ref start, shapes.Length);
        for (ref FrameShape shape = ref start; Unsafe.IsAddressLessThan(ref shape, ref end); shape = ref Unsafe.Add(ref shape, 1))
        {
            // Also where there is no flow: some line's worth of nothing is less than to ask.
            ulong hash = ahead.Hash(shape.Addresses, shape.Rest);
            shape.Hash = hash;
            ahead.PrefetchIndex(hash);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void FetchConnection(in LookAhead ahead, ref FrameShape shape)
    {
        int number = -1;
        if (shape.Kind != FrameKind.Other)
        {
            number = ahead.PrefetchConnection(shape.Hash, out shape.Direction);
            if (number < 0)
            {
                _openings.Prefetch(shape);
            }
        }

        shape.Connection = number;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Recognize(FrameBatch batch, int first, Span<FrameShape> shapes, bool isTunnelled)
    {
        ref byte arena = ref MemoryMarshal.GetReference(batch.Arena);
        ref FrameDescriptor frame = ref MemoryMarshal.GetReference(batch.Frames.Slice(first, shapes.Length));
        ref FrameShape shape = ref MemoryMarshal.GetReference(shapes);
        ref FrameShape end = ref Unsafe.Add(ref shape, shapes.Length);
        while (Unsafe.IsAddressLessThan(ref shape, ref end))
        {
            shape.Kind = Recognize(ref arena, frame, ref shape, isTunnelled);
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

        uint total = SwappedAt(ref packet, 2);
        uint transportBytes = total - Ipv4Bytes;
        if (((At<ulong>(ref packet, 0) ^ Whole) & WholeMask) != 0 || Unsafe.Add(ref packet, 8) <= 1
            || total > (uint)available || total < Ipv4Bytes + UdpBytes || !InternetChecksum.IsRight(SumHeader(ref packet)))
        {
            return FrameKind.Other;
        }

        FrameKind kind = FrameKind.Flow;
        uint protocol = Unsafe.Add(ref packet, 9);
        uint checksum;
        if (protocol == (byte)IpProtocol.Tcp)
        {
            if (transportBytes < TcpBytes)
            {
                return FrameKind.Other;
            }

            uint tail = At<ushort>(ref packet, 32);
            uint header = (tail & 0xF0) >> 2;
            uint flags = (tail >> 8) & FlagsThatMatter;
            checksum = At<ushort>(ref packet, 36);
            if (header >= TcpBytes && header <= transportBytes && flags is (byte)TcpFlags.Ack or (byte)TcpFlags.Syn)
            {
                kind = flags == (byte)TcpFlags.Ack ? FrameKind.Segment : FrameKind.Opening;
            }
        }
        else if (protocol == (byte)IpProtocol.Udp)
        {
            uint length = SwappedAt(ref packet, 24);
            checksum = At<ushort>(ref packet, 26);
            if (checksum != 0 && length >= UdpBytes && length <= transportBytes)
            {
                kind = FrameKind.Datagram;
            }
        }
        else
        {
            return FrameKind.Other;
        }

        ulong pseudoHeader = (ulong)At<uint>(ref packet, 12) + At<uint>(ref packet, 16) + (protocol << 8)
            + BinaryPrimitives.ReverseEndianness((ushort)transportBytes);
        if (InternetChecksum.IsRight(pseudoHeader + (checksum ^ ushort.MaxValue)))
        {
            // Looks like a sum that the sender's offload left unfinished.
            kind = FrameKind.Flow;
        }

        shape.Addresses = BitOperations.RotateLeft(BinaryPrimitives.ReverseEndianness(At<ulong>(ref packet, 12)), 32);
        shape.Rest = BitOperations.RotateLeft(BinaryPrimitives.ReverseEndianness(At<uint>(ref packet, 20)), 16)
            | ((ulong)protocol << 32) | _space;
        shape.Start = start;
        shape.LengthBytes = (ushort)total;
        shape.Ecn = (byte)(Unsafe.Add(ref packet, 1) & 3);
        return kind;
    }

    /// <summary>Looks at what differs from envelope to envelope.</summary>
    /// <returns><see langword="false"/> where the general path must look.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsEnvelopeWhole(ref byte packet, int available, ref FrameShape shape)
    {
        ref byte outer = ref Unsafe.Add(ref packet, EthernetBytes - LinkHeader.SizeBytes);
        uint total = (uint)(available + LinkHeader.SizeBytes - EthernetBytes);
        uint ecn = Unsafe.Add(ref outer, 1) & 3u;

        // Congestion marked on the way, or another mark than the packet's own: the general path merges it.
        if (SwappedAt(ref outer, 2) != total || SwappedAt(ref outer, Ipv4Bytes + 4) != total - Ipv4Bytes
            || !InternetChecksum.IsRight(SumHeader(ref outer)) || (ecn != 0 && ecn != (Unsafe.Add(ref packet, 1) & 3u))
            || ((shape.IsSummed = At<ushort>(ref outer, Ipv4Bytes + 6) != 0)
                && !IsOuterSumRight(ref outer, (int)total, out shape.IsSummed)))
        {
            return false;
        }

        shape.Vtep = At<uint>(ref outer, Ipv4.SourceOffset);
        return true;
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
