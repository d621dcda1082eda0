using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.FastPath;

/// <summary>
/// Translates packets of the usual shape in place and puts the headers in front of them, eight at a time. Sums are of words as they lie on
/// the wire: the one's complement sum has its bytes swapped as its words have. Little-endian machines only. Owned by one worker.
/// </summary>
internal sealed class FrameWriter
{
    // One less in the lower byte of a word, as a one's complement difference: minus 1.
    private const uint OneLessTimeToLive = 0xFFFE;

    private const int InnerEthernetBytes = 14;
    private const int VxlanOverUdpBytes = 16;
    private const int Ipv4Bytes = 20;

    private readonly SlabElements<Connection> _records;
    private readonly Uplink? _uplink;

    // Of the eight frames at hand.
    private Lanes _lanes;

    private int HeaderBytes => _uplink is null ? LinkHeader.EthernetBytes : LinkHeader.SizeBytes;

    /// <summary>Makes a writer.</summary>
    /// <param name="records">The connections.</param>
    /// <param name="uplink">The node's end of the tunnel, where there is one.</param>
    public FrameWriter(SlabElements<Connection> records, Uplink? uplink)
    {
        _records = records;
        _uplink = uplink;
    }

    /// <summary>
    /// Sends packets on: each rewritten to what the other direction's key of its connection says, with the headers towards its next hop.
    /// </summary>
    /// <param name="batch">The batch that holds them.</param>
    /// <param name="first">The first frame.</param>
    /// <param name="end">The frame after the last.</param>
    /// <param name="shapes">What the batch's frames look like, connection, direction and next hop among it.</param>
    /// <param name="groups">The headers of those that were read.</param>
    /// <param name="links">Headers towards next hops.</param>
    /// <returns>Bytes of the frames as they came in.</returns>
    public long Send(FrameBatch batch, int first, int end, FrameShape[] shapes, FrameLanes[] groups, LinkHeader[] links)
    {
        ref byte arena = ref MemoryMarshal.GetReference(batch.Arena);
        ref Lanes lanes = ref _lanes;
        long bytes = 0;
        int next;
        for (int index = first; index < end; index = next)
        {
            int lane = index % WordLanes.Count;
            next = Math.Min(index - lane + WordLanes.Count, end);
            int count = next - index;
            ref FrameShape shape = ref shapes[index - lane];
            ref FrameLanes group = ref groups[FrameLanes.GroupOf(index)];
            FindKeys(ref shape, lane, count, ref lanes);
            Translate(ref Unsafe.As<Connection, byte>(ref _records[0]), in group, ref lanes);
            if (_uplink is null)
            {
                WriteEthernet(ref arena, ref shape, in group, ref lanes, lane, count, links);
            }
            else
            {
                WriteTunnel(batch, ref shape, in group, ref lanes, lane, count, links, _uplink);
            }

            ref EmittedFrame emitted = ref MemoryMarshal.GetReference(batch.EmitInputs(count));
            ref FrameDescriptor frame = ref batch.Frames[index];
            bytes += count == WordLanes.Count
                ? EmitEight(ref frame, ref emitted, ref shape, in group, index)
                : Emit(ref frame, ref emitted, ref Unsafe.Add(ref shape, lane), index, count);
        }

        return bytes;
    }

    /// <summary>Looks where the keys lie that packets are translated to. Lanes without a packet have the first one's.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void FindKeys(ref FrameShape shape, int first, int count, ref Lanes lanes)
    {
        ref nint key = ref Unsafe.As<LaneOffsets, nint>(ref lanes.Keys);
        if (count == WordLanes.Count)
        {
            Unsafe.Add(ref key, 0) = OffsetOf(Unsafe.Add(ref shape, 0));
            Unsafe.Add(ref key, 1) = OffsetOf(Unsafe.Add(ref shape, 1));
            Unsafe.Add(ref key, 2) = OffsetOf(Unsafe.Add(ref shape, 2));
            Unsafe.Add(ref key, 3) = OffsetOf(Unsafe.Add(ref shape, 3));
            Unsafe.Add(ref key, 4) = OffsetOf(Unsafe.Add(ref shape, 4));
            Unsafe.Add(ref key, 5) = OffsetOf(Unsafe.Add(ref shape, 5));
            Unsafe.Add(ref key, 6) = OffsetOf(Unsafe.Add(ref shape, 6));
            Unsafe.Add(ref key, 7) = OffsetOf(Unsafe.Add(ref shape, 7));
            return;
        }

        for (int lane = 0; lane < WordLanes.Count; lane++)
        {
            bool isOne = lane >= first && lane < first + count;
            Unsafe.Add(ref key, lane) = OffsetOf(Unsafe.Add(ref shape, isOne ? lane : first));
        }

        // The other direction's key of the connection.
        static nint OffsetOf(in FrameShape shape) =>
            ((nint)shape.Entry.Number * Connection.SizeBytes) + (((nint)shape.Entry.Direction ^ 1) * Unsafe.SizeOf<FlowKey>());
    }

