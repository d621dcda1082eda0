using System.Globalization;
using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Reads <c>ipvsadm -Ln</c>. It sorts the servers, so their order of creation is not known from it.</summary>
public static class IpvsadmListReader
{
    private const string HeaderExpected = "the first line of 'ipvsadm -Ln', IP Virtual Server version …";

    /// <summary>Reads the whole text.</summary>
    /// <exception cref="NodeStateException">A line cannot be what it should be.</exception>
    public static IReadOnlyList<IpvsServiceState> Parse(string text, string fileName)
    {
        IpvsTableDraft table = new();
        IpvsServiceState? current = null;
        bool isIpv6 = false;
        int number = 0;
        foreach (DumpLine line in DumpLines.Filled(text, fileName))
        {
            number++;
            WordCursor words = line.Words();
            if (number <= 3)
            {
                CheckHeader(number, line);
            }
            else if (words.TryTake("->"))
            {
                if (isIpv6)
                {
                    continue;
                }

                if (current is null)
                {
                    throw line.Place.Expected("a service before its servers", line.Text);
                }

                table.Add(current.Key, ParseServer(words), line.Place);
            }
            else
            {
                current = ParseService(words);
                isIpv6 = current is null;
                if (current is not null)
                {
                    table.Add(current, line.Place);
                }
            }
        }

        if (number is > 0 and < 3)
        {
            throw new TextPlace(fileName, number).Problem("the head of 'ipvsadm -Ln' has three lines: the dump is cut");
        }

        return table.Build();
    }

    /// <summary>Takes the word for how a server is reached.</summary>
    internal static IpvsForwarding TakeForwarding(WordCursor words)
    {
        IpvsForwarding forwarding = words.Peek switch
        {
            "Masq" => IpvsForwarding.Masq,
            "Route" => IpvsForwarding.Route,
            "Tunnel" => IpvsForwarding.Tunnel,
            "Local" => IpvsForwarding.Local,
            _ => throw words.Expected("Masq, Route, Tunnel or Local"),
        };
        words.Skip();
        return forwarding;
    }

    private static void CheckHeader(int number, DumpLine line)
    {
        string text = line.Text.Trim();
        bool isRight = number switch
        {
            1 => text.StartsWith("IP Virtual Server version", StringComparison.Ordinal),
            2 => text.StartsWith("Prot LocalAddress:Port", StringComparison.Ordinal),
            _ => text.StartsWith("-> RemoteAddress:Port", StringComparison.Ordinal),
        };
        if (!isRight)
        {
            throw line.Place.Expected(number == 1 ? HeaderExpected : "the column heads of 'ipvsadm -Ln'", text);
        }

        if ((number == 2 && !text.Contains("Scheduler", StringComparison.Ordinal))
            || (number == 3 && !text.Contains("Forward Weight", StringComparison.Ordinal)))
        {
            throw line.Place.Expected("the columns of 'ipvsadm -Ln' without --stats, --rate, --thresholds or -c", text);
        }
    }

    private static IpvsServiceState? ParseService(WordCursor words)
    {
        string protocol = words.Take("FWM, TCP or UDP");
        IpvsServiceState service = new() { Scheduler = "" };
        switch (protocol)
        {
            case "FWM":
                service = service with { Fwmark = words.TakeUInt("a firewall mark") };
                if (words.TryTake("IPv6"))
                {
                    return null;
                }

                break;
            case "TCP" or "UDP" or "SCTP":
                string endpoint = words.Take("an address and port");
                if (endpoint.StartsWith('['))
                {
                    return null;
                }

                (Ipv4Address address, ushort? port) = IpvsadmReader.ParseEndpoint(endpoint, words.Place);
                service = service with
                {
                    Protocol = protocol == "TCP" ? IpProtocol.Tcp : protocol == "UDP" ? IpProtocol.Udp : IpProtocol.Sctp,
                    Address = address,
                    Port = port ?? 0,
                };
                break;
            default:
                throw words.Place.Expected("a service (FWM, TCP or UDP) or a server (->)", protocol);
        }

        service = service with { Scheduler = words.Take("a scheduler's name") };
        return ParseFlags(words, service);
    }

    // "sh (sh-port)", "rr persistent 60 mask 255.255.255.0", "rr ops".
    private static IpvsServiceState ParseFlags(WordCursor words, IpvsServiceState service)
    {
        while (!words.AtEnd)
        {
            string word = words.Take("a flag");
            switch (word)
            {
                case "persistent":
                    service = service with { PersistenceSeconds = words.TakeInt("seconds of persistence") };
                    break;
                case "mask":
                    service = service with { Netmask = words.TakeAddress("a netmask") };
                    break;
                case "ops":
                    service = service with { OnePacket = true };
                    break;
                default:
                    if (word.StartsWith('(') && word.EndsWith(')') && word.Length > 2)
                    {
                        service = service with { SchedulerFlags = word[1..^1].Split(',') };
                    }

                    break;
            }
        }

        return service;
    }

    private static IpvsServerState ParseServer(WordCursor words)
    {
        (Ipv4Address address, ushort? port) = IpvsadmReader.ParseEndpoint(words.Take("a server"), words.Place);
        IpvsForwarding forwarding = TakeForwarding(words);
        return new IpvsServerState(address, port ?? 0, forwarding, words.TakeInt("a weight", 0, 65535));
    }
}

/// <summary>Reads <c>ipvsadm -L --timeout</c>.</summary>
public static class IpvsadmTimeoutReader
{
    private const string Head = "Timeout (tcp tcpfin udp):";

    /// <summary>Reads the whole text.</summary>
    /// <exception cref="NodeStateException">The line cannot be what it should be.</exception>
    public static IpvsTimeouts Parse(string text, string fileName)
    {
        foreach (DumpLine line in DumpLines.Filled(text, fileName))
        {
            if (!line.Text.StartsWith(Head, StringComparison.Ordinal))
            {
                throw line.Place.Expected($"'{Head} 900 120 300'", line.Text);
            }

            string[] values = line.Text[Head.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (values.Length == 3
                && int.TryParse(values[0], NumberStyles.None, CultureInfo.InvariantCulture, out int tcp)
                && int.TryParse(values[1], NumberStyles.None, CultureInfo.InvariantCulture, out int fin)
                && int.TryParse(values[2], NumberStyles.None, CultureInfo.InvariantCulture, out int udp))
            {
                return new IpvsTimeouts(tcp, fin, udp);
            }

            throw line.Place.Expected("three numbers of seconds", line.Text[Head.Length..].Trim());
        }

        throw new TextPlace(fileName, 1).Problem($"expected '{Head} 900 120 300', found nothing");
    }
}
