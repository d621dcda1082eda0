using System.Buffers.Binary;
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
/// Eight at a time, side by side. All that must be as it always is in front of the packet, envelope and both Ethernet headers, is compared
/// as two vectors. Reads words as they lie on the wire, so constants are swapped instead of frames. Sound although no index is checked, and
/// though headers are loaded before anybody looks at the frame's length: descriptors are made by the batch alone, the arena has
/// <see cref="FrameBatch.HeadroomBytes"/> before each frame, and its output area, of more than the headers' bytes, behind the last.
/// Little-endian machines only.
/// </remarks>
internal sealed class FrameReader
{
    private const int MacBytes = 6;
    private const int EthernetBytes = 14;
    private const int Ipv4Bytes = 20;
    private const int UdpBytes = 8;
    private const int TcpBytes = 20;
    private const byte EcnMask = 3;

    // Where the second of the two vectors begins that the headers in front of a packet are.
    private const int NearStart = LinkHeader.SizeBytes / 2;
    private const uint FlagsThatMatter = (uint)(TcpFlags.Fin | TcpFlags.Syn | TcpFlags.Rst | TcpFlags.Ack);

    private readonly LookAhead _ahead;
    private readonly OpeningForecast _openings;
    private readonly uint _space;
    private readonly bool _isTunnelled;

    // What stands in the bytes before the packet, as far back as an envelope reaches, and which of them must be just so.
    private readonly Vector256<byte> _farFront;
    private readonly Vector256<byte> _farMask;
    private readonly Vector256<byte> _nearFront;
    private readonly Vector256<byte> _nearMask;

    // Kept for nobody: else the compiler might leave the loads out.
    private ulong _touched;

    /// <summary>Makes a reader for an interface, at the underlay where its network is given.</summary>
    public FrameReader(
        NetworkNamespace space, NetworkInterface device, Uplink? uplink, OverlayNetwork? network, OpeningForecast openings)
    {
        _ahead = space.Connections.LookAhead;
        _openings = openings;
        _space = (uint)space.Number << 16;
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

        _farFront = Vector256.Create<byte>(front[..NearStart]);
        _farMask = Vector256.Create<byte>(mask[..NearStart]);
        _nearFront = Vector256.Create<byte>(front[NearStart..]);
        _nearMask = Vector256.Create<byte>(mask[NearStart..]);
    }