    /// <summary>Makes new words of addresses, ports, time to live and checksums.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Translate(ref byte records, ref readonly FrameLanes group, ref Lanes lanes)
    {
        // Turned round: the answers' destination is the new source.
        WordLanes.Load(
            ref records, in lanes.Keys, 0, out Vector256<uint> destination, out Vector256<uint> source, out Vector256<uint> ports, out _);
        source = WordLanes.Swap(source);
        destination = WordLanes.Swap(destination);
        ports = WordLanes.Swap(ports);

        // RFC 1624, equation 3, over all words that change at once: a word that goes counts as its complement. The result's class is that
        // of one change after the other, and so is its form: none gives 0xFFFF.
        Vector256<uint> low = Vector256.Create(0xFFFFu);
        Vector256<uint> change = WordLanes.Halves(source) + WordLanes.Halves(destination)
            + (Vector256.Create(4 * 0xFFFFu) - group.AddressSum);
        Vector256<uint> life = group.Life;
        Vector256<uint> header = WordLanes.Fold(change + ((life >>> 16) ^ low) + Vector256.Create(OneLessTimeToLive)) ^ low;
        Vector256<uint> transport = WordLanes.Fold(
            change + WordLanes.Halves(ports) + WordLanes.Halves(~group.Ports) + (group.TransportChecksum ^ low)) ^ low;

        // 0 means none in UDP.
        Vector256<uint> isUdp = group.IsUdp;
        transport |= Vector256.Equals(transport, Vector256<uint>.Zero) & isUdp & low;
        lanes.Change = change;
        lanes.Source = source;
        lanes.Destination = destination;
        lanes.Ports = ports;
        lanes.TransportChecksum = transport;
        lanes.ChecksumOffset = Vector256.ConditionalSelect(isUdp, Vector256.Create(26u), Vector256.Create(36u));
        WordLanes.Store(
            ref lanes.Packets[0], 0, ((life - Vector256<uint>.One) & low) | (header << 16), source, destination, ports);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WritePacket(ref byte packet, ref Lanes lanes, int lane)
    {
        ref Vector128<uint> words = ref Unsafe.As<PacketRows, Vector128<uint>>(ref lanes.Packets);
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref packet, Ipv4.TimeToLiveOffset), Unsafe.Add(ref words, lane));
        Unsafe.WriteUnaligned(
            ref Unsafe.Add(ref packet, (nint)WordLanes.At(ref lanes.ChecksumOffset, lane)),
            (ushort)WordLanes.At(ref lanes.TransportChecksum, lane));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void WriteEthernet(
        ref byte arena, ref FrameShape shape, ref readonly FrameLanes group, ref Lanes lanes, int first, int count, LinkHeader[] links)
    {
        ref LinkHeader noLink = ref MemoryMarshal.GetArrayDataReference(links);
        for (int lane = first; lane < first + count; lane++)
        {
            ref byte packet = ref Unsafe.Add(ref arena, group.Starts[lane]);
            WritePacket(ref packet, ref lanes, lane);
            Unsafe.Add(ref noLink, (nuint)Unsafe.Add(ref shape, lane).Link).WriteEthernet(ref packet);
        }
    }

