using System.Buffers.Binary;
using System.Text;
using static System.Globalization.CultureInfo;

namespace FastPathLb.Wire;

/// <summary>Prints IPv6 datagrams: extension headers are named and walked over.</summary>
internal static class Ipv6Printer
{
    private const int ExtensionHeadersMax = 8;
    private const int ExtensionUnitBytes = 8;

    /// <summary>Appends a datagram.</summary>
    public static void Append(StringBuilder line, ReadOnlySpan<byte> bytes, int depth)
    {
        if (!Ipv6Header.TryParse(bytes, out Ipv6Header ipv6))
        {
            if (bytes.Length < Ipv6Header.MinimumLengthBytes)
            {
                FramePrinter.AppendTruncated(line, "IPv6 header", bytes.Length, Ipv6Header.MinimumLengthBytes);
            }
            else
            {
                line.Append(InvariantCulture, $"[IPv6 header says version {bytes[0] >> 4}]");
            }

            return;
        }

        int available = bytes.Length - Ipv6Header.MinimumLengthBytes;
        int declared = ipv6.PayloadLength == 0 ? available : ipv6.PayloadLength;
        ReadOnlySpan<byte> payload = bytes.Slice(Ipv6Header.MinimumLengthBytes, Math.Min(declared, available));
        AppendHeader(line, ipv6);
        if (declared > available)
        {
            line.Append(InvariantCulture, $", truncated: {available} of {declared} bytes");
        }

        var walk = new ExtensionWalk { Protocol = ipv6.NextHeader, Payload = payload, DeclaredLengthBytes = declared };
        for (int count = 0; count < ExtensionHeadersMax && walk.TryStep(line); count++)
        {
        }

        line.Append(") ");
        TransportPrinter.Append(line, new PrintedDatagram
        {
            Source = ipv6.Source.ToString(),
            Destination = ipv6.Destination.ToString(),
            Protocol = walk.Protocol,
            PseudoHeaderSum = InternetChecksum.PseudoHeaderSum(ipv6.Source, ipv6.Destination, walk.Protocol, 0),
            Payload = walk.Payload,
            DeclaredLengthBytes = walk.DeclaredLengthBytes,
            FragmentOffsetBytes = walk.FragmentOffsetBytes,
            IsFragment = walk.IsFragment,
            Depth = depth,
        });
    }

    // Leaves the parenthesis open.
    private static void AppendHeader(StringBuilder line, Ipv6Header ipv6)
    {
        line.Append('(');
        if (ipv6.TrafficClass != 0)
        {
            line.Append(InvariantCulture, $"class 0x{ipv6.TrafficClass:x2}, ");
        }

        if (ipv6.FlowLabel != 0)
        {
            line.Append(InvariantCulture, $"flow 0x{ipv6.FlowLabel:x5}, ");
        }

        line.Append(InvariantCulture, $"hlim {ipv6.HopLimit}");
    }

    private static string NameOf(IpProtocol extension) => extension switch
    {
        IpProtocol.Ip => "hop-by-hop",
        IpProtocol.Ipv6Routing => "routing",
        IpProtocol.Ipv6Fragment => "fragment",
        _ => "destination-options",
    };

    // What is left of the datagram behind the extension headers that have been walked over (RFC 8200, section 4).
    private ref struct ExtensionWalk
    {
        public IpProtocol Protocol;
        public ReadOnlySpan<byte> Payload;
        public int DeclaredLengthBytes;
        public int FragmentOffsetBytes;
        public bool IsFragment;

        // Ends at a protocol, at a cut, and at a later fragment, whose bytes are no header.
        public bool TryStep(StringBuilder line)
        {
            bool isExtension = Protocol
                is IpProtocol.Ip or IpProtocol.Ipv6Routing or IpProtocol.Ipv6Fragment or IpProtocol.Ipv6Options;
            if (!isExtension || FragmentOffsetBytes != 0 || Payload.Length < ExtensionUnitBytes)
            {
                return false;
            }

            line.Append(", ").Append(NameOf(Protocol));
            int length = ExtensionUnitBytes;
            if (Protocol == IpProtocol.Ipv6Fragment)
            {
                ReadFragment(line);
            }
            else
            {
                length = Math.Min(length + (Payload[1] * ExtensionUnitBytes), Payload.Length);
            }

            Protocol = (IpProtocol)Payload[0];
            Payload = Payload[length..];
            DeclaredLengthBytes -= length;
            return true;
        }

        private void ReadFragment(StringBuilder line)
        {
            int field = BinaryPrimitives.ReadUInt16BigEndian(Payload[2..]);
            uint identification = BinaryPrimitives.ReadUInt32BigEndian(Payload[4..]);
            bool moreFragments = (field & 1) != 0;
            FragmentOffsetBytes = field & 0xFFF8;
            IsFragment = moreFragments || FragmentOffsetBytes != 0;
            line.Append(InvariantCulture, $" id 0x{identification:x8} offset {FragmentOffsetBytes}");
            line.Append(moreFragments ? " MF" : "");
        }
    }
}
