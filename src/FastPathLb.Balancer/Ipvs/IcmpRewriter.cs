using System.Buffers.Binary;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Ipvs;

/// <summary>
/// ICMP errors about balanced connections: the outer and the embedded header (ip_vs_nat_icmp). The embedded transport checksum is
/// left as it is, as in the kernel.
/// </summary>
internal static class IcmpRewriter
{
    /// <summary>Whether the message's checksum is right (ip_vs_checksum_common_check). A cut frame is given the benefit of the doubt.</summary>
    public static bool IsChecksumRight(Packet packet) =>
        packet.CapturedBytes < packet.LengthBytes
        || InternetChecksum.Compute(packet.Transport[..packet.TransportLengthBytes]) == 0;

    /// <summary>Rewrites an error on its way to the server (the embedded source is the server) or to the client.</summary>
    public static bool TryRewrite(Packet packet, uint address, ushort port, bool towardsServer)
    {
        Span<byte> message = packet.Transport;
        if (message.Length < Icmp.HeaderBytes + Ipv4.HeaderLengthMinimum)
        {
            return false;
        }

        Span<byte> inner = message[Icmp.HeaderBytes..];
        int innerHeader = (inner[0] & 15) * 4;
        if (inner.Length < innerHeader + 4)
        {
            return false;
        }

        int outerOffset = towardsServer ? Ipv4.DestinationOffset : Ipv4.SourceOffset;
        BinaryPrimitives.WriteUInt32BigEndian(packet.Bytes[outerOffset..], address);
        Ipv4.WriteChecksum(packet.Bytes);
        int innerOffset = towardsServer ? Ipv4.SourceOffset : Ipv4.DestinationOffset;
        BinaryPrimitives.WriteUInt32BigEndian(inner[innerOffset..], address);
        Ipv4.WriteChecksum(inner);
        BinaryPrimitives.WriteUInt16BigEndian(inner[(innerHeader + (towardsServer ? 0 : 2))..], port);
        if (packet.CapturedBytes >= packet.LengthBytes)
        {
            message[Icmp.ChecksumOffset] = 0;
            message[Icmp.ChecksumOffset + 1] = 0;
            BinaryPrimitives.WriteUInt16BigEndian(
                message[Icmp.ChecksumOffset..], InternetChecksum.Compute(message[..packet.TransportLengthBytes]));
        }

        packet.ReadHeader();
        return true;
    }
}
