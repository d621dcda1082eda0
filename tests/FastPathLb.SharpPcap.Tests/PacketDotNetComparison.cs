using System.Net;
using System.Net.NetworkInformation;
using FastPathLb.Io.Captures;
using FastPathLb.Wire;
using PacketDotNet;
using PacketDotNet.Utils;

namespace FastPathLb.SharpPcap.Tests;

/// <summary>Reads frames with our views and with PacketDotNet, header by header, and collects where the two differ.</summary>
/// <remarks>
/// Where PacketDotNet takes what is no header, throws, or is wrong, there is nothing to compare with: <see cref="Pass"/> has
/// the reason, one line each, and counts how often.
/// </remarks>
internal sealed class PacketDotNetComparison
{
    private readonly List<string> _differences = [];
    private readonly SortedDictionary<string, int> _compared = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _passed = new(StringComparer.Ordinal);
    private string _where = "";

    /// <summary>What the two do not agree on, one line each.</summary>
    public IReadOnlyList<string> Differences => _differences;

    /// <summary>How many headers of each kind were compared.</summary>
    public IReadOnlyDictionary<string, int> Compared => _compared;

    /// <summary>What was not compared, and how often.</summary>
    public IReadOnlyDictionary<string, int> Passed => _passed;

    /// <summary>Compares what both make of one frame.</summary>
    public void Compare(string where, LinkType linkType, ReadOnlySpan<byte> frame) => Compare(where, linkType, frame, frame.ToArray());

    /// <summary>Compares what we make of one frame and PacketDotNet of another, which should be the same.</summary>
    /// <param name="where">Name of the frame in messages.</param>
    /// <param name="linkType">What both begin with.</param>
    /// <param name="frame">Ours.</param>
    /// <param name="theirFrame">Theirs; PacketDotNet may write into it.</param>
    public void Compare(string where, LinkType linkType, ReadOnlySpan<byte> frame, byte[] theirFrame)
    {
        _where = where;
        if (linkType == LinkType.Ethernet)
        {
            CompareEthernet("", frame, new EthernetPacket(new ByteArraySegment(theirFrame)));
            return;
        }

        bool isOurs = LinkLayer.TryGetNetworkPacket(linkType, frame, out ushort etherType, out ReadOnlySpan<byte> packet);
        if (!isOurs)
        {
            Pass("PacketDotNet makes a link-layer packet of any bytes");
            return;
        }

        if (linkType is not (LinkType.Null or LinkType.Raw or LinkType.LinuxSll or LinkType.LinuxSll2))
        {
            Pass($"PacketDotNet does not know link type {linkType}");
            return;
        }

        Packet theirs = Packet.ParsePacket((LinkLayers)linkType, theirFrame);
        Count(linkType.ToString());
        EthernetType? theirType = theirs switch
        {
            LinuxSllPacket cooked => cooked.EthernetProtocolType,
            LinuxSll2Packet cooked => cooked.EthernetProtocolType,
            _ => null,
        };
        if (theirType is not null)
        {
            Equal("protocol", etherType, (ushort)theirType);
        }

        CompareNetwork("", (EtherType)etherType, packet, theirs);
    }

    private void CompareEthernet(string path, ReadOnlySpan<byte> bytes, EthernetPacket theirs)
    {
        if (!EthernetHeader.TryParse(bytes, out EthernetHeader ours))
        {
            Pass("PacketDotNet makes an Ethernet packet of any bytes");
            return;
        }

        path += "Ethernet ";
        Count(path);
        Equal(path + "destination", ours.Destination, Mac(theirs.DestinationHardwareAddress));
        Equal(path + "source", ours.Source, Mac(theirs.SourceHardwareAddress));
        Equal(path + "type", (ushort)ours.EtherType, (ushort)theirs.Type);
        Same(path + "payload", ours.Payload, theirs.HeaderDataSegment);
        CompareNetwork(path, ours.EtherType, ours.Payload, theirs);
    }

