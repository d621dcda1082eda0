using System.Text;
using static System.Globalization.CultureInfo;

namespace FastPathLb.Wire;

/// <summary>Prints IPv4 datagrams, also those that ICMP errors embed.</summary>
internal static class Ipv4Printer
{
    private const byte OptionEnd = 0;
    private const byte OptionNoOperation = 1;

    /// <summary>Appends a datagram.</summary>
    /// <param name="line">Appended to.</param>
    /// <param name="bytes">The datagram, and padding perhaps.</param>
    /// <param name="depth">Frames and datagrams inside one another, this one included.</param>
    /// <param name="isEmbedded">An ICMP error's, of which only the start is there as a rule.</param>
    public static void Append(StringBuilder line, ReadOnlySpan<byte> bytes, int depth, bool isEmbedded)
    {
        if (!Ipv4Header.TryParse(bytes, out Ipv4Header ipv4))
        {
            AppendRefused(line, bytes);
            return;
        }

        // Oversize frames of segmentation offload say 0: what is there counts.
        int totalLength = ipv4.TotalLength == 0 ? bytes.Length : ipv4.TotalLength;
        AppendHeader(line, ipv4, bytes[..ipv4.HeaderLengthBytes]);
        if (totalLength > bytes.Length && !isEmbedded)
        {
            line.Append(InvariantCulture, $", truncated: {bytes.Length} of {totalLength} bytes");
        }

        line.Append(") ");
        if (totalLength < ipv4.HeaderLengthBytes)
        {
            line.Append(InvariantCulture, $"{ipv4.Source} > {ipv4.Destination}: [total length {totalLength} is less than the header]");
            return;
        }

        TransportPrinter.Append(line, new PrintedDatagram
        {
            Source = ipv4.Source.ToString(),
            Destination = ipv4.Destination.ToString(),
            Protocol = ipv4.Protocol,
            PseudoHeaderSum = InternetChecksum.PseudoHeaderSum(ipv4.Source, ipv4.Destination, ipv4.Protocol, 0),
            Payload = bytes[ipv4.HeaderLengthBytes..Math.Min(totalLength, bytes.Length)],
            DeclaredLengthBytes = totalLength - ipv4.HeaderLengthBytes,
            FragmentOffsetBytes = ipv4.FragmentOffsetBytes,
            IsFragment = ipv4.IsFragment,
            Depth = depth,
        });

        if (totalLength < bytes.Length)
        {
            line.Append(InvariantCulture, $", padding {bytes.Length - totalLength}");
        }
    }

    private static void AppendRefused(StringBuilder line, ReadOnlySpan<byte> bytes)
    {
        int version = bytes.IsEmpty ? 4 : bytes[0] >> 4;
        int headerLength = bytes.IsEmpty ? Ipv4Header.MinimumLengthBytes : (bytes[0] & 0x0F) * 4;
        if (version != 4)
        {
            line.Append(InvariantCulture, $"[IPv4 header says version {version}]");
        }
        else if (headerLength < Ipv4Header.MinimumLengthBytes)
        {
            line.Append(InvariantCulture, $"[IPv4 header says its length is {headerLength} bytes]");
        }
        else
        {
            FramePrinter.AppendTruncated(line, "IPv4 header", bytes.Length, headerLength);
        }
    }

    // Leaves the parenthesis open.
    private static void AppendHeader(StringBuilder line, Ipv4Header ipv4, ReadOnlySpan<byte> headerBytes)
    {
        line.Append('(');
        if (ipv4.TypeOfService != 0)
        {
            line.Append(InvariantCulture, $"tos 0x{ipv4.TypeOfService:x2}, ");
        }

        line.Append(InvariantCulture, $"ttl {ipv4.TimeToLive}, id {ipv4.Identification}");
        if (ipv4.DontFragment)
        {
            line.Append(", DF");
        }

        if (ipv4.MoreFragments)
        {
            line.Append(", MF");
        }

        if (ipv4.FragmentOffsetBytes != 0)
        {
            line.Append(InvariantCulture, $", offset {ipv4.FragmentOffsetBytes}");
        }

        if (!ipv4.Options.IsEmpty)
        {
            AppendOptions(line, ipv4.Options);
        }

        if (!ipv4.IsChecksumCorrect)
        {
            ChecksumPrinter.AppendBad(line, ipv4.Checksum, InternetChecksum.Sum(headerBytes));
        }
    }

    private static void AppendOptions(StringBuilder line, ReadOnlySpan<byte> options)
    {
        line.Append(", options [");
        string separator = "";
        while (!options.IsEmpty)
        {
            byte kind = options[0];
            line.Append(separator).Append(NameOfOption(kind));
            separator = ",";
            if (kind == OptionEnd)
            {
                break;
            }

            int length = kind == OptionNoOperation ? 1 : options.Length >= 2 ? options[1] : 0;
            if (length == 0 || (length == 1 && kind != OptionNoOperation) || length > options.Length)
            {
                line.Append(" malformed");
                break;
            }

            options = options[length..];
        }

        line.Append(']');
    }

    private static string NameOfOption(byte kind) => kind switch
    {
        OptionEnd => "EOL",
        OptionNoOperation => "NOP",
        7 => "RR",
        68 => "TS",
        130 => "SEC",
        131 => "LSRR",
        137 => "SSRR",
        148 => "RA",
        _ => string.Create(InvariantCulture, $"option-{kind}"),
    };
}
