using System.Buffers.Binary;
using FastPathLb.Balancer.Stack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Node;

/// <summary>
/// Finishes the transport checksum of what enters a tunnel, where its sender's offload left that to a network card: cards of virtual machines
/// cannot do it inside of VXLAN (skb_checksum_help by way of validate_xmit_skb, NETIF_F_HW_CSUM missing from hw_enc_features). The Swarm
/// recordings show it: partial sums at namespaces' devices, whole ones at the card.
/// </summary>
internal static class PartialChecksum
{
    /// <summary>Finishes a frame's sum, if it is there to be finished and the frame is whole.</summary>
    public static void Finish(Packet packet, FrameBatch batch, int offset, int lengthBytes, long now)
    {
        const int HeaderBytes = LinkInput.EthernetHeaderBytes;
        Span<byte> frame = batch.Slice(offset, lengthBytes);
        if (lengthBytes < HeaderBytes + Ipv4.HeaderLengthMinimum
            || BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != (ushort)EtherType.Ipv4)
        {
            return;
        }

        packet.Begin(batch, offset + HeaderBytes, lengthBytes - HeaderBytes, -1, now);
        int length = packet.TransportLengthBytes;
        if (packet.IsFragment || length > packet.Transport.Length || !ChecksumCensus.IsPartial(packet))
        {
            return;
        }

        bool isUdp = packet.Protocol == IpProtocol.Udp;
        Span<byte> transport = packet.Transport[..length];
        Span<byte> field = transport[(isUdp ? UdpHeader.ChecksumOffset : TcpHeader.ChecksumOffset)..];
        BinaryPrimitives.WriteUInt16BigEndian(field, 0);
        uint pseudo = InternetChecksum.PseudoHeaderSum(
            new Ipv4Address(packet.Source), new Ipv4Address(packet.Destination), packet.Protocol, length);
        ushort sum = InternetChecksum.Finish(InternetChecksum.Sum(transport, pseudo));
        BinaryPrimitives.WriteUInt16BigEndian(field, isUdp && sum == 0 ? ushort.MaxValue : sum);
    }
}
