using System.Globalization;
using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Reads what a rule does: marks, addresses and ports of its target.</summary>
internal static class RuleTargetReader
{
    // Targets of the kernel that are no chains, and that the data path doesn't do.
    private static readonly HashSet<string> s_extensions = new(StringComparer.Ordinal)
    {
        "AUDIT", "CHECKSUM", "CLASSIFY", "CLUSTERIP", "CONNMARK", "CONNSECMARK", "CT", "DSCP", "ECN", "HMARK", "IDLETIMER", "LED",
        "LOG", "NETMAP", "NFLOG", "NFQUEUE", "NOTRACK", "QUEUE", "RATEEST", "SECMARK", "SET", "SYNPROXY", "TCPMSS", "TCPOPTSTRIP",
        "TEE", "TOS", "TPROXY", "TRACE", "TTL", "ULOG",
    };

    /// <summary>What sort of target a name is; a name that is no known target is a chain's.</summary>
    public static RuleTarget KindOf(string target) => target switch
    {
        "" => RuleTarget.None,
        "ACCEPT" => RuleTarget.Accept,
        "DROP" => RuleTarget.Drop,
        "RETURN" => RuleTarget.Return,
        "REJECT" => RuleTarget.Reject,
        "MARK" => RuleTarget.Mark,
        "SNAT" => RuleTarget.SourceNat,
        "DNAT" => RuleTarget.DestinationNat,
        "REDIRECT" => RuleTarget.Redirect,
        "MASQUERADE" => RuleTarget.Masquerade,
        _ => s_extensions.Contains(target) ? RuleTarget.Extension : RuleTarget.Chain,
    };

    /// <summary>Fills in what the options of the target say.</summary>
    public static RuleState Complete(RuleState rule, IReadOnlyList<string> options, TextPlace place)
    {
        switch (rule.TargetKind)
        {
            case RuleTarget.Mark:
                return rule with { MarkAction = ReadMark(options, place) };
            case RuleTarget.SourceNat or RuleTarget.DestinationNat or RuleTarget.Redirect or RuleTarget.Masquerade:
                return rule with { NatAction = ReadNat(rule.Target, options, place) };
            case RuleTarget.Reject:
                return rule with { RejectWith = ValueOf(options, "--reject-with") ?? "icmp-port-unreachable" };
            case RuleTarget.Chain when options.Count > 0:
                return rule with { TargetKind = RuleTarget.Extension };
            default:
                return rule;
        }
    }

    /// <summary>Reads <c>value[/mask]</c>.</summary>
    public static (uint Value, uint Mask) ParseMark(string text, TextPlace place)
    {
        string[] parts = text.Split('/', 2);
        uint mask = uint.MaxValue;
        return NumberText.TryUInt(parts[0], out uint value) && (parts.Length == 1 || NumberText.TryUInt(parts[1], out mask))
            ? (value, mask)
            : throw place.Expected("a mark such as 0x101 or 0x101/0xffffffff", text);
    }

    /// <summary>Reads <c>80</c> or <c>80-90</c> (or with a colon; open ends are 0 and 65535).</summary>
    public static PortRange ParsePorts(string text, char separator, TextPlace place)
    {
        int at = text.IndexOf(separator, StringComparison.Ordinal);
        string first = at < 0 ? text : text[..at];
        string last = at < 0 ? text : text[(at + 1)..];
        ushort high = ushort.MaxValue;
        ushort low = 0;
        bool isRight = (at >= 0 && first.Length == 0) || ushort.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out low);
        isRight &= (at >= 0 && last.Length == 0) || ushort.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out high);
        return isRight && low <= high
            ? new PortRange(low, high)
            : throw place.Expected($"a port number or a range such as 80{separator}90", text);
    }

    private static MarkAction ReadMark(IReadOnlyList<string> options, TextPlace place)
    {
        foreach (string option in options)
        {
            int space = option.IndexOf(' ', StringComparison.Ordinal);
            if (space < 0)
            {
                continue;
            }

            (uint value, uint mask) = ParseMark(option[(space + 1)..], place);
            switch (option[..space])
            {
                case "--set-xmark":
                    return new MarkAction(value, mask);
                case "--set-mark":
                    return new MarkAction(value, value | mask);
                case "--or-mark":
                    return new MarkAction(value, value);
                case "--and-mark":
                    return new MarkAction(0, ~value);
                case "--xor-mark":
                    return new MarkAction(value, 0);
                default:
                    break;
            }
        }

        throw place.Problem("expected --set-xmark, --set-mark, --or-mark, --and-mark or --xor-mark with a value after '-j MARK'");
    }

    private static NatAction ReadNat(string target, IReadOnlyList<string> options, TextPlace place)
    {
        NatAction action = NatAction.Any;
        foreach (string option in options)
        {
            int space = option.IndexOf(' ', StringComparison.Ordinal);
            string name = space < 0 ? option : option[..space];
            string value = space < 0 ? "" : option[(space + 1)..];
            action = name switch
            {
                "--to-source" or "--to-destination" => ReadNatRange(action, value, place),
                "--to-ports" => action with { Ports = ParsePorts(value, '-', place) },
                "--random" or "--random-fully" => action with { IsRandom = true },
                "--persistent" => action with { IsPersistent = true },
                _ => action,
            };
        }

        return options.Count == 0 && target is "SNAT" or "DNAT"
            ? throw place.Problem($"expected --to-{(target == "SNAT" ? "source" : "destination")} after '-j {target}'")
            : action;
    }

    // "10.0.1.5", "10.0.1.5:80", "10.0.1.5-10.0.1.9:1024-2048", ":53".
    private static NatAction ReadNatRange(NatAction action, string text, TextPlace place)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string addresses = colon < 0 ? text : text[..colon];
        if (colon >= 0)
        {
            action = action with { Ports = ParsePorts(text[(colon + 1)..], '-', place) };
        }

        if (addresses.Length == 0)
        {
            return colon >= 0 ? action : throw place.Expected("an address to translate to", text);
        }

        string[] ends = addresses.Split('-', 2);
        return Ipv4Address.TryParse(ends[0], out Ipv4Address first) && Ipv4Address.TryParse(ends[^1], out Ipv4Address last) && first <= last
            ? action with { FirstAddress = first, LastAddress = last }
            : throw place.Expected("an address to translate to, such as 10.0.1.5 or 10.0.1.5:80", text);
    }

    private static string? ValueOf(IReadOnlyList<string> options, string name)
    {
        foreach (string option in options)
        {
            if (option.StartsWith(name, StringComparison.Ordinal) && option.Length > name.Length + 1)
            {
                return option[(name.Length + 1)..];
            }
        }

        return null;
    }
}
