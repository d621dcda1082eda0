using System.Buffers.Binary;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Netfilter;

/// <summary>
/// Changes an address and a port of a packet and carries the IPv4 and transport checksums along (RFC 1624), as
/// nf_nat_proto.c and IPVS's tcp/udp handlers do. A sum that was wrong stays wrong by the same amount.
/// </summary>
internal static class TransportRewriter
{
    private const int TcpChecksumOffset = 16;
    private const int TcpHeaderMinimum = 20;
    private const int UdpChecksumOffset = 6;
    private const int UdpHeaderBytes = 8;
    private const int IcmpHeaderBytes = 8;
    private const int IcmpChecksumOffset = 2;
    private const int IcmpIdentifierOffset = 4;

    /// <summary>What to do with a UDP checksum of zero, "none".</summary>
    public enum ZeroUdpChecksum
    {
        /// <summary>Stays zero (nf_nat).</summary>
        Keep,

        /// <summary>Is computed in full (ip_vs_proto_udp.c).</summary>
        Compute,
    }

    /// <summary>Replaces the source address and port.</summary>
    public static bool TryReplaceSource(Packet packet, uint address, ushort port, ZeroUdpChecksum zero)
    {
        if (!TryReplaceTransport(packet.Transport, packet, packet.Source, address, port, isSource: true, zero))
        {
            return false;
        }

        Ipv4.ReplaceAddress(packet.Bytes, Ipv4.SourceOffset, address);
        packet.Source = address;
        return true;
    }

    /// <summary>Replaces the destination address and port.</summary>
    public static bool TryReplaceDestination(Packet packet, uint address, ushort port, ZeroUdpChecksum zero)
    {
        if (!TryReplaceTransport(packet.Transport, packet, packet.Destination, address, port, isSource: false, zero))
        {
            return false;
        }

        Ipv4.ReplaceAddress(packet.Bytes, Ipv4.DestinationOffset, address);
        packet.Destination = address;
        return true;
    }

    /// <summary>
    /// Replaces an address and port of the datagram embedded in an ICMP error, with the sums that are there
    /// (nf_nat_ipv4_manip_pkt on the inner header).
    /// </summary>
    public static bool TryReplaceEmbedded(Span<byte> inner, uint address, ushort port, bool isSource)
    {
        if (inner.Length < Ipv4.HeaderLengthMinimum)
        {
            return false;
        }

        int headerLength = (inner[0] & 15) * 4;
        int addressOffset = isSource ? Ipv4.SourceOffset : Ipv4.DestinationOffset;
        if (headerLength < Ipv4.HeaderLengthMinimum || inner.Length < headerLength)
        {
            return false;
        }

        bool isLaterFragment = (BinaryPrimitives.ReadUInt16BigEndian(inner[Ipv4.FragmentOffset..]) & Ipv4.FragmentOffsetMask) != 0;
        if (!isLaterFragment)
        {
            uint old = BinaryPrimitives.ReadUInt32BigEndian(inner[addressOffset..]);
            Span<byte> transport = inner[headerLength..];
            bool replaced = (IpProtocol)inner[Ipv4.ProtocolOffset] switch
            {
                IpProtocol.Tcp => TryReplaceTcp(transport, transport.Length, old, address, port, isSource, isPartial: false),
                IpProtocol.Udp => TryReplaceUdp(
                    transport, old, address, port, isSource, isPartial: false, ZeroUdpChecksum.Keep, null, null),
                IpProtocol.Sctp => TryReplacePortsAlone(transport, port, isSource),
                _ => true,
            };
            if (!replaced)
            {
                return false;
            }
        }

        Ipv4.ReplaceAddress(inner, addressOffset, address);
        return true;
    }

    private static bool TryReplaceTransport(
        Span<byte> transport, Packet packet, uint oldAddress, uint address, ushort port, bool isSource, ZeroUdpChecksum zero) =>
        packet.Protocol switch
        {
            IpProtocol.Tcp => TryReplaceTcp(
                transport, packet.TransportLengthBytes, oldAddress, address, port, isSource, packet.HasPartialChecksum),
            IpProtocol.Udp => TryReplaceUdp(
                transport, oldAddress, address, port, isSource, packet.HasPartialChecksum, zero, packet, isSource),
            IpProtocol.Icmp => TryReplaceIcmpIdentifier(transport, port),
            IpProtocol.Sctp => TryReplacePortsAlone(transport, port, isSource),
            _ => true,
        };

