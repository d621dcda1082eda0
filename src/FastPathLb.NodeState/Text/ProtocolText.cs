using System.Globalization;
using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Protocols by the names that the tools use.</summary>
internal static class ProtocolText
{
    private static readonly (string Name, IpProtocol Protocol)[] s_names =
    [
        ("tcp", IpProtocol.Tcp),
        ("udp", IpProtocol.Udp),
        ("sctp", IpProtocol.Sctp),
        ("icmp", IpProtocol.Icmp),
        ("igmp", IpProtocol.Igmp),
        ("gre", IpProtocol.Gre),
        ("esp", IpProtocol.Esp),
        ("ah", IpProtocol.Ah),
        ("ipv6-crypt", IpProtocol.Esp),
        ("ipencap", IpProtocol.IpInIp),
        ("udplite", IpProtocol.UdpLite),
        ("vrrp", IpProtocol.Vrrp),
        ("ospf", IpProtocol.Ospf),
    ];

    /// <summary>A name, in either case, or a number up to 255.</summary>
    public static bool TryParse(string text, out IpProtocol protocol)
    {
        foreach ((string name, IpProtocol value) in s_names)
        {
            if (name.Equals(text, StringComparison.OrdinalIgnoreCase))
            {
                protocol = value;
                return true;
            }
        }

        bool isNumber = byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out byte number);
        protocol = (IpProtocol)number;
        return isNumber;
    }

    /// <summary>The name, or the number of a protocol without one.</summary>
    public static string NameOf(IpProtocol protocol)
    {
        foreach ((string name, IpProtocol value) in s_names)
        {
            if (value == protocol)
            {
                return name;
            }
        }

        return ((byte)protocol).ToString(CultureInfo.InvariantCulture);
    }
}
