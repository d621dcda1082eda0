using FastPathLb.Wire;
using PacketDotNet;
using PacketDotNet.Utils;

namespace FastPathLb.SharpPcap.Tests;

/// <summary>The part of <see cref="PacketDotNetComparison"/> above IPv4: TCP, UDP with VXLAN, ICMP, and their checksums.</summary>
internal sealed class TransportComparison
{
    private readonly PacketDotNetComparison _frames;
    private readonly Findings _findings;

    public TransportComparison(PacketDotNetComparison frames, Findings findings)
    {
        _frames = frames;
        _findings = findings;
    }

    /// <summary>Compares what an IPv4 packet carries.</summary>
    public void Compare(string path, Ipv4Header ip, IPv4Packet theirs)
    {
        switch (ip.Protocol)
        {
            case IpProtocol.Tcp:
                CompareTcp(path, ip.Payload, theirs);
                break;

            case IpProtocol.Udp:
                CompareUdp(path, ip.Payload, theirs);
                break;

            case IpProtocol.Icmp:
                CompareIcmp(path, ip.Payload, theirs);
                break;

            default:
                _findings.Count(path + "other protocol");
                break;
        }
    }

    private void CompareTcp(string path, ReadOnlySpan<byte> bytes, Packet parent)
    {
        if (!TcpHeader.TryParse(bytes, out TcpHeader ours))
        {
            _findings.Pass("PacketDotNet makes a TCP packet of any bytes");
            return;
        }

        path += "TCP ";
        if (!_findings.TryGetCarried(path, parent, out TcpPacket? theirs))
        {
            return;
        }

        _findings.Count(path);
        _findings.Equal(path + "source port", ours.SourcePort, theirs!.SourcePort);
        _findings.Equal(path + "destination port", ours.DestinationPort, theirs.DestinationPort);
        _findings.Equal(path + "sequence number", ours.SequenceNumber, theirs.SequenceNumber);
        _findings.Equal(path + "acknowledgment number", ours.AcknowledgmentNumber, theirs.AcknowledgmentNumber);
        _findings.Equal(path + "data offset", ours.DataOffsetBytes, theirs.DataOffset * 4);

        // PacketDotNet has the ninth bit, NS, which RFC 8311 gave back to the reserved ones.
        _findings.Equal(path + "flags", (int)ours.Flags, theirs.Flags & 0xFF);
        _findings.Equal(path + "window", ours.Window, theirs.WindowSize);
        _findings.Equal(path + "checksum", ours.Checksum, theirs.Checksum);

        // PacketDotNet has the urgent pointer as a signed number.
        _findings.Equal(path + "urgent pointer", ours.UrgentPointer, (ushort)theirs.UrgentPointer);
        if (!ours.IsDataOffsetValid)
        {
            _findings.Pass("PacketDotNet does not judge the TCP data offset");
            return;
        }

        _findings.Same(path + "payload", ours.Payload, theirs.HeaderDataSegment);
        if (theirs.Urgent)
        {
            _findings.Pass("PacketDotNet throws at TCP options beside URG");
            return;
        }

        _findings.Same(path + "options", ours.Options, theirs.OptionsSegment);
    }

    private void CompareUdp(string path, ReadOnlySpan<byte> bytes, Packet parent)
    {
        if (!UdpHeader.TryParse(bytes, out UdpHeader ours))
        {
            _findings.Pass("PacketDotNet makes a UDP packet of any bytes");
            return;
        }

        path += "UDP ";
        if (!_findings.TryGetCarried(path, parent, out UdpPacket? theirs))
        {
            return;
        }

        _findings.Count(path);
        _findings.Equal(path + "source port", ours.SourcePort, theirs!.SourcePort);
        _findings.Equal(path + "destination port", ours.DestinationPort, theirs.DestinationPort);

        // PacketDotNet has the length as a signed number.
        _findings.Equal(path + "length", ours.Length, (ushort)theirs.Length);
        _findings.Equal(path + "checksum", ours.Checksum, theirs.Checksum);

        // PacketDotNet takes all the rest of the IPv4 payload, whatever the UDP length says.
        _findings.Same(path + "payload", ours.Payload, theirs.HeaderSegment.NextSegment(ours.Payload.Length));
        if (ours.DestinationPort == VxlanHeader.UdpPort)
        {
            CompareVxlan(path, ours.Payload, theirs);
        }
    }

    private void CompareVxlan(string path, ReadOnlySpan<byte> bytes, Packet parent)
    {
        if (!VxlanHeader.TryParse(bytes, out VxlanHeader ours))
        {
            _findings.Pass("PacketDotNet makes a VXLAN packet of any bytes");
            return;
        }

        path += "VXLAN ";
        if (!_findings.TryGetCarried(path, parent, out VxlanPacket? theirs))
        {
            return;
        }

        _findings.Count(path);
        _findings.Equal(path + "flags", ours.Flags, theirs!.Flags);
        _findings.Equal(path + "identifier", ours.Vni.Value, theirs.Vni);
        if (theirs.HeaderDataSegment.Length != ours.Payload.Length)
        {
            _findings.Pass("PacketDotNet's inner frame goes on to the end of the outer IPv4 payload, whatever the UDP length says");
            return;
        }

        if (_findings.TryGetCarried(path, theirs, out EthernetPacket? inner))
        {
            _frames.CompareEthernet(path, ours.Payload, inner!);
        }
    }

