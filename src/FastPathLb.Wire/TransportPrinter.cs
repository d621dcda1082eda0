using System.Buffers.Binary;
using System.Text;
using static System.Globalization.CultureInfo;

namespace FastPathLb.Wire;

/// <summary>Prints addresses and what an IP datagram carries.</summary>
internal static class TransportPrinter
{
    private const string FlagLetters = "FSRP.UEW";

    /// <summary>Appends addresses, ports and transport header.</summary>
    public static void Append(StringBuilder line, PrintedDatagram datagram)
    {
        bool hasHeader = datagram.FragmentOffsetBytes == 0;
        switch (datagram.Protocol)
        {
            case IpProtocol.Tcp when hasHeader:
                AppendTcp(line, datagram);
                break;
            case IpProtocol.Udp when hasHeader:
                AppendUdp(line, datagram);
                break;
            case IpProtocol.Icmp when hasHeader:
                AppendAddresses(line, datagram);
                IcmpPrinter.Append(line, datagram);
                break;
            case IpProtocol.Icmpv6 when hasHeader:
                AppendAddresses(line, datagram);
                IcmpPrinter.AppendIcmpv6(line, datagram);
                break;
            default:
                AppendAddressesAndPorts(line, datagram, hasPorts: hasHeader && datagram.Protocol == IpProtocol.Sctp);
                line.Append(NameOf(datagram.Protocol)).Append(hasHeader ? "" : " fragment");
                line.Append(InvariantCulture, $", length {datagram.DeclaredLengthBytes}");
                break;
        }
    }

    private static void AppendAddresses(StringBuilder line, PrintedDatagram datagram) =>
        line.Append(InvariantCulture, $"{datagram.Source} > {datagram.Destination}: ");

    private static void AppendPorts(StringBuilder line, PrintedDatagram datagram, ushort source, ushort destination) =>
        line.Append(InvariantCulture, $"{datagram.Source}.{source} > {datagram.Destination}.{destination}: ");

    // All transports with ports have them in the first four bytes.
    private static void AppendAddressesAndPorts(StringBuilder line, PrintedDatagram datagram, bool hasPorts)
    {
        ReadOnlySpan<byte> bytes = datagram.Payload;
        if (!hasPorts || bytes.Length < 2 * sizeof(ushort))
        {
            AppendAddresses(line, datagram);
            return;
        }

        ushort source = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        ushort destination = BinaryPrimitives.ReadUInt16BigEndian(bytes[sizeof(ushort)..]);
        AppendPorts(line, datagram, source, destination);
    }

    private static void AppendTcp(StringBuilder line, PrintedDatagram datagram)
    {
        if (!TcpHeader.TryParse(datagram.Payload, out TcpHeader tcp))
        {
            AppendTruncatedTransport(line, datagram, "TCP", TcpHeader.MinimumLengthBytes);
            return;
        }

        AppendPorts(line, datagram, tcp.SourcePort, tcp.DestinationPort);
        AppendFlags(line, tcp.Flags);
        if (datagram.IsWhole)
        {
            ChecksumPrinter.AppendTransport(line, datagram.Payload, datagram.PseudoHeaderSum, tcp.Checksum);
        }

        int length = datagram.DeclaredLengthBytes - tcp.DataOffsetBytes;
        line.Append(InvariantCulture, $", seq {tcp.SequenceNumber}");
        if (length > 0 && tcp.IsDataOffsetValid)
        {
            line.Append(InvariantCulture, $":{tcp.SequenceNumber + (uint)length}");
        }

        if ((tcp.Flags & TcpFlags.Ack) != 0)
        {
            line.Append(InvariantCulture, $", ack {tcp.AcknowledgmentNumber}");
        }

        line.Append(InvariantCulture, $", win {tcp.Window}");
        if ((tcp.Flags & TcpFlags.Urg) != 0)
        {
            line.Append(InvariantCulture, $", urg {tcp.UrgentPointer}");
        }

        if (!tcp.IsDataOffsetValid)
        {
            AppendDataOffset(line, tcp.DataOffsetBytes, datagram);
            return;
        }

        if (!tcp.Options.IsEmpty)
        {
            AppendOptions(line, tcp.Options);
        }

        line.Append(InvariantCulture, $", length {length}");
    }

    private static void AppendDataOffset(StringBuilder line, int dataOffsetBytes, PrintedDatagram datagram)
    {
        line.Append(", ");
        if (dataOffsetBytes > datagram.Payload.Length && dataOffsetBytes <= datagram.DeclaredLengthBytes)
        {
            FramePrinter.AppendTruncated(line, "TCP options", datagram.Payload.Length, dataOffsetBytes);
        }
        else
        {
            line.Append(InvariantCulture, $"[data offset says {dataOffsetBytes} of {datagram.DeclaredLengthBytes} bytes]");
        }
    }

    private static void AppendFlags(StringBuilder line, TcpFlags flags)
    {
        line.Append("TCP [");
        for (int bit = 0; bit < FlagLetters.Length; bit++)
        {
            if (((int)flags & (1 << bit)) != 0)
            {
                line.Append(FlagLetters[bit]);
            }
        }

        line.Append(flags == TcpFlags.None ? "none]" : "]");
    }