    private void CompareNetwork(string path, EtherType etherType, ReadOnlySpan<byte> bytes, Packet parent)
    {
        switch (etherType)
        {
            case EtherType.Arp:
                CompareArp(path, bytes, parent);
                break;

            case EtherType.Ipv4:
                CompareIpv4(path, bytes, parent);
                break;

            case EtherType.Ipv6:
                CompareIpv6(path, bytes, parent);
                break;

            case EtherType.Vlan or EtherType.QinQ:
                CompareVlan(path, bytes, parent);
                break;

            default:
                Count(path + "other type");
                break;
        }
    }

    private void CompareVlan(string path, ReadOnlySpan<byte> bytes, Packet parent)
    {
        if (!VlanTag.TryParse(bytes, out VlanTag ours))
        {
            Pass("PacketDotNet makes an 802.1Q tag of any bytes");
            return;
        }

        path += "802.1Q ";
        if (!TryGetCarried(path, parent, out Ieee8021QPacket? theirs))
        {
            return;
        }

        Count(path);
        Equal(path + "priority", ours.Priority, (int)theirs!.PriorityControlPoint);
        Equal(path + "drop eligible", ours.DropEligible, theirs.CanonicalFormatIndicator);
        Equal(path + "identifier", ours.VlanId, theirs.VlanIdentifier);
        Equal(path + "type", (ushort)ours.EtherType, (ushort)theirs.Type);
        Same(path + "payload", ours.Payload, theirs.HeaderDataSegment);
        CompareNetwork(path, ours.EtherType, ours.Payload, theirs);
    }

    private void CompareArp(string path, ReadOnlySpan<byte> bytes, Packet parent)
    {
        path += "ARP ";
        if (!TryGetCarried(path, parent, out ArpPacket? theirs))
        {
            return;
        }

        if (bytes.Length < ArpHeader.MinimumLengthBytes)
        {
            Pass("PacketDotNet makes an ARP packet of any bytes");
            return;
        }

        bool isEthernetIpv4 = theirs!.HardwareAddressType == LinkLayers.Ethernet && theirs.ProtocolAddressType == EthernetType.IPv4
            && theirs.HardwareAddressLength == MacAddress.LengthBytes && theirs.ProtocolAddressLength == Ipv4Address.LengthBytes;
        Equal(path + "is for IPv4 over Ethernet", ArpHeader.TryParse(bytes, out ArpHeader ours), isEthernetIpv4);
        if (!isEthernetIpv4)
        {
            return;
        }

        Count(path);
        Equal(path + "operation", (ushort)ours.Operation, (ushort)theirs.Operation);
        Equal(path + "sender MAC", ours.SenderMac, Mac(theirs.SenderHardwareAddress));
        Equal(path + "sender address", ours.SenderAddress, Address(theirs.SenderProtocolAddress));
        Equal(path + "target MAC", ours.TargetMac, Mac(theirs.TargetHardwareAddress));
        Equal(path + "target address", ours.TargetAddress, Address(theirs.TargetProtocolAddress));
    }

    private void CompareIpv4(string path, ReadOnlySpan<byte> bytes, Packet parent)
    {
        if (!Ipv4Header.TryParse(bytes, out Ipv4Header ours))
        {
            Pass("PacketDotNet judges neither version nor header length of IPv4");
            return;
        }

        if (ours.TotalLength is > 0 and < Ipv4Header.MinimumLengthBytes)
        {
            Pass("PacketDotNet throws at an IPv4 total length below 20; with us the data path judges it");
            return;
        }

        path += "IPv4 ";
        if (!TryGetCarried(path, parent, out IPv4Packet? theirs))
        {
            return;
        }

        CompareIpv4(path, bytes, ours, theirs!);
    }

