using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Reads <c>ip route</c> and <c>ip -d route</c>; of a route with several next hops the first counts.</summary>
public static class IpRouteReader
{
    /// <summary>Reads the whole text.</summary>
    /// <exception cref="NodeStateException">A line cannot be what it should be.</exception>
    public static IReadOnlyList<RouteState> Parse(string text, string fileName)
    {
        List<RouteState> routes = [];
        foreach (DumpLine line in DumpLines.Filled(text, fileName))
        {
            WordCursor words = line.Words();
            if (words.Peek == "nexthop" && line.Indent > 0)
            {
                if (routes.Count == 0)
                {
                    throw words.Expected("a route before its next hops");
                }

                if (routes[^1].Device.Length == 0)
                {
                    routes[^1] = ParseOptions(words, routes[^1]);
                }

                continue;
            }

            if (ParseRoute(words) is { } route)
            {
                routes.Add(route);
            }
        }

        return routes;
    }

    /// <summary>Reads one line; null for an IPv6 route.</summary>
    internal static RouteState? ParseLine(WordCursor words)
    {
        RouteState? route = ParseRoute(words);
        return route is { Type: "unicast", Device.Length: 0 } ? throw words.Expected("'dev NAME'") : route;
    }

    /// <summary>Reads what is given of a route; null for an IPv6 route.</summary>
    internal static RouteState? ParseLoose(WordCursor words) => ParseRoute(words);

    private static RouteState? ParseRoute(WordCursor words)
    {
        string type = "unicast";
        if (words.Peek is { } first && IsType(first))
        {
            type = first;
            words.Skip();
        }

        if (words.Peek is { } target && target.Contains(':', StringComparison.Ordinal))
        {
            return null;
        }

        Ipv4Prefix destination = words.TryTake("default") ? default : words.TakePrefix("a destination such as 10.0.1.0/24 or default");
        return ParseOptions(words, new RouteState { Destination = destination, Device = "", Type = type });
    }

    private static RouteState ParseOptions(WordCursor words, RouteState route)
    {
        while (!words.AtEnd)
        {
            switch (words.Take("a word"))
            {
                case "via":
                    if (words.TryTake("inet6"))
                    {
                        words.Take("an address");
                        break;
                    }

                    route = route with { Via = words.TakeAddress() };
                    break;
                case "dev":
                    route = route with { Device = words.Take("a device's name") };
                    break;
                case "src":
                    route = route with { Source = words.TakeAddress() };
                    break;
                case "metric":
                    route = route with { Metric = words.TakeInt("a metric") };
                    break;
                default:
                    break;
            }
        }

        return route;
    }

    private static bool IsType(string word) =>
        word is "unicast" or "local" or "broadcast" or "multicast" or "anycast" or "nat"
            or "throw" or "unreachable" or "prohibit" or "blackhole";
}