    private static bool TryReplaceTcp(
        Span<byte> transport, int lengthBytes, uint oldAddress, uint address, ushort port, bool isSource, bool isPartial)
    {
        if (transport.Length < 8)
        {
            return false;
        }

        Span<byte> field = transport[(isSource ? 0 : 2)..];
        ushort oldPort = BinaryPrimitives.ReadUInt16BigEndian(field);
        BinaryPrimitives.WriteUInt16BigEndian(field, port);
        if (lengthBytes < TcpHeaderMinimum || transport.Length < TcpHeaderMinimum)
        {
            // An ICMP error quotes eight bytes: there is no checksum to carry along.
            return true;
        }

        UpdateChecksum(transport[TcpChecksumOffset..], oldAddress, address, oldPort, port, isPartial);
        return true;
    }

    private static bool TryReplaceUdp(
        Span<byte> transport, uint oldAddress, uint address, ushort port, bool isSource, bool isPartial,
        ZeroUdpChecksum zero, Packet? packet, bool? replacesSource)
    {
        if (transport.Length < UdpHeaderBytes)
        {
            return false;
        }

        Span<byte> field = transport[(isSource ? 0 : 2)..];
        ushort oldPort = BinaryPrimitives.ReadUInt16BigEndian(field);
        BinaryPrimitives.WriteUInt16BigEndian(field, port);
        Span<byte> checksum = transport[UdpChecksumOffset..];
        if (isPartial)
        {
            UpdateChecksum(checksum, oldAddress, address, oldPort, port, isPartial: true);
        }
        else if (BinaryPrimitives.ReadUInt16BigEndian(checksum) != 0)
        {
            UpdateChecksum(checksum, oldAddress, address, oldPort, port, isPartial: false);
            if (BinaryPrimitives.ReadUInt16BigEndian(checksum) == 0)
            {
                BinaryPrimitives.WriteUInt16BigEndian(checksum, 0xFFFF);
            }
        }
        else if (zero == ZeroUdpChecksum.Compute && packet is not null && packet.CapturedBytes >= packet.LengthBytes)
        {
            uint source = replacesSource == true ? address : packet.Source;
            uint destination = replacesSource == true ? packet.Destination : address;
            Span<byte> datagram = transport[..packet.TransportLengthBytes];
            uint sum = InternetChecksum.PseudoHeaderSum(
                new Ipv4Address(source), new Ipv4Address(destination), IpProtocol.Udp, datagram.Length);
            ushort full = InternetChecksum.Finish(InternetChecksum.Sum(datagram, sum));
            BinaryPrimitives.WriteUInt16BigEndian(checksum, full == 0 ? (ushort)0xFFFF : full);
        }

        return true;
    }

    private static bool TryReplaceIcmpIdentifier(Span<byte> transport, ushort identifier)
    {
        if (transport.Length < IcmpHeaderBytes)
        {
            return false;
        }

        if (!Icmp.IsQuery((IcmpType)transport[0]))
        {
            return true;
        }

        Span<byte> field = transport[IcmpIdentifierOffset..];
        ChecksumDelta delta = default;
        delta.Replace(BinaryPrimitives.ReadUInt16BigEndian(field), identifier);
        BinaryPrimitives.WriteUInt16BigEndian(field, identifier);
        Span<byte> checksum = transport[IcmpChecksumOffset..];
        BinaryPrimitives.WriteUInt16BigEndian(checksum, delta.ApplyTo(BinaryPrimitives.ReadUInt16BigEndian(checksum)));
        return true;
    }

    // SCTP's and DCCP's sums are not the Internet checksum or do not cover addresses as TCP's does; what Linux recomputes
    // for them (CRC32c) is beyond what Swarm's load balancer serves.
    private static bool TryReplacePortsAlone(Span<byte> transport, ushort port, bool isSource)
    {
        if (transport.Length < 8)
        {
            return false;
        }

        BinaryPrimitives.WriteUInt16BigEndian(transport[(isSource ? 0 : 2)..], port);
        return true;
    }

    private static void UpdateChecksum(
        Span<byte> field, uint oldAddress, uint address, ushort oldPort, ushort port, bool isPartial)
    {
        ushort checksum = BinaryPrimitives.ReadUInt16BigEndian(field);
        ChecksumDelta delta = default;
        delta.Replace(oldAddress, address);
        if (isPartial)
        {
            // The sum of the pseudo-header alone, not complemented: ports are added by whoever finishes it.
            BinaryPrimitives.WriteUInt16BigEndian(field, delta.ApplyToPartial(checksum));
            return;
        }

        delta.Replace(oldPort, port);
        BinaryPrimitives.WriteUInt16BigEndian(field, delta.ApplyTo(checksum));
    }
}