    private void CompareIpv4(string path, ReadOnlySpan<byte> bytes, Ipv4Header ours, IPv4Packet theirs)
    {
        Count(path);
        Equal(path + "version", ours.Version, (int)theirs.Version);
        Equal(path + "header length", ours.HeaderLengthBytes, theirs.HeaderLength * 4);
        Equal(path + "type of service", ours.TypeOfService, theirs.TypeOfService);
        Equal(path + "identification", ours.Identification, theirs.Id);

        // PacketDotNet shifts the flags out of a signed number: a set reserved bit makes them negative.
        Equal(path + "flags", ours.FragmentField >> 13, theirs.FragmentFlags & 7);
        Equal(path + "fragment offset", ours.FragmentOffsetBytes, theirs.FragmentOffset * 8);
        Equal(path + "time to live", ours.TimeToLive, theirs.TimeToLive);
        Equal(path + "protocol", (int)ours.Protocol, (int)theirs.Protocol);
        Equal(path + "checksum", ours.Checksum, theirs.Checksum);
        Equal(path + "source", ours.Source, Address(theirs.SourceAddress));
        Equal(path + "destination", ours.Destination, Address(theirs.DestinationAddress));
        Same(path + "options", ours.Options, theirs.HeaderSegment, Ipv4Header.MinimumLengthBytes);
        if (ours.TotalLength == 0)
        {
            Pass("PacketDotNet takes an IPv4 total length of 0 for segmentation offload, and overwrites it");
            return;
        }

        Equal(path + "total length", ours.TotalLength, theirs.TotalLength);
        Equal(path + "checksum is correct", ours.IsChecksumCorrect, theirs.ValidIPChecksum);
        if (ours.TotalLength < ours.HeaderLengthBytes)
        {
            Pass("PacketDotNet's payload length wraps around where the IPv4 total length is below the header length");
            return;
        }

        Same(path + "payload", ours.Payload, theirs.HeaderSegment.NextSegment(theirs.PayloadLength));
        if (ours.FragmentOffsetBytes == 0)
        {
            CompareTransport(path, ours, theirs);
            CompareTransportSum(path, bytes, ours);
        }
    }

