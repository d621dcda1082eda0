using System.Net;
using System.Net.NetworkInformation;
using FastPathLb.Io.Captures;
using FastPathLb.Wire;
using PacketDotNet;
using PacketDotNet.Utils;

namespace FastPathLb.SharpPcap.Tests;

/// <summary>Reads frames with our views and with PacketDotNet, header by header.</summary>
/// <remarks>
/// Where PacketDotNet takes what is no header, throws, or is wrong, there is nothing to compare with: <see cref="Findings"/> has
/// the reason, one line each, and counts how often.
/// </remarks>
internal sealed class PacketDotNetComparison
{
    private readonly TransportComparison _transport;

    public PacketDotNetComparison() => _transport = new TransportComparison(this, Findings);

    /// <summary>Where the two differ, what was compared, and what was not.</summary>
    public Findings Findings { get; } = new();

    /// <summary>Compares what both make of one frame.</summary>
    public void Compare(string where, LinkType linkType, ReadOnlySpan<byte> frame) => Compare(where, linkType, frame, frame.ToArray());

    /// <summary>Compares what we make of one frame and PacketDotNet of another, which should be the same.</summary>
    /// <param name="where">Name of the frame in messages.</param>
    /// <param name="linkType">What both begin with.</param>
    /// <param name="frame">Ours.</param>
    /// <param name="theirFrame">Theirs; PacketDotNet may write into it.</param>
    public void Compare(string where, LinkType linkType, ReadOnlySpan<byte> frame, byte[] theirFrame)
    {
        Findings.Where = where;
        if (linkType == LinkType.Ethernet)
        {
            CompareEthernet("", frame, new EthernetPacket(new ByteArraySegment(theirFrame)));
            return;
        }

        if (linkType == LinkType.Loop)
        {
            Findings.Pass("PacketDotNet does not know OpenBSD's loopback");
            return;
        }

        bool isOurs = LinkLayer.TryGetNetworkPacket(linkType, frame, out ushort etherType, out ReadOnlySpan<byte> packet);
        if (!isOurs)
        {
            Findings.Pass("PacketDotNet makes a link-layer packet of any bytes");
            return;
        }

        // PacketDotNet has one link type for IP alone, and tells the version by the first four bits.
        Packet theirs = Packet.ParsePacket(linkType is LinkType.Ipv4 or LinkType.Ipv6 ? LinkLayers.Raw : (LinkLayers)linkType, theirFrame);
        Findings.Count(linkType.ToString());
        EthernetType? theirType = theirs switch
        {
            LinuxSllPacket cooked => cooked.EthernetProtocolType,
            LinuxSll2Packet cooked => cooked.EthernetProtocolType,
            _ => null,
        };
        if (theirType is not null)
        {
            Findings.Equal("protocol", etherType, (ushort)theirType);
        }

        CompareNetwork("", (EtherType)etherType, packet, theirs);
    }

