using System.Buffers.Binary;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Verifying;

/// <summary>Names every byte of a frame by the field it belongs to, as deep as the headers are whole.</summary>
internal static class FrameFields
{
    /// <summary>Longest field that is not a payload.</summary>
    public const int FieldBytesMax = 8;

    private const string Embedded = "embedded ";

    private static readonly (string, int)[] s_ethernet = [("destination MAC", 6), ("source MAC", 6), ("EtherType", 2)];

    private static readonly (string, int)[] s_ipv4 =
    [
        ("IPv4 version and header length", 1), ("IPv4 type of service", 1), ("IPv4 total length", 2), ("IPv4 identification", 2),
        ("IPv4 flags and fragment offset", 2), ("IPv4 time to live", 1), ("IPv4 protocol", 1), ("IPv4 checksum", 2),
        ("IPv4 source", 4), ("IPv4 destination", 4),
    ];

    private static readonly (string, int)[] s_udp =
        [("UDP source port", 2), ("UDP destination port", 2), ("UDP length", 2), ("UDP checksum", 2)];

    private static readonly (string, int)[] s_tcp =
    [
        ("TCP source port", 2), ("TCP destination port", 2), ("TCP sequence number", 4), ("TCP acknowledgement", 4),
        ("TCP header length and flags", 2), ("TCP window", 2), ("TCP checksum", 2), ("TCP urgent pointer", 2),
    ];

    private static readonly (string, int)[] s_icmp = [("ICMP type", 1), ("ICMP code", 1), ("ICMP checksum", 2), ("ICMP second word", 4)];

    private static readonly (string, int)[] s_arp =
    [
        ("ARP types and lengths", 6), ("ARP operation", 2), ("ARP sender MAC", 6), ("ARP sender address", 4),
        ("ARP target MAC", 6), ("ARP target address", 4),
    ];

    private static readonly (string, int)[] s_vxlan = [("VXLAN flags", 4), ("VXLAN network identifier", 4)];

    /// <summary>The fields in order; together they cover the frame.</summary>
    public static List<FrameField> Of(ReadOnlySpan<byte> frame)
    {
        List<FrameField> fields = [];
        AddFrame(fields, frame, 0, string.Empty);
        int end = fields.Count > 0 ? fields[^1].OffsetBytes + fields[^1].LengthBytes : 0;
        AddRest(fields, frame, "payload", end, frame.Length);
        return fields;
    }

    private static void AddFrame(List<FrameField> fields, ReadOnlySpan<byte> frame, int start, string layer)
    {
        if (!EthernetHeader.TryParse(frame[start..], out EthernetHeader ethernet))
        {
            return;
        }

        int payload = start + EthernetHeader.MinimumLengthBytes;
        bool isTunnel = layer.Length == 0 && ethernet.EtherType == EtherType.Ipv4 && IsVxlan(frame[payload..]);
        string prefix = isTunnel ? "outer " : layer;
        Add(fields, frame, start, prefix, s_ethernet);
        switch (ethernet.EtherType)
        {
            case EtherType.Arp:
                Add(fields, frame, payload, prefix, s_arp);
                break;
            case EtherType.Ipv4:
                AddIpv4(fields, frame, payload, prefix, isTunnel);
                break;
            default:
                break;
        }
    }

    private static void AddIpv4(List<FrameField> fields, ReadOnlySpan<byte> frame, int start, string layer, bool isTunnel)
    {
        if (!Ipv4Header.TryParse(frame[start..], out Ipv4Header ipv4) || !Add(fields, frame, start, layer, s_ipv4))
        {
            return;
        }

        int transport = start + ipv4.HeaderLengthBytes;
        AddRest(fields, frame, layer + "IPv4 options", start + Ipv4Header.MinimumLengthBytes, transport);
        if (ipv4.FragmentOffsetBytes > 0)
        {
            return;
        }

        switch (ipv4.Protocol)
        {
            case IpProtocol.Udp:
                if (Add(fields, frame, transport, layer, s_udp) && isTunnel)
                {
                    int vxlan = transport + UdpHeader.MinimumLengthBytes;
                    Add(fields, frame, vxlan, string.Empty, s_vxlan);
                    AddFrame(fields, frame, Math.Min(vxlan + VxlanHeader.MinimumLengthBytes, frame.Length), "inner ");
                }

                break;
            case IpProtocol.Tcp:
                if (Add(fields, frame, transport, layer, s_tcp) && TcpHeader.TryParse(frame[transport..], out TcpHeader tcp))
                {
                    AddRest(
                        fields, frame, layer + "TCP options", transport + TcpHeader.MinimumLengthBytes, transport + tcp.DataOffsetBytes);
                }

                break;
            case IpProtocol.Icmp:
                // One datagram is embedded; what that embeds is payload.
                if (Add(fields, frame, transport, layer, s_icmp) && !layer.EndsWith(Embedded, StringComparison.Ordinal)
                    && (IcmpType)frame[transport] is IcmpType.DestinationUnreachable or IcmpType.TimeExceeded or IcmpType.Redirect)
                {
                    AddIpv4(fields, frame, transport + IcmpHeader.MinimumLengthBytes, layer + Embedded, isTunnel: false);
                }

                break;
            default:
                break;
        }
    }

    private static bool IsVxlan(ReadOnlySpan<byte> packet)
    {
        if (!Ipv4Header.TryParse(packet, out Ipv4Header ipv4) || ipv4.Protocol != IpProtocol.Udp || ipv4.IsFragment)
        {
            return false;
        }

        ReadOnlySpan<byte> datagram = packet[ipv4.HeaderLengthBytes..];
        return datagram.Length >= UdpHeader.MinimumLengthBytes + VxlanHeader.MinimumLengthBytes
            && BinaryPrimitives.ReadUInt16BigEndian(datagram[UdpHeader.DestinationPortOffset..]) == VxlanHeader.UdpPort;
    }

    private static bool Add(
        List<FrameField> fields, ReadOnlySpan<byte> frame, int start, string layer, ReadOnlySpan<(string Name, int LengthBytes)> layout)
    {
        int offset = start;
        foreach ((string name, int length) in layout)
        {
            if (offset + length > frame.Length)
            {
                return false;
            }

            fields.Add(new FrameField(layer + name, offset, length));
            offset += length;
        }

        return true;
    }

    // As far as the bytes are there: a length field may promise more.
    private static void AddRest(List<FrameField> fields, ReadOnlySpan<byte> frame, string name, int start, int end)
    {
        int there = Math.Min(end, frame.Length);
        if (there > start)
        {
            fields.Add(new FrameField(name, start, there - start));
        }
    }
}
