using System.Text;
using static System.Globalization.CultureInfo;

namespace FastPathLb.Wire;

/// <summary>Prints ICMP messages, errors with the datagram they embed, and names ICMPv6 messages.</summary>
internal static class IcmpPrinter
{
    /// <summary>Appends an ICMP message.</summary>
    public static void Append(StringBuilder line, PrintedDatagram datagram)
    {
        if (!IcmpHeader.TryParse(datagram.Payload, out IcmpHeader icmp))
        {
            FramePrinter.AppendTruncated(line, "ICMP header", datagram.Payload.Length, IcmpHeader.MinimumLengthBytes);
            return;
        }

        line.Append("ICMP ").Append(Describe(icmp));
        if (icmp.Type is IcmpType.Echo or IcmpType.EchoReply)
        {
            line.Append(InvariantCulture, $", id {icmp.Identifier}, seq {icmp.SequenceNumber}");
        }

        if (datagram.IsWhole)
        {
            ChecksumPrinter.AppendPlain(line, datagram.Payload, icmp.Checksum);
        }

        line.Append(InvariantCulture, $", length {datagram.DeclaredLengthBytes}");
        if (icmp.TryGetEmbedded(out ReadOnlySpan<byte> embedded))
        {
            AppendEmbedded(line, embedded, datagram.Depth + 1);
        }
    }

    /// <summary>Appends an ICMPv6 message (RFC 4443, RFC 4861): type, code and checksum.</summary>
    public static void AppendIcmpv6(StringBuilder line, PrintedDatagram datagram)
    {
        // The first four bytes are laid out as in ICMP.
        if (!IcmpHeader.TryParse(datagram.Payload, out IcmpHeader icmp))
        {
            FramePrinter.AppendTruncated(line, "ICMPv6 header", datagram.Payload.Length, IcmpHeader.MinimumLengthBytes);
            return;
        }

        line.Append("ICMPv6 ").Append((byte)icmp.Type switch
        {
            1 => "unreachable",
            2 => "packet too big",
            3 => "time exceeded",
            4 => "parameter problem",
            128 => "echo request",
            129 => "echo reply",
            133 => "router solicitation",
            134 => "router advertisement",
            135 => "neighbor solicitation",
            136 => "neighbor advertisement",
            137 => "redirect",
            143 => "multicast listener report",
            _ => string.Create(InvariantCulture, $"type {(byte)icmp.Type} code {icmp.Code}"),
        });

        if (datagram.IsWhole)
        {
            ChecksumPrinter.AppendTransport(line, datagram.Payload, datagram.PseudoHeaderSum, icmp.Checksum);
        }

        line.Append(InvariantCulture, $", length {datagram.DeclaredLengthBytes}");
    }

    private static void AppendEmbedded(StringBuilder line, ReadOnlySpan<byte> embedded, int depth)
    {
        line.Append(" {");
        if (depth > FramePrinter.DepthMax)
        {
            line.Append(InvariantCulture, $"[nested more than {FramePrinter.DepthMax} deep, {embedded.Length} bytes]");
        }
        else
        {
            Ipv4Printer.Append(line, embedded, depth, isEmbedded: true);
        }

        line.Append('}');
    }

    private static string Describe(IcmpHeader icmp) => icmp.Type switch
    {
        IcmpType.EchoReply => "echo reply",
        IcmpType.Echo => "echo request",
        IcmpType.DestinationUnreachable => DescribeUnreachable(icmp),
        IcmpType.SourceQuench => "source quench",
        IcmpType.Redirect => string.Create(InvariantCulture, $"redirect to {new Ipv4Address(icmp.RestOfHeader)}"),
        IcmpType.TimeExceeded when icmp.Code == 0 => "time exceeded in transit",
        IcmpType.TimeExceeded when icmp.Code == 1 => "time exceeded in reassembly",
        IcmpType.ParameterProblem => string.Create(InvariantCulture, $"parameter problem at byte {icmp.RestOfHeader >> 24}"),
        IcmpType.RouterAdvertisement => "router advertisement",
        IcmpType.RouterSolicitation => "router solicitation",
        IcmpType.Timestamp => "timestamp request",
        IcmpType.TimestampReply => "timestamp reply",
        _ => string.Create(InvariantCulture, $"type {(byte)icmp.Type} code {icmp.Code}"),
    };

    private static string DescribeUnreachable(IcmpHeader icmp) => icmp.Code switch
    {
        0 => "net unreachable",
        1 => "host unreachable",
        2 => "protocol unreachable",
        3 => "port unreachable",
        4 => string.Create(InvariantCulture, $"fragmentation needed, mtu {icmp.NextHopMtu}"),
        5 => "source route failed",
        9 => "net prohibited",
        10 => "host prohibited",
        13 => "administratively prohibited",
        _ => string.Create(InvariantCulture, $"unreachable code {icmp.Code}"),
    };
}