    private static void WriteTunnel(
        FrameBatch batch, ref FrameShape shape, ref readonly FrameLanes group, ref Lanes lanes, int first, int count, LinkHeader[] links,
        Uplink uplink)
    {
        ref byte arena = ref MemoryMarshal.GetReference(batch.Arena);
        ref LinkHeader noLink = ref MemoryMarshal.GetArrayDataReference(links);
        lanes.LinkSums = Vector256.Create(
            SumOf(ref noLink, ref shape, 0), SumOf(ref noLink, ref shape, 1), SumOf(ref noLink, ref shape, 2), SumOf(ref noLink, ref shape, 3),
            SumOf(ref noLink, ref shape, 4), SumOf(ref noLink, ref shape, 5), SumOf(ref noLink, ref shape, 6), SumOf(ref noLink, ref shape, 7));
        lanes.SourcePorts = uplink.SourcePorts(lanes.Source, lanes.Destination, lanes.Ports, (group.Life >>> 8) & Vector256.Create(0xFFu));
        lanes.OuterChecksums = default;
        if (uplink.ComputesChecksums)
        {
            ContinueChecksums(ref arena, ref shape, in group, ref lanes, first, count, links);
        }

        MakeEnvelopes(in group, ref lanes, uplink.TakeIdentifications(count), first);
        WriteFrames(ref arena, ref shape, in group, ref lanes, first, count, links);
        if (uplink.ComputesChecksums)
        {
            WriteChecksums(batch, ref shape, in group, first, count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint SumOf(ref LinkHeader links, ref FrameShape shape, int lane) =>
        Unsafe.Add(ref links, (nuint)Unsafe.Add(ref shape, lane).Link).HeaderSum;

    /// <summary>The outer UDP checksums of packets whose own was right.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ContinueChecksums(
        ref byte arena, ref FrameShape shape, ref readonly FrameLanes group, ref Lanes lanes, int first, int count, LinkHeader[] links)
    {
        for (int lane = first; lane < first + count; lane++)
        {
            ref FrameShape own = ref Unsafe.Add(ref shape, lane);
            if (own.IsSummed)
            {
                uint checksum = links[own.Link].ChecksumAfter(
                    ref Unsafe.Add(ref arena, group.Starts[lane]), own.LengthBytes, (ushort)WordLanes.At(ref lanes.SourcePorts, lane),
                    WordLanes.At(ref lanes.Change, lane));
                WordLanes.At(ref lanes.OuterChecksums, lane) = checksum;
            }
        }
    }

    /// <summary>Computes the outer UDP checksums of packets that had none.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void WriteChecksums(FrameBatch batch, ref FrameShape shape, ref readonly FrameLanes group, int first, int count)
    {
        for (int lane = first; lane < first + count; lane++)
        {
            ref FrameShape own = ref Unsafe.Add(ref shape, lane);
            if (!own.IsSummed)
            {
                Uplink.WriteChecksum(batch.Slice(
                    own.Start - LinkHeader.SizeBytes + LinkHeader.EthernetBytes,
                    own.LengthBytes + LinkHeader.SizeBytes - LinkHeader.EthernetBytes));
            }
        }
    }

    /// <summary>Makes what differs from envelope to envelope: the words from the outer IPv4 header on, zero where all are alike.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void MakeEnvelopes(ref readonly FrameLanes group, ref Lanes lanes, ushort identification, int first)
    {
        Vector256<uint> low = Vector256.Create(0xFFFFu);
        Vector256<uint> typesOfService = Uplink.OuterEcn(group.Begin >>> 8);
        Vector256<uint> udpBytes = (group.Kinds >>> 16) + Vector256.Create((uint)(InnerEthernetBytes + VxlanOverUdpBytes));
        Vector256<uint> totals = udpBytes + Vector256.Create((uint)Ipv4Bytes);
        Vector256<uint> identifications = (Vector256.Create((uint)identification + 1 - (uint)first) + Vector256<uint>.Indices) & low;
        Vector256<uint> checksums = WordLanes.Fold(lanes.LinkSums + typesOfService + totals + identifications) ^ low;
        Vector256<uint> zero = Vector256<uint>.Zero;
        WordLanes.Store(
            ref lanes.Envelopes[0], 0, WordLanes.Swap(totals) | (typesOfService << 8), WordLanes.SwapHalves(identifications),
            WordLanes.Swap(checksums), zero);
        WordLanes.Store(
            ref lanes.Envelopes[0], 16, zero, WordLanes.SwapHalves(lanes.SourcePorts),
            WordLanes.SwapHalves(udpBytes) | (lanes.OuterChecksums << 16), zero);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void WriteFrames(
        ref byte arena, ref FrameShape shape, ref readonly FrameLanes group, ref Lanes lanes, int first, int count, LinkHeader[] links)
    {
        ref LinkHeader noLink = ref MemoryMarshal.GetArrayDataReference(links);
        if (count == WordLanes.Count)
        {
            WriteFrame(ref arena, ref shape, in group, ref lanes, ref noLink, 0);
            WriteFrame(ref arena, ref shape, in group, ref lanes, ref noLink, 1);
            WriteFrame(ref arena, ref shape, in group, ref lanes, ref noLink, 2);
            WriteFrame(ref arena, ref shape, in group, ref lanes, ref noLink, 3);
            WriteFrame(ref arena, ref shape, in group, ref lanes, ref noLink, 4);
            WriteFrame(ref arena, ref shape, in group, ref lanes, ref noLink, 5);
            WriteFrame(ref arena, ref shape, in group, ref lanes, ref noLink, 6);
            WriteFrame(ref arena, ref shape, in group, ref lanes, ref noLink, 7);
            return;
        }

        for (int lane = first; lane < first + count; lane++)
        {
            WriteFrame(ref arena, ref shape, in group, ref lanes, ref noLink, lane);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteFrame(
        ref byte arena, ref FrameShape shape, ref readonly FrameLanes group, ref Lanes lanes, ref LinkHeader noLink, int lane)
    {
        ref Vector128<byte> envelopes = ref Unsafe.As<EnvelopeRows, Vector128<byte>>(ref lanes.Envelopes);
        ref byte packet = ref Unsafe.Add(ref arena, Unsafe.Add(ref Unsafe.As<LaneOffsets, nint>(ref Unsafe.AsRef(in group.Starts)), lane));
        WritePacket(ref packet, ref lanes, lane);
        Unsafe.Add(ref noLink, (nuint)Unsafe.Add(ref shape, lane).Link).WriteTunnel(
            ref packet, Vector256.Create(Unsafe.Add(ref envelopes, 2 * lane), Unsafe.Add(ref envelopes, (2 * lane) + 1)));
    }

    /// <summary>Puts eight frames on the list of those to send, where they came in, and notes what became of them.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private long EmitEight(ref FrameDescriptor frame, ref EmittedFrame emitted, ref FrameShape shape, ref readonly FrameLanes group, int index)
    {
        WordLanes.Load(ref frame, out Vector256<uint> offsets, out _, out _, out _);
        Vector256<uint> lengths = (group.Kinds >>> 16) + Vector256.Create((uint)HeaderBytes);
        WordLanes.Store(ref emitted, 0, offsets, lengths, lengths, Vector256<uint>.Zero);
        return Note(ref frame, ref emitted, ref shape, index, 0) + Note(ref frame, ref emitted, ref shape, index, 1)
            + Note(ref frame, ref emitted, ref shape, index, 2) + Note(ref frame, ref emitted, ref shape, index, 3)
            + Note(ref frame, ref emitted, ref shape, index, 4) + Note(ref frame, ref emitted, ref shape, index, 5)
            + Note(ref frame, ref emitted, ref shape, index, 6) + Note(ref frame, ref emitted, ref shape, index, 7);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long Emit(ref FrameDescriptor frame, ref EmittedFrame emitted, ref FrameShape shape, int index, int count)
    {
        long bytes = 0;
        for (int lane = 0; lane < count; lane++)
        {
            ref EmittedFrame own = ref Unsafe.Add(ref emitted, lane);
            own.Offset = Unsafe.Add(ref frame, lane).Offset;
            own.LengthBytes = Unsafe.Add(ref shape, lane).LengthBytes + HeaderBytes;
            own.WireLengthBytes = own.LengthBytes;
            own.PortIndex = 0;
            bytes += Note(ref frame, ref emitted, ref shape, index, lane);
        }

        return bytes;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Note(ref FrameDescriptor frames, ref EmittedFrame list, ref FrameShape shapes, int index, int lane)
    {
        ref FrameDescriptor frame = ref Unsafe.Add(ref frames, lane);
        ref EmittedFrame emitted = ref Unsafe.Add(ref list, lane);
        emitted.InputIndex = index + lane;
        emitted.TimestampNanoseconds = frame.TimestampNanoseconds;
        frame.Connection = Unsafe.Add(ref shapes, lane).Entry.Number;
        frame.Verdict = Verdict.Forwarded;
        return frame.LengthBytes;
    }

    [InlineArray(WordLanes.Count)]
    private struct PacketRows
    {
        private Vector128<uint> _first;
    }

    [InlineArray(WordLanes.Count)]
    private struct EnvelopeRows
    {
        private Vector256<byte> _first;
    }

    /// <summary>What is made of eight packets. Words are as they lie on the wire where nothing else is said.</summary>
    private struct Lanes
    {
        /// <summary>Where the keys lie that packets are translated to, from the first record on.</summary>
        public LaneOffsets Keys;

        /// <summary>New source addresses.</summary>
        public Vector256<uint> Source;

        /// <summary>New destination addresses.</summary>
        public Vector256<uint> Destination;

        /// <summary>New ports.</summary>
        public Vector256<uint> Ports;

        /// <summary>What new addresses add to the sum of words, modulo 0xFFFF.</summary>
        public Vector256<uint> Change;

        /// <summary>New transport checksums.</summary>
        public Vector256<uint> TransportChecksum;

        /// <summary>Where they lie, from the IPv4 header on.</summary>
        public Vector256<uint> ChecksumOffset;

        /// <summary>Sums of what stays of outer IPv4 headers, as numbers.</summary>
        public Vector256<uint> LinkSums;

        /// <summary>Outer source ports, as numbers.</summary>
        public Vector256<uint> SourcePorts;

        /// <summary>Outer UDP checksums, 0 for none.</summary>
        public Vector256<uint> OuterChecksums;

        /// <summary>For each packet the words from its time to live on, up to its ports.</summary>
        public PacketRows Packets;

        /// <summary>For each packet the 32 bytes from its outer IPv4 header on, to be or-ed with what is alike in all.</summary>
        public EnvelopeRows Envelopes;
    }
}