    private void CompareTransport(string path, Ipv4Header ip, IPv4Packet theirs)
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
                Count(path + "other protocol");
                break;
        }
    }

    private void CompareTcp(string path, ReadOnlySpan<byte> bytes, Packet parent)
    {
        if (!TcpHeader.TryParse(bytes, out TcpHeader ours))
        {
            Pass("PacketDotNet makes a TCP packet of any bytes");
            return;
        }

        path += "TCP ";
        if (!TryGetCarried(path, parent, out TcpPacket? theirs))
        {
            return;
        }

        Count(path);
        Equal(path + "source port", ours.SourcePort, theirs!.SourcePort);
        Equal(path + "destination port", ours.DestinationPort, theirs.DestinationPort);
        Equal(path + "sequence number", ours.SequenceNumber, theirs.SequenceNumber);
        Equal(path + "acknowledgment number", ours.AcknowledgmentNumber, theirs.AcknowledgmentNumber);
        Equal(path + "data offset", ours.DataOffsetBytes, theirs.DataOffset * 4);

        // PacketDotNet has the ninth bit, NS, which RFC 8311 gave back to the reserved ones.
        Equal(path + "flags", (int)ours.Flags, theirs.Flags & 0xFF);
        Equal(path + "window", ours.Window, theirs.WindowSize);
        Equal(path + "checksum", ours.Checksum, theirs.Checksum);

        // PacketDotNet has the urgent pointer as a signed number.
        Equal(path + "urgent pointer", ours.UrgentPointer, (ushort)theirs.UrgentPointer);
        if (!ours.IsDataOffsetValid)
        {
            Pass("PacketDotNet does not judge the TCP data offset");
            return;
        }

        Same(path + "payload", ours.Payload, theirs.HeaderDataSegment);
        if (theirs.Urgent)
        {
            Pass("PacketDotNet throws at TCP options beside URG");
            return;
        }

        Same(path + "options", ours.Options, theirs.OptionsSegment);
    }

    private void CompareUdp(string path, ReadOnlySpan<byte> bytes, Packet parent)
    {
        if (!UdpHeader.TryParse(bytes, out UdpHeader ours))
        {
            Pass("PacketDotNet makes a UDP packet of any bytes");
            return;
        }

        path += "UDP ";
        if (!TryGetCarried(path, parent, out UdpPacket? theirs))
        {
            return;
        }

        Count(path);
        Equal(path + "source port", ours.SourcePort, theirs!.SourcePort);
        Equal(path + "destination port", ours.DestinationPort, theirs.DestinationPort);

        // PacketDotNet has the length as a signed number.
        Equal(path + "length", ours.Length, (ushort)theirs.Length);
        Equal(path + "checksum", ours.Checksum, theirs.Checksum);

        // PacketDotNet takes all the rest of the IPv4 payload, whatever the UDP length says.
        Same(path + "payload", ours.Payload, theirs.HeaderSegment.NextSegment(ours.Payload.Length));
        if (ours.DestinationPort == VxlanHeader.UdpPort)
        {
            CompareVxlan(path, ours.Payload, theirs);
        }
    }

    private void CompareVxlan(string path, ReadOnlySpan<byte> bytes, Packet parent)
    {
        if (!VxlanHeader.TryParse(bytes, out VxlanHeader ours))
        {
            Pass("PacketDotNet makes a VXLAN packet of any bytes");
            return;
        }

        path += "VXLAN ";
        if (!TryGetCarried(path, parent, out VxlanPacket? theirs))
        {
            return;
        }

        Count(path);
        Equal(path + "flags", ours.Flags, theirs!.Flags);
        Equal(path + "identifier", ours.Vni.Value, theirs.Vni);
        if (theirs.HeaderDataSegment.Length != ours.Payload.Length)
        {
            Pass("PacketDotNet's inner frame goes on to the end of the outer IPv4 payload, whatever the UDP length says");
            return;
        }

        if (TryGetCarried(path, theirs, out EthernetPacket? inner))
        {
            CompareEthernet(path, ours.Payload, inner!);
        }
    }

    private void CompareIcmp(string path, ReadOnlySpan<byte> bytes, Packet parent)
    {
        if (!IcmpHeader.TryParse(bytes, out IcmpHeader ours))
        {
            Pass("PacketDotNet makes an ICMP packet of any bytes");
            return;
        }

        path += "ICMP ";
        if (!TryGetCarried(path, parent, out IcmpV4Packet? theirs))
        {
            return;
        }

        Count(path);
        Equal(path + "type and code", ((int)ours.Type << 8) | ours.Code, (int)theirs!.TypeCode);
        Equal(path + "checksum", ours.Checksum, theirs.Checksum);
        Equal(path + "identifier", ours.Identifier, theirs.Id);
        Equal(path + "sequence number", ours.SequenceNumber, theirs.Sequence);
        Same(path + "payload", ours.Payload, theirs.HeaderDataSegment);

        // PacketDotNet leaves the datagram in an error to its user, who would make a packet of it so.
        if (ours.TryGetEmbedded(out ReadOnlySpan<byte> embedded) && Ipv4Header.TryParse(embedded, out Ipv4Header embeddedIpv4)
            && embeddedIpv4.TotalLength >= Ipv4Header.MinimumLengthBytes)
        {
            CompareIpv4(path + "embedded IPv4 ", embedded, embeddedIpv4, new IPv4Packet(new ByteArraySegment(theirs.Data)));
        }
    }

    private void CompareIpv6(string path, ReadOnlySpan<byte> bytes, Packet parent)
    {
        if (!Ipv6Header.TryParse(bytes, out Ipv6Header ours))
        {
            Pass("PacketDotNet does not judge the version of IPv6");
            return;
        }

        path += "IPv6 ";
        if (!TryGetCarried(path, parent, out IPv6Packet? theirs))
        {
            return;
        }

        Count(path);
        Equal(path + "version", ours.Version, (int)theirs!.Version);
        Equal(path + "traffic class", ours.TrafficClass, theirs.TrafficClass);
        Equal(path + "flow label", ours.FlowLabel, (uint)theirs.FlowLabel);
        Equal(path + "payload length", ours.PayloadLength, theirs.PayloadLength);
        Equal(path + "next header", (int)ours.NextHeader, (int)theirs.NextHeader);
        Equal(path + "hop limit", ours.HopLimit, theirs.HopLimit);
        Equal(path + "source", ours.Source, Address6(theirs.SourceAddress));
        Equal(path + "destination", ours.Destination, Address6(theirs.DestinationAddress));

        // PacketDotNet counts the extension headers to the header; with us they are payload.
        if (theirs.ExtensionHeadersLength == 0)
        {
            Same(path + "payload", ours.Payload, theirs.HeaderSegment.NextSegment(theirs.PayloadLength));
        }
    }

    // On a packet of its own, with nothing decoded in it: PacketDotNet "updates calculated values" (lengths) in the bytes of the
    // packet and of all packets inside before it sums them.
    private void CompareTransportSum(string path, ReadOnlySpan<byte> bytes, Ipv4Header ours)
    {
        ReadOnlySpan<byte> segment = ours.Payload;
        if (ours.IsFragment || segment.Length != ours.TotalLength - ours.HeaderLengthBytes)
        {
            return; // Not all there is to sum is there.
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
                    Pass("PacketDotNet finds a UDP checksum of 0 wrong, which says that there is none (RFC 768)");
                    return;
                }

                if (udp.Length != segment.Length)
                {
                    Pass("PacketDotNet sums the whole IPv4 payload and corrects the UDP length first");
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

        Count(path + "transport checksum");
        Func<ByteArraySegment, TransportPacket, PacketOrByteArraySegment> decoder = TransportPacket.CustomPayloadDecoder;
        TransportPacket.CustomPayloadDecoder = static (payload, _) => new PacketOrByteArraySegment { ByteArraySegment = payload };
        try
        {
            var theirs = new IPv4Packet(new ByteArraySegment(bytes[..ours.TotalLength].ToArray()));
            Equal(path + ours.Protocol + " checksum is correct", isCorrect, isTheirsCorrect(theirs.PayloadPacket));
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

    private bool TryGetCarried<T>(string path, Packet parent, out T? carried)
        where T : Packet
    {
        try
        {
            carried = parent.PayloadPacket as T;
            if (carried is null)
            {
                Differ($"{path}: we have one, PacketDotNet has {parent.PayloadPacket?.GetType().Name ?? "nothing"}");
            }
        }
        catch (Exception problem)
        {
            Differ($"{path}: we have one, PacketDotNet throws {problem.GetType().Name}: {problem.Message}");
            carried = null;
        }

        return carried is not null;
    }

    private void Equal<T>(string field, T ours, T theirs)
    {
        if (!EqualityComparer<T>.Default.Equals(ours, theirs))
        {
            Differ($"{field}: ours {ours}, PacketDotNet's {theirs}");
        }
    }

    private void Same(string field, ReadOnlySpan<byte> ours, ByteArraySegment theirs, int offset = 0)
    {
        byte[] bytes = theirs.ActualBytes();
        if (!ours.SequenceEqual(bytes.AsSpan(offset)))
        {
            Differ($"{field}: ours {ours.Length} bytes, PacketDotNet's {bytes.Length - offset}, "
                + $"the same up to byte {ours.CommonPrefixLength(bytes.AsSpan(offset))}");
        }
    }

    private void Differ(string difference) => _differences.Add($"{_where}: {difference}");

    private void Count(string header) => _compared[header] = _compared.GetValueOrDefault(header) + 1;

    private void Pass(string reason) => _passed[reason] = _passed.GetValueOrDefault(reason) + 1;

    private static MacAddress Mac(PhysicalAddress address) => MacAddress.Read(address.GetAddressBytes());

    private static Ipv4Address Address(IPAddress address) => Ipv4Address.Read(address.GetAddressBytes());

    private static Ipv6Address Address6(IPAddress address) => Ipv6Address.Read(address.GetAddressBytes());
}
