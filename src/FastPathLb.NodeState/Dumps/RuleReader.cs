using System.Globalization;
using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Reads the text of one rule, as iptables-save prints it and as the iptables command takes it.</summary>
internal sealed class RuleReader
{
    // Tcp, udp and their like share option names; with another module in force "--mark" or "--state" may mean something else.
    private static readonly HashSet<string> s_modules = new(StringComparer.Ordinal)
    {
        "tcp", "udp", "udplite", "sctp", "dccp", "multiport", "ipvs", "conntrack", "state", "addrtype", "mark", "comment", "icmp",
    };

    private readonly WordCursor _words;
    private readonly List<string> _unsupported = [];
    private readonly List<string> _targetOptions = [];
    private RuleState _rule;
    private string _module = "";
    private bool _isNegated;

    private RuleReader(WordCursor words)
    {
        _words = words;
        _rule = new RuleState { Text = words.Rest };
    }

    /// <summary>Reads the words that are left of a rule.</summary>
    public static RuleState Read(WordCursor words) => new RuleReader(words).ReadAll();

    private RuleState ReadAll()
    {
        bool isTarget = false;
        while (!_words.AtEnd)
        {
            if (_words.TryTake("!"))
            {
                _isNegated = true;
                continue;
            }

            string option = _words.Take("an option");
            if (option is "-j" or "--jump" or "-g" or "--goto")
            {
                string target = _words.Take("a target");
                _rule = _rule with { Target = target, TargetKind = RuleTargetReader.KindOf(target), IsGoto = option is "-g" or "--goto" };
                isTarget = true;
            }
            else if (option is "-m" or "--match")
            {
                _module = _words.Take("a match's name");
                isTarget = false;
                if (!s_modules.Contains(_module))
                {
                    _unsupported.Add($"-m {_module}");
                }
            }
            else if (!TryReadGeneral(option))
            {
                if (isTarget)
                {
                    ReadTargetOption(option);
                }
                else
                {
                    ReadMatchOption(option);
                }
            }

            _isNegated = false;
        }

        RuleState rule = _rule with { Unsupported = _unsupported, TargetOptions = string.Join(' ', _targetOptions) };
        return RuleTargetReader.Complete(rule, _targetOptions, _words.Place);
    }

    // Options that stand without a module.
    private bool TryReadGeneral(string option)
    {
        switch (option)
        {
            case "-s" or "--source" or "--src":
                _rule = _rule with { Source = TakeAddresses("source") };
                return true;
            case "-d" or "--destination" or "--dst":
                _rule = _rule with { Destination = TakeAddresses("destination") };
                return true;
            case "-p" or "--protocol" or "--proto":
                ReadProtocol();
                return true;
            case "-i" or "--in-interface":
                _rule = _rule with { InInterface = new InterfaceMatch(TakeValue("a device's name"), _isNegated) };
                return true;
            case "-o" or "--out-interface":
                _rule = _rule with { OutInterface = new InterfaceMatch(TakeValue("a device's name"), _isNegated) };
                return true;
            case "-f" or "--fragment":
                _rule = _rule with { FragmentMatch = !_isNegated };
                return true;
            case "-c" or "--set-counters":
                _rule = _rule with { Packets = _words.TakeInt("packets"), Bytes = _words.TakeInt("bytes") };
                return true;
            default:
                return false;
        }
    }

    private void ReadMatchOption(string option)
    {
        bool isOther = _module.Length > 0 && !s_modules.Contains(_module);
        switch (isOther ? "" : option)
        {
            case "--sport" or "--source-port" or "--sports" or "--source-ports":
                _rule = _rule with { SourcePorts = TakePorts() };
                break;
            case "--dport" or "--destination-port" or "--dports" or "--destination-ports":
                _rule = _rule with { DestinationPorts = TakePorts() };
                break;
            case "--ports":
                _rule = _rule with { EitherPorts = TakePorts() };
                break;
            case "--ipvs":
                _rule = _rule with { IpvsMatch = !_isNegated };
                break;
            case "--ctstate" or "--state":
                _rule = _rule with { ConntrackStates = TakeStates() };
                break;
            case "--src-type":
                _rule = _rule with { SourceType = new AddressTypeMatch(TakeValue("an address type").Split(','), _isNegated) };
                break;
            case "--dst-type":
                _rule = _rule with { DestinationType = new AddressTypeMatch(TakeValue("an address type").Split(','), _isNegated) };
                break;
            case "--mark":
                (uint mark, uint mask) = RuleTargetReader.ParseMark(TakeValue("a mark"), _words.Place);
                _rule = _rule with { Mark = new MarkMatch(mark, mask, _isNegated) };
                break;
            case "--syn":
                _rule = _rule with { TcpFlags = new TcpFlagsMatch(0x17, 0x02, _isNegated) };
                break;
            case "--tcp-flags":
                byte looked = TakeTcpFlags();
                _rule = _rule with { TcpFlags = new TcpFlagsMatch(looked, TakeTcpFlags(), _isNegated) };
                break;
            case "--icmp-type" when _words.Peek is { } type && IsIcmpType(type):
                _rule = _rule with { IcmpType = TakeIcmpType() };
                break;
            case "--comment":
                _rule = _rule with { Comment = _words.Take("a comment") };
                break;
            default:
                KeepUnsupported(option, isOther);
                break;
        }
    }

