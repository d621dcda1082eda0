using System.Buffers.Binary;
using FastPathLb.Wire;

namespace FastPathLb.Balancer;

/// <summary>Tells a checksum that its sender's offload left unfinished from one that is finished, right or wrong.</summary>
internal static class ChecksumCensus
{
    /// <summary>
    /// Whether the transport checksum is the pseudo-header's sum alone (CHECKSUM_PARTIAL): a network card would have added the
    /// rest, but the frame was captured before one, or on a veth that has none.
    /// </summary>
    public static bool IsPartial(Packet packet)
    {
        int checksumOffset = packet.Protocol switch
        {
            IpProtocol.Tcp => 16,
            IpProtocol.Udp => 6,
            _ => -1,
        };
        Span<byte> transport = packet.Transport;
        if (checksumOffset < 0 || transport.Length < checksumOffset + 2)
        {
            return false;
        }

        ushort checksum = BinaryPrimitives.ReadUInt16BigEndian(transport[checksumOffset..]);
        uint pseudo = InternetChecksum.PseudoHeaderSum(
            new Ipv4Address(packet.Source), new Ipv4Address(packet.Destination), packet.Protocol, packet.TransportLengthBytes);
        if (checksum != InternetChecksum.Fold(pseudo))
        {
            return false;
        }

        // One packet in 65,536 has a finished sum that looks like that.
        return transport.Length < packet.TransportLengthBytes
            || InternetChecksum.Finish(InternetChecksum.Sum(transport[..packet.TransportLengthBytes], pseudo)) != 0;
    }
}
