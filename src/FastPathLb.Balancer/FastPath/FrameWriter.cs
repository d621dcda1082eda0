using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.FastPath;

/// <summary>Translates a packet of the usual shape in place and puts the headers in front of it. Little-endian machines only.</summary>
internal static class FrameWriter
{
    /// <summary>Sends a packet on: translated, with the headers towards its next hop.</summary>
    /// <param name="batch">The batch that holds it.</param>
    /// <param name="index">The frame in the batch.</param>
    /// <param name="packet">The packet.</param>
    /// <param name="shape">What it looks like.</param>
    /// <param name="other">The other direction's key.</param>
    /// <param name="link">Headers towards the next hop.</param>
    /// <param name="uplink">The node's end of the tunnel, where there is one.</param>
    /// <param name="now">Time, nanoseconds since the Unix epoch.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Send(
        FrameBatch batch, int index, ref byte packet, in FrameShape shape, ref FlowKey other, ref LinkHeader link, Uplink? uplink, long now)
    {
        int headerBytes = Write(ref packet, shape, ref other, ref link, uplink);
        if (uplink is not null && uplink.ComputesChecksums)
        {
            Uplink.WriteChecksum(batch.Slice(
                shape.Start - LinkHeader.SizeBytes + LinkHeader.EthernetBytes,
                shape.LengthBytes + LinkHeader.SizeBytes - LinkHeader.EthernetBytes));
        }

        batch.Emit(shape.Start - headerBytes, shape.LengthBytes + headerBytes, now, index);
    }

    /// <summary>Rewrites a packet to what the other direction's key says, and puts the headers in front of it.</summary>
    /// <returns>Length of those headers in bytes.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Write(ref byte packet, in FrameShape shape, ref FlowKey other, ref LinkHeader link, Uplink? uplink)
    {
        // The other direction's source is this one's new destination: its words are the new addresses and ports, source first.
        ulong addresses = other.Addresses;
        uint ports = (uint)other.Rest;

        // RFC 1624, equation 3, over all words that change at once. The result's class is that of one change after the other, and
        // so is its form: none of them gives 0xFFFF.
        ulong gone = ~shape.Addresses;
        ulong delta = (uint)addresses + (addresses >> 32) + (uint)gone + (gone >> 32);
        ulong second = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref packet, 8));
        const uint OneLessTimeToLive = 0xFEFF;
        uint headerSum = BinaryPrimitives.ReverseEndianness((ushort)(second >> 16));
        ushort headerChecksum = (ushort)~InternetChecksum.FoldWide(delta + (headerSum ^ 0xFFFF) + OneLessTimeToLive);
        ulong swapped = BinaryPrimitives.ReverseEndianness(addresses);
        Unsafe.WriteUnaligned(
            ref Unsafe.Add(ref packet, 8),
            ((second - 1) & 0xFFFF) | ((ulong)BinaryPrimitives.ReverseEndianness(headerChecksum) << 16) | (swapped << 32));
        Unsafe.WriteUnaligned(
            ref Unsafe.Add(ref packet, 16), (swapped >> 32) | ((ulong)BinaryPrimitives.ReverseEndianness(ports) << 32));

        bool isSegment = shape.Kind != FrameKind.Datagram;
        ref byte field = ref Unsafe.Add(ref packet, isSegment ? 36 : 26);
        uint transportSum = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ushort>(ref field));
        ushort transportChecksum = (ushort)~InternetChecksum.FoldWide(delta + ports + ~(uint)shape.Rest + (transportSum ^ 0xFFFF));
        if (transportChecksum == 0 && !isSegment)
        {
            transportChecksum = ushort.MaxValue;
        }

        Unsafe.WriteUnaligned(ref field, BinaryPrimitives.ReverseEndianness(transportChecksum));
        if (uplink is null)
        {
            link.WriteEthernet(ref packet);
            return LinkHeader.EthernetBytes;
        }

        link.WriteTunnel(
            ref packet, shape.LengthBytes, Uplink.OuterEcn(shape.Ecn), uplink.NextIdentification(),
            uplink.SourcePort(addresses, ports, (byte)(shape.Rest >> 32)));
        return LinkHeader.SizeBytes;
    }
}
