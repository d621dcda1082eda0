using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Reads the words after <c>ip</c> and <c>bridge</c>.</summary>
internal static class IpCommandReader
{
    /// <summary>Reads one <c>ip</c> command.</summary>
    public static NodeCommand ReadIp(WordCursor words)
    {
        while (words.Peek is "-4" or "-d" or "-details")
        {
            words.Skip();
        }

        string subject = words.Take("addr, neigh, route or link");
        return subject switch
        {
            "a" or "addr" or "address" => ReadAddress(words),
            "n" or "neigh" or "neighbor" or "neighbour" => ReadNeighbor(words),
            "r" or "ro" or "route" => ReadRoute(words),
            "l" or "link" => ReadLink(words),
            _ => throw words.Place.Expected("'ip addr', 'ip neigh', 'ip route' or 'ip link'", $"ip {subject}"),
        };
    }

    /// <summary>Reads one <c>bridge</c> command.</summary>
    public static NodeCommand ReadBridge(WordCursor words)
    {
        if (!words.TryTake("fdb"))
        {
            throw words.Expected("'bridge fdb'");
        }

        bool isRemoval = TakeVerb(words, "append");
        FdbEntryState entry = BridgeFdbReader.ParseCommand(words);
        return isRemoval ? new FdbDelete(entry) : new FdbReplace(entry);
    }

    // True for a removal.
    private static bool TakeVerb(WordCursor words, string further = "add")
    {
        string verb = words.Take("add, del or replace");
        return verb switch
        {
            "d" or "del" or "delete" => true,
            "a" or "add" or "replace" or "repl" or "change" or "chg" => false,
            _ => verb == further ? false : throw words.Place.Expected("add, del or replace", verb),
        };
    }

    private static NodeCommand ReadAddress(WordCursor words)
    {
        bool isRemoval = TakeVerb(words);
        Ipv4Prefix? address = null;
        string? device = null;
        string? scope = null;
        while (!words.AtEnd)
        {
            switch (words.Peek)
            {
                case "dev":
                    words.Skip();
                    device = words.Take("a device's name");
                    break;
                case "scope":
                    words.Skip();
                    scope = words.Take("a scope");
                    break;
                case "brd" or "broadcast" or "label" or "valid_lft" or "preferred_lft" or "metric" or "proto":
                    words.Skip();
                    words.Take("a value");
                    break;
                case "noprefixroute" or "local":
                    words.Skip();
                    break;
                default:
                    address = address is null ? words.TakePrefix() : throw words.Expected("an option of 'ip addr'");
                    break;
            }
        }

        Ipv4Prefix prefix = address ?? throw words.Expected("an address such as 10.0.1.2/32");
        string name = device ?? throw words.Expected("'dev NAME'");
        InterfaceAddress value = new(prefix.Address, prefix.Length, scope ?? (prefix.Address.IsLoopback ? "host" : "global"));
        return isRemoval ? new AddressDelete(name, value) : new AddressAdd(name, value);
    }

    private static NodeCommand ReadNeighbor(WordCursor words)
    {
        bool isRemoval = TakeVerb(words);
        NeighborState neighbor = IpNeighReader.ParseLine(words) ?? throw words.Expected("an IPv4 address");
        if (isRemoval)
        {
            return new NeighborDelete(neighbor.Device, neighbor.Address);
        }

        // The kernel's default for what a user adds.
        return new NeighborReplace(neighbor.State == "NONE" ? neighbor with { State = "PERMANENT" } : neighbor);
    }

    private static NodeCommand ReadRoute(WordCursor words)
    {
        if (TakeVerb(words, "append"))
        {
            return new RouteDelete(IpRouteReader.ParseLoose(words) ?? throw words.Expected("an IPv4 route"));
        }

        return new RouteReplace(IpRouteReader.ParseLine(words) ?? throw words.Expected("an IPv4 route"));
    }

    private static LinkSet ReadLink(WordCursor words)
    {
        if (!words.TryTake("set"))
        {
            throw words.Expected("'ip link set'");
        }

        words.TryTake("dev");
        LinkSet link = new(words.Take("a device's name"), null, null, null);
        while (!words.AtEnd)
        {
            link = words.Take("up, down, mtu or address") switch
            {
                "up" => link with { IsUp = true },
                "down" => link with { IsUp = false },
                "mtu" => link with { Mtu = words.TakeInt("an MTU") },
                "address" => link with { Mac = words.TakeMac() },
                string other => throw words.Place.Expected("up, down, mtu or address", other),
            };
        }

        return link;
    }
}
