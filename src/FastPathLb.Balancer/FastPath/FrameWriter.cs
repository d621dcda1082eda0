using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.FastPath;

/// <summary>
/// Translates packets of the usual shape in place and puts the headers in front of them. Sums are of words as they lie on the wire:
/// the one's complement sum has its bytes swapped as its words have. Little-endian machines only.
/// </summary>
internal static class FrameWriter
{
    // One less in the lower byte of a word, as a one's complement difference: minus 1.
    private const uint OneLessTimeToLive = 0xFFFE;

    // More than all words that may go, and no difference modulo 0xFFFF.
    private const ulong Complements = 0xFFFFUL << 24;

    /// <summary>
    /// Sends packets on: each rewritten to what the other direction's key of its connection says, with the headers towards its next hop.
    /// </summary>
    /// <param name="batch">The batch that holds them.</param>
    /// <param name="first">The first frame.</param>
    /// <param name="end">The frame after the last.</param>
    /// <param name="shapes">What the batch's frames look like, connection, direction and next hop among it.</param>
    /// <param name="records">The connections.</param>
    /// <param name="links">Headers towards next hops.</param>
    /// <param name="uplink">The node's end of the tunnel, where there is one.</param>
    /// <returns>Bytes of the frames as they came in.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Send(
        FrameBatch batch, int first, int end, FrameShape[] shapes, SlabElements<Connection> records, LinkHeader[] links, Uplink? uplink) =>
        uplink is null ? Send(batch, first, end, shapes, records, links, uplink, isTunnelled: false, isSummed: false)
            : uplink.ComputesChecksums ? Send(batch, first, end, shapes, records, links, uplink, isTunnelled: true, isSummed: true)
            : Send(batch, first, end, shapes, records, links, uplink, isTunnelled: true, isSummed: false);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Send(
        FrameBatch batch, int first, int end, FrameShape[] shapes, SlabElements<Connection> records, LinkHeader[] links, Uplink? uplink,
        bool isTunnelled, bool isSummed)
    {
        ref byte arena = ref MemoryMarshal.GetReference(batch.Arena);
        ref FrameShape shape = ref shapes[first];
        ref FrameShape last = ref Unsafe.Add(ref shape, end - first);
        ref LinkHeader noLink = ref MemoryMarshal.GetArrayDataReference(links);
        ushort identification = uplink is null ? (ushort)0 : uplink.TakeIdentifications(end - first);
        for (; Unsafe.IsAddressLessThan(ref shape, ref last); shape = ref Unsafe.Add(ref shape, 1))
        {
            ref byte packet = ref Unsafe.Add(ref arena, shape.Start);
            ref FlowKey other = ref Connection.OtherKeyOf(ref records[shape.Entry.Number], shape.Entry.Direction);
            ulong addresses = other.Addresses;
            uint ports = (uint)other.Rest;
            ulong change = Rewrite(ref packet, addresses, ports, shape.Kind == FrameKind.Datagram);
            ref LinkHeader link = ref Unsafe.Add(ref noLink, (nuint)shape.Link);
            if (!isTunnelled)
            {
                link.WriteEthernet(ref packet);
                continue;
            }

            ushort sourcePort = uplink!.SourcePort(addresses, ports, (byte)(shape.Rest >> 32));
            uint checksum = isSummed && shape.IsSummed ? link.ChecksumAfter(ref packet, shape.LengthBytes, sourcePort, change) : 0;
            link.WriteTunnel(
                ref packet, shape.LengthBytes, Uplink.OuterEcn(Unsafe.Add(ref packet, 1)), ++identification, sourcePort, checksum);
            if (isSummed && !shape.IsSummed)
            {
                Uplink.WriteChecksum(batch.Slice(
                    shape.Start - LinkHeader.SizeBytes + LinkHeader.EthernetBytes,
                    shape.LengthBytes + LinkHeader.SizeBytes - LinkHeader.EthernetBytes));
            }
        }

        return Emit(batch, first, end, ref shapes[first], isTunnelled ? LinkHeader.SizeBytes : LinkHeader.EthernetBytes);
    }

    /// <summary>Puts the frames on the list of those to send, and notes what became of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Emit(FrameBatch batch, int first, int end, ref FrameShape shape, int headerBytes)
    {
        ref FrameDescriptor frame = ref batch.Frames[first];
        ref EmittedFrame emitted = ref MemoryMarshal.GetReference(batch.EmitInputs(end - first));
        long bytes = 0;
        for (int index = first; index < end; index++)
        {
            int lengthBytes = shape.LengthBytes + headerBytes;
            emitted.Offset = shape.Start - headerBytes;
            emitted.LengthBytes = lengthBytes;
            emitted.WireLengthBytes = lengthBytes;
            emitted.PortIndex = 0;
            emitted.InputIndex = index;
            emitted.TimestampNanoseconds = frame.TimestampNanoseconds;
            bytes += frame.LengthBytes;
            frame.Connection = shape.Entry.Number;
            frame.Verdict = Verdict.Forwarded;
            emitted = ref Unsafe.Add(ref emitted, 1);
            frame = ref Unsafe.Add(ref frame, 1);
            shape = ref Unsafe.Add(ref shape, 1);
        }

        return bytes;
    }

    /// <summary>Rewrites addresses, ports, time to live and checksums.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="addresses">New source in the upper, new destination in the lower half.</param>
    /// <param name="ports">New source port in the upper, new destination port in the lower half.</param>
    /// <param name="isDatagram">Whether it is UDP, with a checksum, or else TCP.</param>
    /// <returns>What that adds to the sum of the addresses' words, as they lie on the wire, modulo 0xFFFF.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Rewrite(ref byte packet, ulong addresses, uint ports, bool isDatagram)
    {
        addresses = BinaryPrimitives.ReverseEndianness(addresses);
        ports = BinaryPrimitives.ReverseEndianness(ports);
        ulong goneAddresses = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref packet, Ipv4.SourceOffset));
        uint gonePorts = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref packet, Ipv4.HeaderLengthMinimum));
        uint second = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref packet, Ipv4.TimeToLiveOffset));
        ref byte field = ref Unsafe.Add(ref packet, isDatagram ? 26 : 36);

        // RFC 1624, equation 3, over all words that change at once: a word that goes counts as its complement, here as minus itself and
        // a multiple of 0xFFFF for all of them. The result's class is that of one change after the other, and so is its form: none gives 0xFFFF.
        ulong delta = (uint)addresses + (addresses >> 32) + Complements - (uint)goneAddresses - (goneAddresses >> 32);
        uint headerChecksum = (ushort)~InternetChecksum.FoldWide(delta - (second >> 16) + OneLessTimeToLive);
        ushort transportChecksum = (ushort)~InternetChecksum.FoldWide(delta + ports - gonePorts - Unsafe.ReadUnaligned<ushort>(ref field));
        if (transportChecksum == 0)
        {
            transportChecksum = isDatagram ? ushort.MaxValue : ushort.MinValue;
        }

        Unsafe.WriteUnaligned(ref Unsafe.Add(ref packet, Ipv4.TimeToLiveOffset), ((second - 1) & 0xFFFF) | (headerChecksum << 16));
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref packet, Ipv4.SourceOffset), addresses);
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref packet, Ipv4.HeaderLengthMinimum), ports);
        Unsafe.WriteUnaligned(ref field, transportChecksum);
        return delta;
    }
}