    private void CompareIcmp(string path, ReadOnlySpan<byte> bytes, Packet parent)
    {
        if (!IcmpHeader.TryParse(bytes, out IcmpHeader ours))
        {
            _findings.Pass("PacketDotNet makes an ICMP packet of any bytes");
            return;
        }

        path += "ICMP ";
        if (!_findings.TryGetCarried(path, parent, out IcmpV4Packet? theirs))
        {
            return;
        }

        _findings.Count(path);
        _findings.Equal(path + "type and code", ((int)ours.Type << 8) | ours.Code, (int)theirs!.TypeCode);
        _findings.Equal(path + "checksum", ours.Checksum, theirs.Checksum);
        _findings.Equal(path + "identifier", ours.Identifier, theirs.Id);
        _findings.Equal(path + "sequence number", ours.SequenceNumber, theirs.Sequence);
        _findings.Same(path + "payload", ours.Payload, theirs.HeaderDataSegment);

        // PacketDotNet leaves the datagram in an error to its user, who would make a packet of it so.
        if (ours.TryGetEmbedded(out ReadOnlySpan<byte> embedded) && Ipv4Header.TryParse(embedded, out Ipv4Header embeddedIpv4)
            && embeddedIpv4.TotalLength >= Ipv4Header.MinimumLengthBytes)
        {
            _frames.CompareIpv4(path + "embedded IPv4 ", embedded, embeddedIpv4, new IPv4Packet(new ByteArraySegment(theirs.Data)));
        }
    }

    /// <summary>Compares whether the checksum of what an IPv4 packet carries is right, where all that it sums is there.</summary>
    /// <remarks>
    /// On a packet of its own, with nothing decoded in it: PacketDotNet "updates calculated values" (lengths) in the bytes of the
    /// packet, and of all packets inside, before it sums them.
    /// </remarks>
    public void CompareChecksum(string path, ReadOnlySpan<byte> bytes, Ipv4Header ours)
    {
        ReadOnlySpan<byte> segment = ours.Payload;
        if (ours.IsFragment || segment.Length != ours.TotalLength - ours.HeaderLengthBytes)
        {
            return;
        }

        bool isCorrect;
        Func<Packet, bool?> isTheirsCorrect;
        switch (ours.Protocol)
        {
            case IpProtocol.Tcp when TcpHeader.TryParse(segment, out TcpHeader tcp) && tcp.IsDataOffsetValid:
                isCorrect = IsTransportSumCorrect(ours, segment);
                isTheirsCorrect = packet => (packet as TcpPacket)?.ValidTcpChecksum;
                break;

            case IpProtocol.Udp when UdpHeader.TryParse(segment, out UdpHeader udp):
                if (!udp.HasChecksum)
                {
                    _findings.Pass("PacketDotNet finds a UDP checksum of 0 wrong, which says that there is none (RFC 768)");
                    return;
                }

                if (udp.Length != segment.Length)
                {
                    _findings.Pass("PacketDotNet sums the whole IPv4 payload and corrects the UDP length first");
                    return;
                }

                isCorrect = IsTransportSumCorrect(ours, segment);
                isTheirsCorrect = packet => (packet as UdpPacket)?.ValidUdpChecksum;
                break;

            case IpProtocol.Icmp when segment.Length >= IcmpHeader.MinimumLengthBytes:
                isCorrect = InternetChecksum.Compute(segment) == 0;
                isTheirsCorrect = packet => (packet as IcmpV4Packet)?.ValidIcmpChecksum;
                break;

            default:
                return;
        }

        _findings.Count(path + "transport checksum");
        Func<ByteArraySegment, TransportPacket, PacketOrByteArraySegment> decoder = TransportPacket.CustomPayloadDecoder;
        TransportPacket.CustomPayloadDecoder = static (payload, _) => new PacketOrByteArraySegment { ByteArraySegment = payload };
        try
        {
            var theirs = new IPv4Packet(new ByteArraySegment(bytes[..ours.TotalLength].ToArray()));
            _findings.Equal(path + ours.Protocol + " checksum is correct", isCorrect, isTheirsCorrect(theirs.PayloadPacket));
        }
        finally
        {
            TransportPacket.CustomPayloadDecoder = decoder;
        }
    }

    private static bool IsTransportSumCorrect(Ipv4Header ip, ReadOnlySpan<byte> segment) =>
        InternetChecksum.Finish(
            InternetChecksum.Sum(
                segment,
                InternetChecksum.PseudoHeaderSum(ip.Source, ip.Destination, ip.Protocol, segment.Length))) == 0;
}
