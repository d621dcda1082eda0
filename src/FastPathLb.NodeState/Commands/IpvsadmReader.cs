using System.Globalization;
using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Reads the options of one ipvsadm command, short and long; ipvsadm-save prints the same.</summary>
internal sealed class IpvsadmReader
{
    // As ipvsadm itself has them.
    private const string DefaultScheduler = "wlc";
    private const int DefaultPersistenceSeconds = 360;

    private readonly WordCursor _words;
    private char _command;
    private IpvsServiceState _service = new() { Scheduler = DefaultScheduler };
    private IpvsServerState _server = new(default, 0, IpvsForwarding.Route);
    private bool _hasService;
    private bool _hasServer;
    private bool _isIpv6;
    private IpvsTimeouts? _timeouts;

    private IpvsadmReader(WordCursor words) => _words = words;

    /// <summary>Reads the words after <c>ipvsadm</c>; null for a command about IPv6 or one that changes nothing.</summary>
    public static NodeCommand? Read(WordCursor words) => new IpvsadmReader(words).ReadAll();

    /// <summary>Reads <c>-t</c>, <c>-u</c> and <c>-r</c> values: <c>10.0.1.2</c>, <c>10.0.1.2:80</c>.</summary>
    public static (Ipv4Address Address, ushort? Port) ParseEndpoint(string text, TextPlace place)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        ushort port = 0;
        return Ipv4Address.TryParse(colon < 0 ? text : text.AsSpan(0, colon), out Ipv4Address address)
            && (colon < 0 || ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port))
            ? (address, colon < 0 ? null : port)
            : throw place.Expected("an address with or without port, such as 10.0.1.2:80", text);
    }

    private NodeCommand? ReadAll()
    {
        while (!_words.AtEnd)
        {
            ReadOption(_words.Take("an option"));
        }

        return _isIpv6 ? null : Build();
    }

    private void ReadOption(string text)
    {
        string? attached = null;
        string option = text;
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        if (text.StartsWith("--", StringComparison.Ordinal) && equals > 0)
        {
            (option, attached) = (text[..equals], text[(equals + 1)..]);
        }
        else if (text.Length > 2 && text[0] == '-' && text[1] != '-')
        {
            (option, attached) = (text[..2], text[2..]);
        }

        if (CommandOf(option) is { } command)
        {
            if (_command != 0 && _command != command)
            {
                throw _words.Place.Expected("one command of ipvsadm only", text);
            }

            _command = command;
            if (attached is not null && command != 's')
            {
                // "-Am" is not ipvsadm's; "-Ln" and "-Sn" are.
                attached = attached.Length == 1 && attached[0] == 'n'
                    ? attached
                    : throw _words.Place.Expected("an option of ipvsadm", text);
            }

            if (command == 's')
            {
                _timeouts = new IpvsTimeouts(_words.TakeInt("seconds"), _words.TakeInt("seconds"), _words.TakeInt("seconds"));
            }

            return;
        }

        ReadSetting(option, attached);
    }

    private void ReadSetting(string option, string? attached)
    {
        string Value(string expected) => attached ?? _words.Take(expected);
        switch (option)
        {
            case "-t" or "--tcp-service":
                SetService(IpProtocol.Tcp, Value("a service such as 10.0.1.2:80"));
                break;
            case "-u" or "--udp-service":
                SetService(IpProtocol.Udp, Value("a service such as 10.0.1.2:53"));
                break;
            case "--sctp-service":
                SetService(IpProtocol.Sctp, Value("a service such as 10.0.1.2:80"));
                break;
            case "-f" or "--fwmark-service":
                string mark = Value("a firewall mark");
                _service = NumberText.TryUInt(mark, out uint fwmark) && fwmark != 0
                    ? _service with { Fwmark = fwmark }
                    : throw _words.Place.Expected("a firewall mark above 0", mark);
                _hasService = true;
                break;
            case "-r" or "--real-server":
                SetServer(Value("a server such as 10.0.1.3:80"));
                break;
            case "-s" or "--scheduler":
                _service = _service with { Scheduler = Value("a scheduler's name") };
                break;
            case "-b" or "--sched-flags":
                _service = _service with { SchedulerFlags = ParseFlags(Value("a scheduler's flags")) };
                break;
            case "-p" or "--persistent":
                _service = _service with { PersistenceSeconds = TakePersistence(attached) };
                break;
            case "-M" or "--netmask":
                string mask = Value("a netmask");
                _service = Ipv4Address.TryParse(mask, out Ipv4Address netmask)
                    ? _service with { Netmask = netmask }
                    : throw _words.Place.Expected("a netmask such as 255.255.255.0", mask);
                break;
            case "-o" or "-O" or "--ops":
                _service = _service with { OnePacket = true };
                break;
            default:
                ReadServerSetting(option, attached);
                break;
        }
    }

    private void ReadServerSetting(string option, string? attached)
    {
        string Value(string expected) => attached ?? _words.Take(expected);
        switch (option)
        {
            case "-m" or "--masquerading":
                _server = _server with { Forwarding = IpvsForwarding.Masq };
                break;
            case "-g" or "--gatewaying":
                _server = _server with { Forwarding = IpvsForwarding.Route };
                break;
            case "-i" or "--ipip":
                _server = _server with { Forwarding = IpvsForwarding.Tunnel };
                break;
            case "-w" or "--weight":
                _server = _server with { Weight = ParseNumber(Value("a weight"), "a weight from 0 to 65535", 65535) };
                break;
            case "-x" or "--u-threshold":
                _server = _server with { UpperThreshold = ParseNumber(Value("a number"), "a number of connections", int.MaxValue) };
                break;
            case "-y" or "--l-threshold":
                _server = _server with { LowerThreshold = ParseNumber(Value("a number"), "a number of connections", int.MaxValue) };
                break;
            case "-6" or "--ipv6":
                _isIpv6 = true;
                break;
            case "--pe" or "--tun-type" or "--tun-port" or "--mcast-interface" or "--syncid":
                Value("a value");
                break;
            case "-n" or "--numeric" or "--exact" or "--tun-nocsum" or "--tun-csum" or "--tun-remcsum" or "-c" or "--connection":
                break;
            default:
                throw _words.Place.Expected("an option of ipvsadm", option);
        }
    }

    private static char? CommandOf(string option) => option switch
    {
        "-A" or "--add-service" => 'A',
        "-E" or "--edit-service" => 'E',
        "-D" or "--delete-service" => 'D',
        "-C" or "--clear" => 'C',
        "-Z" or "--zero" => 'Z',
        "-a" or "--add-server" => 'a',
        "-e" or "--edit-server" => 'e',
        "-d" or "--delete-server" => 'd',
        "--set" => 's',
        "-L" or "-l" or "--list" or "-S" or "--save" => 'L',
        _ => null,
    };

    private void SetService(IpProtocol protocol, string text)
    {
        _hasService = true;
        if (text.StartsWith('['))
        {
            _isIpv6 = true;
            return;
        }

        (Ipv4Address address, ushort? port) = ParseEndpoint(text, _words.Place);
        _service = _service with { Protocol = protocol, Address = address, Port = port ?? 0 };
    }

    private void SetServer(string text)
    {
        _hasServer = true;
        if (text.StartsWith('['))
        {
            _isIpv6 = true;
            return;
        }

        (Ipv4Address address, ushort? port) = ParseEndpoint(text, _words.Place);
        _server = _server with { Address = address, Port = port ?? _service.Port };
    }

    private int TakePersistence(string? attached)
    {
        if (attached is null && (_words.AtEnd || _words.Peek!.StartsWith('-')))
        {
            return DefaultPersistenceSeconds;
        }

        return ParseNumber(attached ?? _words.Take("seconds"), "seconds of persistence", 31 * 24 * 3600);
    }

    private int ParseNumber(string text, string expected, int maximum) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value <= maximum
            ? value
            : throw _words.Place.Expected(expected, text);

    private static string[] ParseFlags(string text) =>
        text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private NodeCommand? Build()
    {
        switch (_command)
        {
            case 'C':
                return new IpvsFlush();
            case 's':
                return new IpvsSetTimeouts(_timeouts!);
            case 'Z':
                return new IpvsZero(_hasService ? _service.Key : null);
            case 'L':
                return null;
            case '\0':
                throw _words.Place.Problem("expected a command of ipvsadm: -A, -E, -D, -C, -a, -e, -d, -Z or --set");
            default:
                break;
        }

        if (!_hasService)
        {
            throw _words.Place.Problem($"expected a service (-t, -u or -f) after 'ipvsadm -{_command}'");
        }

        if (_command is 'a' or 'e' or 'd' && !_hasServer)
        {
            throw _words.Place.Problem($"expected a server (-r) after 'ipvsadm -{_command}'");
        }

        // Without translation the port cannot change.
        bool keepsPort = _service.Fwmark == 0 && _server.Forwarding is IpvsForwarding.Route or IpvsForwarding.Tunnel && _command != 'd';
        IpvsServerState server = keepsPort ? _server with { Port = _service.Port } : _server;
        return _command switch
        {
            'A' => new IpvsAddService(_service),
            'E' => new IpvsEditService(_service),
            'D' => new IpvsDeleteService(_service.Key),
            'a' => new IpvsAddServer(_service.Key, server),
            'e' => new IpvsEditServer(_service.Key, server),
            _ => new IpvsDeleteServer(_service.Key, server.Address, server.Port),
        };
    }
}