    /// <summary>Reads some frames of a batch and asks for the index lines that know their connections.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="first">The first frame, a multiple of eight.</param>
    /// <param name="count">How many.</param>
    /// <param name="shapes">What all frames of the batch look like; room for as many as a batch can have.</param>
    /// <param name="lanes">The groups of eight frames.</param>
    public void Recognize(FrameBatch batch, int first, int count, FrameShape[] shapes, FrameLanes[] lanes)
    {
        for (int index = first; index < first + count; index += WordLanes.Count)
        {
            ref FrameLanes group = ref lanes[FrameLanes.GroupOf(index)];
            Recognize(batch, index, ref shapes[index], ref group);
            AskForIndex(ref shapes[index], ref group, Math.Min(first + count - index, WordLanes.Count));
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

    /// <summary>
    /// Recognises eight frames. Where there are fewer, descriptors of frames that a batch had before stand in the others' places: they lie in
    /// the arena, too, and nobody looks at what comes out.
    /// </summary>
    /// <remarks>
    /// In methods of their own, so that each has its values in registers: what is stored and loaded again is waited for.
    /// </remarks>
    private void Recognize(FrameBatch batch, int first, ref FrameShape shape, ref FrameLanes lanes)
    {
        ref byte arena = ref MemoryMarshal.GetReference(batch.Arena);
        ref FrameDescriptor frame = ref Unsafe.Add(ref MemoryMarshal.GetReference(batch.Frames), first);
        BeginAtFront(ref arena, ref frame, ref lanes);
        if (_isTunnelled)
        {
            ReadEnvelope(ref arena, ref frame, ref lanes);
        }

        ReadPacket(ref arena, ref shape, ref lanes);
        Judge(ref frame, ref lanes);
        if (_isTunnelled && !Vector256.EqualsAll(lanes.OuterUdp >>> 16, Vector256<uint>.Zero))
        {
            CheckOuterSums(ref arena, ref frame, ref lanes);
        }
    }

    /// <summary>Looks where the packets begin, and compares what stands in front of them. Begins with what is odd.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void BeginAtFront(ref byte arena, ref FrameDescriptor frame, ref FrameLanes lanes)
    {
        int headers = _isTunnelled ? LinkHeader.SizeBytes : LinkHeader.EthernetBytes;
        ref byte far = ref Unsafe.Add(ref arena, headers - LinkHeader.SizeBytes);
        ref nint start = ref Unsafe.As<LaneOffsets, nint>(ref lanes.Starts);
        lanes.Odd = WordLanes.Gather(
            Difference(ref far, ref frame, ref start, 0), Difference(ref far, ref frame, ref start, 1),
            Difference(ref far, ref frame, ref start, 2), Difference(ref far, ref frame, ref start, 3),
            Difference(ref far, ref frame, ref start, 4), Difference(ref far, ref frame, ref start, 5),
            Difference(ref far, ref frame, ref start, 6), Difference(ref far, ref frame, ref start, 7));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        Vector256<uint> Difference(ref byte far, ref FrameDescriptor frame, ref nint start, int lane)
        {
            nint offset = (nint)(uint)Unsafe.Add(ref frame, lane).Offset;
            ref byte front = ref Unsafe.Add(ref far, offset);
            Unsafe.Add(ref start, lane) = offset + headers;
            return (((Vector256.LoadUnsafe(ref front) ^ _farFront) & _farMask)
                | ((Vector256.LoadUnsafe(ref front, NearStart) ^ _nearFront) & _nearMask)).AsUInt32();
        }
    }

    /// <summary>Looks at what differs from envelope to envelope, but for UDP checksums and marks of congestion.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ReadEnvelope(ref byte arena, ref FrameDescriptor frame, ref FrameLanes lanes)
    {
        const int Outer = EthernetBytes - LinkHeader.SizeBytes;
        WordLanes.Load(
            ref arena, in lanes.Starts, Outer, out Vector256<uint> begin, out Vector256<uint> fragment, out Vector256<uint> life,
            out Vector256<uint> source);
        Vector256<uint> sum = WordLanes.Halves(begin) + WordLanes.Halves(fragment) + WordLanes.Halves(life) + WordLanes.Halves(source);
        lanes.OuterBegin = begin;
        Vector256<uint> total = WordLanes.SecondHalf(begin);
        WordLanes.Load(
            ref arena, in lanes.Starts, Outer + 16, out Vector256<uint> destination, out _, out Vector256<uint> udp, out _);
        sum += WordLanes.Halves(destination);
        WordLanes.Load(ref frame, out _, out Vector256<uint> lengths, out _, out _);
        Vector256<uint> odd = total ^ (lengths - Vector256.Create((uint)EthernetBytes));
        odd |= WordLanes.FirstHalf(udp) ^ (total - Vector256.Create((uint)Ipv4Bytes));
        lanes.OuterUdp = udp;
        lanes.Odd |= odd | ~IsRight(sum);
    }

    /// <summary>Takes the words of the packet's headers, and the flow's key from them.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ReadPacket(ref byte arena, ref FrameShape shape, ref FrameLanes lanes)
    {
        WordLanes.Load(
            ref arena, in lanes.Starts, 0, out Vector256<uint> begin, out Vector256<uint> fragment, out Vector256<uint> life,
            out Vector256<uint> source);
        Vector256<uint> sum = WordLanes.Halves(begin) + WordLanes.Halves(fragment) + WordLanes.Halves(life);
        lanes.Begin = begin;
        lanes.Life = life;
        Vector256<uint> odd = ((begin & Vector256.Create(0xFFu)) ^ Vector256.Create(0x45u)) | (fragment & Vector256.Create(0xFF3F_0000u));
        Vector256<uint> protocol = (life >>> 8) & Vector256.Create(0xFFu);
        WordLanes.Load(
            ref arena, in lanes.Starts, 16, out Vector256<uint> destination, out Vector256<uint> ports, out lanes.Sequence, out _);
        lanes.Ports = ports;
        WordLanes.Store(
            ref shape, 0, WordLanes.Swap(source), WordLanes.Swap(destination), WordLanes.SwapHalves(ports), protocol | Vector256.Create(_space));
        Vector256<uint> addressSum = WordLanes.Halves(source) + WordLanes.Halves(destination);
        lanes.AddressSum = addressSum;
        lanes.Odd |= odd | ~IsRight(sum + addressSum);
        WordLanes.Load(ref arena, in lanes.Starts, 32, out lanes.Control, out lanes.TransportChecksum, out _, out _);
    }

    /// <summary>What the frames are.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Judge(ref FrameDescriptor frame, ref FrameLanes lanes)
    {
        WordLanes.Load(ref frame, out _, out Vector256<uint> lengths, out Vector256<uint> wireLengths, out _);
        Vector256<uint> odd = lanes.Odd | ~Vector256.Equals(lengths, wireLengths);
        Vector256<int> available = (lengths - Vector256.Create((uint)(_isTunnelled ? LinkHeader.SizeBytes : LinkHeader.EthernetBytes))).AsInt32();
        Vector256<uint> begin = lanes.Begin;
        Vector256<uint> life = lanes.Life;
        Vector256<uint> total = WordLanes.SecondHalf(begin);
        if (_isTunnelled)
        {
            // Congestion marked on the way, or another mark than the packet's own: the general path merges it.
            Vector256<uint> ecn = Vector256.Create((uint)EcnMask << 8);
            Vector256<uint> outer = lanes.OuterBegin;
            odd |= ~Vector256.Equals(outer & ecn, Vector256<uint>.Zero) & (outer ^ begin) & ecn;
        }

        // To live on, whole, with the whole of the shortest transport header.
        Vector256<uint> protocol = (life >>> 8) & Vector256.Create(0xFFu);
        Vector256<uint> isTcp = Vector256.Equals(protocol, Vector256.Create((uint)IpProtocol.Tcp));
        Vector256<uint> isUdp = Vector256.Equals(protocol, Vector256.Create((uint)IpProtocol.Udp));
        lanes.IsUdp = isUdp;
        Vector256<uint> minimum = Vector256.Create((uint)(Ipv4Bytes + UdpBytes)) + (isTcp & Vector256.Create((uint)(TcpBytes - UdpBytes)));
        odd |= Vector256.Equals((life & Vector256.Create(0xFFu)) >>> 1, Vector256<uint>.Zero) | ~(isTcp | isUdp);
        odd |= Vector256.GreaterThan(total.AsInt32(), available).AsUInt32() | Vector256.LessThan(total.AsInt32(), minimum.AsInt32()).AsUInt32();

        // The sum that a sender's offload left unfinished is that of the pseudo header: the protocol, and the transport's bytes, which
        // the total length has but for the header that it counts, too.
        Vector256<uint> udpSum = lanes.Sequence >>> 16;
        Vector256<uint> transportSum = Vector256.ConditionalSelect(isTcp, lanes.TransportChecksum & Vector256.Create(0xFFFFu), udpSum);
        lanes.TransportChecksum = transportSum;
        Vector256<uint> isUnfinished = IsRight(
            lanes.AddressSum + (begin >>> 16) + (protocol << 8) + Vector256.Create((uint)(ushort.MaxValue - (Ipv4Bytes << 8)))
            + (transportSum ^ Vector256.Create(0xFFFFu)));

        // UDP: a length that fits, and a checksum.
        Vector256<int> transport = (total - Vector256.Create((uint)Ipv4Bytes)).AsInt32();
        Vector256<int> udpBytes = WordLanes.FirstHalf(lanes.Sequence).AsInt32();
        Vector256<uint> kinds = isUdp & Vector256.Create((uint)FrameKind.Datagram) & ~(Vector256.LessThan(udpBytes, Vector256.Create(UdpBytes))
            | Vector256.GreaterThan(udpBytes, transport)).AsUInt32() & ~Vector256.Equals(udpSum, Vector256<uint>.Zero);

        // TCP: the header is no shorter than one without options, and not longer than the segment.
        Vector256<uint> control = lanes.Control;
        Vector256<int> headerBytes = ((control & Vector256.Create(0xF0u)) >>> 2).AsInt32();
        Vector256<uint> flags = control & Vector256.Create(FlagsThatMatter << 8);
        Vector256<uint> segments = (Vector256.Equals(flags, Vector256.Create((uint)TcpFlags.Ack << 8)) & Vector256.Create((uint)FrameKind.Segment))
            | (Vector256.Equals(flags, Vector256.Create((uint)TcpFlags.Syn << 8)) & Vector256.Create((uint)FrameKind.Opening));
        kinds |= segments & isTcp & ~(Vector256.LessThan(headerBytes, Vector256.Create(TcpBytes))
            | Vector256.GreaterThan(headerBytes, transport)).AsUInt32();
        kinds = Vector256.Max(Vector256.Create((uint)FrameKind.Flow), kinds & ~isUnfinished);
        lanes.Kinds = (kinds & Vector256.Equals(odd, Vector256<uint>.Zero)) | (total << 16);
    }

    /// <summary>Whether sums of halves of words that hold a checksum say that it is right. They are not 0, and those of few words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> IsRight(Vector256<uint> sums) => Vector256.Equals(WordLanes.Halves(sums), Vector256.Create(0xFFFFu));

    /// <summary>Looks at the outer UDP checksums of frames that have one.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CheckOuterSums(ref byte arena, ref FrameDescriptor frame, ref FrameLanes lanes)
    {
        const int Outer = EthernetBytes - LinkHeader.SizeBytes;
        for (int lane = 0; lane < WordLanes.Count; lane++)
        {
            ref uint kind = ref WordLanes.At(ref lanes.Kinds, lane);
            if ((byte)kind == (byte)FrameKind.Other || WordLanes.At(ref lanes.OuterUdp, lane) >> 16 == 0)
            {
                continue;
            }

            ref byte outer = ref Unsafe.Add(ref arena, lanes.Starts[lane] + Outer);
            bool isRight = IsOuterSumRight(ref outer, Unsafe.Add(ref frame, lane).LengthBytes - EthernetBytes, out bool isSummed);
            kind = !isRight ? (uint)FrameKind.Other : isSummed ? kind | FrameShape.SummedBit : kind;
        }
    }

    /// <summary>Hashes the keys of frames, and asks for their index lines.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AskForIndex(ref FrameShape shape, ref FrameLanes lanes, int count)
    {
        LookAhead ahead = _ahead;
        ref uint kind = ref Unsafe.As<Vector256<uint>, uint>(ref lanes.Kinds);
        ref nint start = ref Unsafe.As<LaneOffsets, nint>(ref lanes.Starts);
        ref uint end = ref Unsafe.Add(ref kind, count);
        while (Unsafe.IsAddressLessThan(ref kind, ref end))
        {
            shape.Start = (int)start;
            shape.SetKindAndLength(kind);
            if ((byte)kind != (byte)FrameKind.Other)
            {
                ulong hash = ahead.Hash(shape.Addresses, shape.Rest);
                shape.Hash = hash;
                shape.Line = ahead.PrefetchIndex(hash);
            }

            shape = ref Unsafe.Add(ref shape, 1);
            kind = ref Unsafe.Add(ref kind, 1);
            start = ref Unsafe.Add(ref start, 1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T At<T>(ref byte start, int offset)
        where T : unmanaged => Unsafe.ReadUnaligned<T>(ref Unsafe.Add(ref start, offset));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint SwappedAt(ref byte start, int offset) => BinaryPrimitives.ReverseEndianness(At<ushort>(ref start, offset));

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