    // An option that is not understood, with its values, goes to its module's entry or becomes one of its own.
    private void KeepUnsupported(string option, bool belongsToModule)
    {
        if (!option.StartsWith('-'))
        {
            throw _words.Place.Expected("an option of a rule", option);
        }

        string text = $"{(_isNegated ? "! " : "")}{option}{TakeValues()}";
        if (belongsToModule)
        {
            _unsupported[^1] = $"{_unsupported[^1]} {text}";
        }
        else
        {
            _unsupported.Add(text);
        }
    }

    private void ReadTargetOption(string option)
    {
        if (!option.StartsWith('-'))
        {
            throw _words.Place.Expected($"an option of target {_rule.Target}", option);
        }

        _targetOptions.Add($"{(_isNegated ? "! " : "")}{option}{TakeValues()}");
    }

    private string TakeValues()
    {
        string text = "";
        while (_words.Peek is { } value && !value.StartsWith('-') && value != "!")
        {
            text += $" {ShellText.Quote(value)}";
            _words.Skip();
        }

        return text;
    }

    private string TakeValue(string expected)
    {
        // "-d ! 10.0.0.0/8", as iptables took it before 1.4.3.
        _isNegated |= _words.TryTake("!");
        return _words.Take(expected);
    }

    private PrefixMatch? TakeAddresses(string what)
    {
        string text = TakeValue($"a {what} address");
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0 && Ipv4Address.TryParse(text.AsSpan(slash + 1), out Ipv4Address mask))
        {
            int length = 32 - System.Numerics.BitOperations.TrailingZeroCount(mask.Value);
            length = mask.Value == 0 ? 0 : length;
            if (new Ipv4Prefix(default, length).Mask != mask.Value)
            {
                _unsupported.Add($"{(_isNegated ? "! " : "")}{(what == "source" ? "-s" : "-d")} {text}");
                return null;
            }

            text = $"{text.AsSpan(0, slash)}/{length}";
        }

        if (!Ipv4Prefix.TryParse(text, out Ipv4Prefix prefix))
        {
            throw _words.Place.Expected($"one {what} address such as 10.0.1.2 or 10.0.1.0/24", text);
        }

        return prefix.Length == 0 && !_isNegated ? null : new PrefixMatch(new Ipv4Prefix(prefix.Network, prefix.Length), _isNegated);
    }

    private void ReadProtocol()
    {
        string text = TakeValue("a protocol");
        if (text is "all" or "0")
        {
            return;
        }

        if (!ProtocolText.TryParse(text, out IpProtocol protocol))
        {
            throw _words.Place.Expected("a protocol such as tcp, udp, icmp or a number", text);
        }

        _module = "";
        _rule = _rule with { Protocol = new ProtocolMatch(protocol, _isNegated) };
    }

    private PortMatch TakePorts()
    {
        List<PortRange> ranges = [];
        foreach (string part in TakeValue("a port").Split(','))
        {
            ranges.Add(RuleTargetReader.ParsePorts(part, ':', _words.Place));
        }

        return new PortMatch(ranges, _isNegated);
    }

    private ConntrackMatch TakeStates()
    {
        ConntrackStates states = ConntrackStates.None;
        foreach (string name in TakeValue("a state").Split(','))
        {
            states |= name switch
            {
                "INVALID" => ConntrackStates.Invalid,
                "NEW" => ConntrackStates.New,
                "ESTABLISHED" => ConntrackStates.Established,
                "RELATED" => ConntrackStates.Related,
                "UNTRACKED" => ConntrackStates.Untracked,
                "SNAT" => ConntrackStates.SourceNat,
                "DNAT" => ConntrackStates.DestinationNat,
                _ => throw _words.Place.Expected("a state such as NEW, ESTABLISHED or RELATED", name),
            };
        }

        return new ConntrackMatch(states, _isNegated);
    }

    private byte TakeTcpFlags()
    {
        byte flags = 0;
        foreach (string name in TakeValue("TCP flags").Split(','))
        {
            flags |= name switch
            {
                "FIN" => 0x01,
                "SYN" => 0x02,
                "RST" => 0x04,
                "PSH" => 0x08,
                "ACK" => 0x10,
                "URG" => 0x20,
                "ALL" => 0x3F,
                "NONE" => 0,
                _ => throw _words.Place.Expected("TCP flags such as SYN,ACK", name),
            };
        }

        return flags;
    }

    private static bool IsIcmpType(string text) => text.Length > 0 && char.IsAsciiDigit(text[0]);

    private IcmpTypeMatch TakeIcmpType()
    {
        string text = _words.Take("an ICMP type");
        string[] parts = text.Split('/', 2);
        byte code = 0;
        return byte.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out byte type)
            && (parts.Length == 1 || byte.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out code))
            ? new IcmpTypeMatch(type, parts.Length == 1 ? null : code, _isNegated)
            : throw _words.Place.Expected("an ICMP type such as 8 or 3/4", text);
    }
}