    private static void AppendOptions(StringBuilder line, ReadOnlySpan<byte> options)
    {
        line.Append(", options [");
        string separator = "";
        var reader = new TcpOptionReader(options);
        while (reader.MoveNext())
        {
            line.Append(separator);
            AppendOption(line, reader);
            separator = ",";
        }

        line.Append(reader.IsMalformed ? $"{separator}malformed]" : "]");
    }

    private static void AppendOption(StringBuilder line, TcpOptionReader option)
    {
        if (option.TryGetMaximumSegmentSize(out ushort sizeBytes))
        {
            line.Append(InvariantCulture, $"mss {sizeBytes}");
        }
        else if (option.TryGetWindowScale(out byte shift))
        {
            line.Append(InvariantCulture, $"wscale {shift}");
        }
        else if (option.TryGetTimestamps(out uint value, out uint echo))
        {
            line.Append(InvariantCulture, $"TS val {value} ecr {echo}");
        }
        else if (option.SackBlockCount > 0)
        {
            line.Append("sack");
            for (int index = 0; option.TryGetSackBlock(index, out uint left, out uint right); index++)
            {
                line.Append(InvariantCulture, $" {left}:{right}");
            }
        }
        else
        {
            line.Append(option.Kind switch
            {
                TcpOptionKind.EndOfOptions => "eol",
                TcpOptionKind.NoOperation => "nop",
                TcpOptionKind.SackPermitted => "sackOK",
                TcpOptionKind.Md5Signature => "md5",
                TcpOptionKind.Multipath => "mptcp",
                TcpOptionKind.FastOpen => "tfo",
                _ => string.Create(InvariantCulture, $"option-{(byte)option.Kind} ({option.Data.Length} bytes)"),
            });
        }
    }

    private static void AppendUdp(StringBuilder line, PrintedDatagram datagram)
    {
        if (!UdpHeader.TryParse(datagram.Payload, out UdpHeader udp))
        {
            AppendTruncatedTransport(line, datagram, "UDP", UdpHeader.MinimumLengthBytes);
            return;
        }

        AppendPorts(line, datagram, udp.SourcePort, udp.DestinationPort);
        line.Append("UDP");
        bool fits = udp.Length >= UdpHeader.MinimumLengthBytes && udp.Length <= datagram.DeclaredLengthBytes;
        if (!udp.HasChecksum)
        {
            line.Append(", no sum");
        }
        else if (fits && datagram.IsWhole)
        {
            ChecksumPrinter.AppendTransport(line, datagram.Payload[..udp.Length], datagram.PseudoHeaderSum, udp.Checksum);
        }

        if (!fits && !datagram.IsFragment)
        {
            line.Append(InvariantCulture, $", [length field says {udp.Length} of {datagram.DeclaredLengthBytes} bytes]");
        }

        if (udp.DestinationPort == VxlanHeader.UdpPort)
        {
            AppendVxlan(line, udp.Payload, datagram.Depth);
            return;
        }

        line.Append(InvariantCulture, $", length {Math.Max(0, udp.Length - UdpHeader.MinimumLengthBytes)}");
    }

    private static void AppendVxlan(StringBuilder line, ReadOnlySpan<byte> bytes, int depth)
    {
        if (!VxlanHeader.TryParse(bytes, out VxlanHeader vxlan))
        {
            line.Append(", ");
            FramePrinter.AppendTruncated(line, "VXLAN header", bytes.Length, VxlanHeader.MinimumLengthBytes);
            return;
        }

        line.Append(InvariantCulture, $", VXLAN vni {vxlan.Vni}");
        if (!vxlan.HasVni)
        {
            line.Append(" without the I flag");
        }

        if (vxlan.ReservedBits != 0)
        {
            line.Append(InvariantCulture, $", reserved bits 0x{vxlan.ReservedBits:x16}");
        }

        line.Append(" | ");
        FramePrinter.AppendFrame(line, vxlan.Payload, depth + 1);
    }

    // An ICMP error may embed no more than the ports.
    private static void AppendTruncatedTransport(StringBuilder line, PrintedDatagram datagram, string name, int needBytes)
    {
        AppendAddressesAndPorts(line, datagram, hasPorts: true);
        FramePrinter.AppendTruncated(line, $"{name} header", datagram.Payload.Length, needBytes);
    }

    private static string NameOf(IpProtocol protocol) => protocol switch
    {
        IpProtocol.Icmp => "ICMP",
        IpProtocol.Igmp => "IGMP",
        IpProtocol.IpInIp => "IPIP",
        IpProtocol.Tcp => "TCP",
        IpProtocol.Udp => "UDP",
        IpProtocol.Ipv6 => "IPv6 in IP",
        IpProtocol.Gre => "GRE",
        IpProtocol.Esp => "ESP",
        IpProtocol.Ah => "AH",
        IpProtocol.Icmpv6 => "ICMPv6",
        IpProtocol.Ipv6NoNext => "no next header",
        IpProtocol.Ospf => "OSPF",
        IpProtocol.Vrrp => "VRRP",
        IpProtocol.Sctp => "SCTP",
        IpProtocol.UdpLite => "UDP-Lite",
        _ => string.Create(InvariantCulture, $"protocol {(byte)protocol}"),
    };
}