    /// <summary>Compares an Ethernet frame and all inside.</summary>
    public void CompareEthernet(string path, ReadOnlySpan<byte> bytes, EthernetPacket theirs)
    {
        if (!EthernetHeader.TryParse(bytes, out EthernetHeader ours))
        {
            Findings.Pass("PacketDotNet makes an Ethernet packet of any bytes");
            return;
        }

        path += "Ethernet ";
        Findings.Count(path);
        Findings.Equal(path + "destination", ours.Destination, Mac(theirs.DestinationHardwareAddress));
        Findings.Equal(path + "source", ours.Source, Mac(theirs.SourceHardwareAddress));
        Findings.Equal(path + "type", (ushort)ours.EtherType, (ushort)theirs.Type);
        Findings.Same(path + "payload", ours.Payload, theirs.HeaderDataSegment);
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
                Findings.Count(path + "other type");
                break;
        }
    }

    private void CompareVlan(string path, ReadOnlySpan<byte> bytes, Packet parent)
    {
        if (!VlanTag.TryParse(bytes, out VlanTag ours))
        {
            Findings.Pass("PacketDotNet makes an 802.1Q tag of any bytes");
            return;
        }

        path += "802.1Q ";
        if (!Findings.TryGetCarried(path, parent, out Ieee8021QPacket? theirs))
        {
            return;
        }

        Findings.Count(path);
        Findings.Equal(path + "priority", ours.Priority, (int)theirs!.PriorityControlPoint);
        Findings.Equal(path + "drop eligible", ours.DropEligible, theirs.CanonicalFormatIndicator);
        Findings.Equal(path + "identifier", ours.VlanId, theirs.VlanIdentifier);
        Findings.Equal(path + "type", (ushort)ours.EtherType, (ushort)theirs.Type);
        Findings.Same(path + "payload", ours.Payload, theirs.HeaderDataSegment);
        CompareNetwork(path, ours.EtherType, ours.Payload, theirs);
    }

    private void CompareArp(string path, ReadOnlySpan<byte> bytes, Packet parent)
    {
        path += "ARP ";
        if (!Findings.TryGetCarried(path, parent, out ArpPacket? theirs))
        {
            return;
        }

        if (bytes.Length < ArpHeader.MinimumLengthBytes)
        {
            Findings.Pass("PacketDotNet makes an ARP packet of any bytes");
            return;
        }

        bool isEthernetIpv4 = theirs!.HardwareAddressType == LinkLayers.Ethernet && theirs.ProtocolAddressType == EthernetType.IPv4
            && theirs.HardwareAddressLength == MacAddress.LengthBytes && theirs.ProtocolAddressLength == Ipv4Address.LengthBytes;
        Findings.Equal(path + "is for IPv4 over Ethernet", ArpHeader.TryParse(bytes, out ArpHeader ours), isEthernetIpv4);
        if (!isEthernetIpv4)
        {
            return;
        }

        Findings.Count(path);
        Findings.Equal(path + "operation", (ushort)ours.Operation, (ushort)theirs.Operation);
        Findings.Equal(path + "sender MAC", ours.SenderMac, Mac(theirs.SenderHardwareAddress));
        Findings.Equal(path + "sender address", ours.SenderAddress, Address(theirs.SenderProtocolAddress));
        Findings.Equal(path + "target MAC", ours.TargetMac, Mac(theirs.TargetHardwareAddress));
        Findings.Equal(path + "target address", ours.TargetAddress, Address(theirs.TargetProtocolAddress));
    }

    private void CompareIpv4(string path, ReadOnlySpan<byte> bytes, Packet parent)
    {
        if (!Ipv4Header.TryParse(bytes, out Ipv4Header ours))
        {
            Findings.Pass("PacketDotNet judges neither version nor header length of IPv4");
            return;
        }

        if (ours.TotalLength is > 0 and < Ipv4Header.MinimumLengthBytes)
        {
            Findings.Pass("PacketDotNet throws at an IPv4 total length below 20; with us the data path judges it");
            return;
        }

        path += "IPv4 ";
        if (!Findings.TryGetCarried(path, parent, out IPv4Packet? theirs))
        {
            return;
        }

        CompareIpv4(path, bytes, ours, theirs!);
    }

    /// <summary>Compares an IPv4 packet and all inside.</summary>
    public void CompareIpv4(string path, ReadOnlySpan<byte> bytes, Ipv4Header ours, IPv4Packet theirs)
    {
        Findings.Count(path);
        Findings.Equal(path + "version", ours.Version, (int)theirs.Version);
        Findings.Equal(path + "header length", ours.HeaderLengthBytes, theirs.HeaderLength * 4);
        Findings.Equal(path + "type of service", ours.TypeOfService, theirs.TypeOfService);
        Findings.Equal(path + "identification", ours.Identification, theirs.Id);

        // PacketDotNet shifts the flags out of a signed number: a set reserved bit makes them negative.
        Findings.Equal(path + "flags", ours.FragmentField >> 13, theirs.FragmentFlags & 7);
        Findings.Equal(path + "fragment offset", ours.FragmentOffsetBytes, theirs.FragmentOffset * 8);
        Findings.Equal(path + "time to live", ours.TimeToLive, theirs.TimeToLive);
        Findings.Equal(path + "protocol", (int)ours.Protocol, (int)theirs.Protocol);
        Findings.Equal(path + "checksum", ours.Checksum, theirs.Checksum);
        Findings.Equal(path + "source", ours.Source, Address(theirs.SourceAddress));
        Findings.Equal(path + "destination", ours.Destination, Address(theirs.DestinationAddress));
        Findings.Same(path + "options", ours.Options, theirs.HeaderSegment, Ipv4Header.MinimumLengthBytes);
        if (ours.TotalLength == 0)
        {
            Findings.Pass("PacketDotNet takes an IPv4 total length of 0 for segmentation offload, and overwrites it");
            return;
        }

        Findings.Equal(path + "total length", ours.TotalLength, theirs.TotalLength);
        Findings.Equal(path + "checksum is correct", ours.IsChecksumCorrect, theirs.ValidIPChecksum);
        if (ours.TotalLength < ours.HeaderLengthBytes)
        {
            Findings.Pass("PacketDotNet's payload length wraps around where the IPv4 total length is below the header length");
            return;
        }

        Findings.Same(path + "payload", ours.Payload, theirs.HeaderSegment.NextSegment(theirs.PayloadLength));
        if (ours.FragmentOffsetBytes == 0)
        {
            _transport.Compare(path, ours, theirs);
            _transport.CompareChecksum(path, bytes, ours);
        }
    }

    private void CompareIpv6(string path, ReadOnlySpan<byte> bytes, Packet parent)
    {
        if (!Ipv6Header.TryParse(bytes, out Ipv6Header ours))
        {
            Findings.Pass("PacketDotNet does not judge the version of IPv6");
            return;
        }

        bool isExtended = ours.NextHeader is not (IpProtocol.Icmpv6 or IpProtocol.Tcp or IpProtocol.Udp);
        string? whyItThrows = isExtended ? "PacketDotNet throws at an IPv6 extension header that is cut; with us it is payload" : null;
        path += "IPv6 ";
        if (!Findings.TryGetCarried(path, parent, out IPv6Packet? theirs, whyItThrows))
        {
            return;
        }

        Findings.Count(path);
        Findings.Equal(path + "version", ours.Version, (int)theirs!.Version);
        Findings.Equal(path + "traffic class", ours.TrafficClass, theirs.TrafficClass);
        Findings.Equal(path + "flow label", ours.FlowLabel, (uint)theirs.FlowLabel);
        Findings.Equal(path + "payload length", ours.PayloadLength, theirs.PayloadLength);
        Findings.Equal(path + "next header", (int)ours.NextHeader, (int)theirs.NextHeader);
        Findings.Equal(path + "hop limit", ours.HopLimit, theirs.HopLimit);
        Findings.Equal(path + "source", ours.Source, Address6(theirs.SourceAddress));
        Findings.Equal(path + "destination", ours.Destination, Address6(theirs.DestinationAddress));

        // PacketDotNet counts the extension headers to the header; with us they are payload.
        if (theirs.ExtensionHeadersLength == 0)
        {
            Findings.Same(path + "payload", ours.Payload, theirs.HeaderSegment.NextSegment(theirs.PayloadLength));
        }
    }

    private static MacAddress Mac(PhysicalAddress address) => MacAddress.Read(address.GetAddressBytes());

    private static Ipv4Address Address(IPAddress address) => Ipv4Address.Read(address.GetAddressBytes());

    private static Ipv6Address Address6(IPAddress address) => Ipv6Address.Read(address.GetAddressBytes());
}
