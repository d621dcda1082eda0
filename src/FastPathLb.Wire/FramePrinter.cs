using System.Text;
using static System.Globalization.CultureInfo;

namespace FastPathLb.Wire;

/// <summary>
/// Prints any bytes as a frame on one line, in the manner of <c>tcpdump -env</c>: never throws, and says plainly what is cut off,
/// contradicts itself or has a wrong checksum.
/// </summary>
/// <remarks>
/// A sum is <c>ok</c>, <c>bad</c>, <c>partial</c> (the field holds the uncomplemented pseudo-header sum, as a sender with checksum
/// offload leaves it) or, for UDP, <c>no sum</c>. It is left out where a fragment or a cut leaves nothing to check it against.
/// What VXLAN carries follows after <c>|</c>, what an ICMP error embeds in braces.
/// </remarks>
public static class FramePrinter
{
    /// <summary>Frames and datagrams inside one another, the outermost included.</summary>
    public const int DepthMax = 4;

    /// <summary>VLAN tags in front of a payload.</summary>
    public const int VlanTagsMax = 4;

    private const int LineCapacity = 256;
    private const ushort EtherTypeMin = 0x0600;

    /// <summary>The line of a frame that starts with an Ethernet header.</summary>
    public static string Print(ReadOnlySpan<byte> frame)
    {
        var line = new StringBuilder(LineCapacity);
        Print(frame, line);
        return line.ToString();
    }

    /// <summary>Appends the line of a frame that starts with an Ethernet header; no line break.</summary>
    public static void Print(ReadOnlySpan<byte> frame, StringBuilder line)
    {
        ArgumentNullException.ThrowIfNull(line);
        AppendFrame(line, frame, depth: 1);
    }

    /// <summary>Appends the line of what a frame carries, for captures without Ethernet headers; no line break.</summary>
    /// <param name="etherType">What <paramref name="bytes"/> start with.</param>
    /// <param name="bytes">The payload.</param>
    /// <param name="line">Appended to.</param>
    public static void PrintPayload(EtherType etherType, ReadOnlySpan<byte> bytes, StringBuilder line)
    {
        ArgumentNullException.ThrowIfNull(line);
        line.Append(InvariantCulture, $"{NameOf(etherType)}, length {bytes.Length}: ");
        AppendPayload(line, etherType, bytes, depth: 1);
    }

    /// <summary>Appends a frame that may itself be inside another.</summary>
    internal static void AppendFrame(StringBuilder line, ReadOnlySpan<byte> frame, int depth)
    {
        if (depth > DepthMax)
        {
            line.Append(InvariantCulture, $"[nested more than {DepthMax} deep, {frame.Length} bytes]");
            return;
        }

        if (!EthernetHeader.TryParse(frame, out EthernetHeader ethernet))
        {
            AppendTruncated(line, "Ethernet header", frame.Length, EthernetHeader.MinimumLengthBytes);
            return;
        }

        line.Append(InvariantCulture, $"{ethernet.Source} > {ethernet.Destination}, ");
        EtherType etherType = ethernet.EtherType;
        ReadOnlySpan<byte> payload = ethernet.Payload;
        for (int tags = 0; etherType is EtherType.Vlan or EtherType.QinQ; tags++)
        {
            if (tags == VlanTagsMax)
            {
                line.Append(InvariantCulture, $"[more than {VlanTagsMax} VLAN tags]");
                return;
            }

            if (!VlanTag.TryParse(payload, out VlanTag tag))
            {
                AppendTruncated(line, "VLAN tag", payload.Length, VlanTag.MinimumLengthBytes);
                return;
            }

            AppendTag(line, etherType, tag);
            etherType = tag.EtherType;
            payload = tag.Payload;
        }

        line.Append(InvariantCulture, $"{NameOf(etherType)}, length {frame.Length}");
        if (etherType is EtherType.Arp or EtherType.Ipv4 or EtherType.Ipv6)
        {
            line.Append(": ");
        }

        AppendPayload(line, etherType, payload, depth);
    }

    /// <summary>Appends what follows an Ethernet header; nothing where it is of no kind that is read here.</summary>
    internal static void AppendPayload(StringBuilder line, EtherType etherType, ReadOnlySpan<byte> payload, int depth)
    {
        switch (etherType)
        {
            case EtherType.Arp:
                AppendArp(line, payload);
                break;
            case EtherType.Ipv4:
                Ipv4Printer.Append(line, payload, depth, isEmbedded: false);
                break;
            case EtherType.Ipv6:
                Ipv6Printer.Append(line, payload, depth);
                break;
            default:
                break;
        }
    }

    /// <summary>Appends that a header is cut off.</summary>
    internal static void AppendTruncated(StringBuilder line, string what, int haveBytes, int needBytes) =>
        line.Append(InvariantCulture, $"[{what} truncated: {haveBytes} of {needBytes} bytes]");

    private static void AppendTag(StringBuilder line, EtherType announcedBy, VlanTag tag)
    {
        line.Append(InvariantCulture, $"{(announcedBy == EtherType.QinQ ? "802.1ad" : "802.1Q")} vlan {tag.VlanId}");
        if (tag.Priority != 0)
        {
            line.Append(InvariantCulture, $" p {tag.Priority}");
        }

        line.Append(tag.DropEligible ? " DEI, " : ", ");
    }

    private static void AppendArp(StringBuilder line, ReadOnlySpan<byte> payload)
    {
        if (!ArpHeader.TryParse(payload, out ArpHeader arp))
        {
            if (payload.Length < ArpHeader.MinimumLengthBytes)
            {
                AppendTruncated(line, "ARP packet", payload.Length, ArpHeader.MinimumLengthBytes);
            }
            else
            {
                line.Append("[not for IPv4 over Ethernet]");
            }

            return;
        }

        switch (arp.Operation)
        {
            case ArpOperation.Request:
                line.Append(InvariantCulture, $"request who-has {arp.TargetAddress}");
                if (!arp.TargetMac.IsZero)
                {
                    line.Append(InvariantCulture, $" ({arp.TargetMac})");
                }

                line.Append(InvariantCulture, $" tell {arp.SenderAddress} ({arp.SenderMac})");
                break;
            case ArpOperation.Reply:
                line.Append(
                    InvariantCulture,
                    $"reply {arp.SenderAddress} is-at {arp.SenderMac} to {arp.TargetAddress} ({arp.TargetMac})");
                break;
            default:
                line.Append(InvariantCulture, $"operation {(ushort)arp.Operation}");
                break;
        }
    }

    private static string NameOf(EtherType etherType) => etherType switch
    {
        EtherType.Arp => "ARP",
        EtherType.Ipv4 => "IPv4",
        EtherType.Ipv6 => "IPv6",
        EtherType.Lldp => "LLDP",
        EtherType.Eapol => "802.1X",
        EtherType.Mpls => "MPLS",
        EtherType.PppoeDiscovery => "PPPoE discovery",
        EtherType.PppoeSession => "PPPoE session",
        EtherType.Loopback => "loopback test",
        < (EtherType)EtherTypeMin => string.Create(InvariantCulture, $"802.3 ({(ushort)etherType} bytes)"),
        _ => string.Create(InvariantCulture, $"ethertype 0x{(ushort)etherType:x4}"),
    };
}
