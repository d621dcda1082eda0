using System.Globalization;
using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Reads <c>/proc/net/ip_vs</c>, which needs no tool: numbers are hexadecimal, scheduler flags are not shown.</summary>
/// <remarks>The kernel lists the server added last first; what is returned is in order of creation.</remarks>
public static class IpvsProcReader
{
    private const int HeaderLines = 3;

    /// <summary>Reads the whole text.</summary>
    /// <exception cref="NodeStateException">A line cannot be what it should be.</exception>
    public static IReadOnlyList<IpvsServiceState> Parse(string text, string fileName)
    {
        List<IpvsServiceState> services = [];
        List<IpvsServerState> servers = [];
        bool isIpv6 = false;
        int number = 0;
        foreach (DumpLine line in DumpLines.Filled(text, fileName))
        {
            number++;
            WordCursor words = line.Words();
            if (number <= HeaderLines)
            {
                if (number == 1 && !line.Text.StartsWith("IP Virtual Server version", StringComparison.Ordinal))
                {
                    throw line.Place.Expected("the first line of /proc/net/ip_vs, IP Virtual Server version …", line.Text);
                }
            }
            else if (words.TryTake("->"))
            {
                if (isIpv6)
                {
                    continue;
                }

                if (services.Count == 0)
                {
                    throw line.Place.Expected("a service before its servers", line.Text);
                }

                servers.Insert(0, ParseServer(words));
                services[^1] = services[^1] with { Servers = [.. servers] };
            }
            else
            {
                servers.Clear();
                IpvsServiceState? service = ParseService(words);
                isIpv6 = service is null;
                if (service is not null)
                {
                    services.Add(service);
                }
            }
        }

        return services;
    }

    private static IpvsServiceState? ParseService(WordCursor words)
    {
        string protocol = words.Take("FWM, TCP or UDP");
        string key = words.Take("a mark or an address and port");
        IpvsServiceState service = new() { Scheduler = "" };
        if (protocol == "FWM")
        {
            service = service with { Fwmark = Hex(key, words) };
        }
        else if (protocol is "TCP" or "UDP" or "SCTP")
        {
            if (key.StartsWith('['))
            {
                return null;
            }

            (Ipv4Address address, ushort port) = Endpoint(key, words);
            service = service with
            {
                Protocol = protocol == "TCP" ? IpProtocol.Tcp : protocol == "UDP" ? IpProtocol.Udp : IpProtocol.Sctp,
                Address = address,
                Port = port,
            };
        }
        else
        {
            throw words.Place.Expected("a service (FWM, TCP or UDP) or a server (->)", protocol);
        }

        service = service with { Scheduler = words.Take("a scheduler's name"), OnePacket = words.TryTake("ops") };

        // The kernel prints the time in its own ticks, whose length only its configuration tells.
        return words.Peek == "persistent"
            ? throw words.Place.Problem(
                "the time of persistence stands here in the kernel's ticks: ipvsadm-save -n is needed for this service")
            : service;
    }

    private static IpvsServerState ParseServer(WordCursor words)
    {
        (Ipv4Address address, ushort port) = Endpoint(words.Take("a server"), words);
        IpvsForwarding forwarding = IpvsadmListReader.TakeForwarding(words);
        return new IpvsServerState(address, port, forwarding, words.TakeInt("a weight", 0, 65535));
    }

    private static (Ipv4Address Address, ushort Port) Endpoint(string text, WordCursor words)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0
            && ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort port)
            ? (new Ipv4Address(Hex(text[..colon], words)), port)
            : throw words.Place.Expected("an address and port in hexadecimal, such as 0A000103:0050", text);
    }

    private static uint Hex(string text, WordCursor words) =>
        uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value)
            ? value
            : throw words.Place.Expected("a hexadecimal number", text);
}
