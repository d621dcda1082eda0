using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Reads <c>bridge fdb</c>.</summary>
public static class BridgeFdbReader
{
    /// <summary>Reads the whole text.</summary>
    /// <exception cref="NodeStateException">A line cannot be what it should be.</exception>
    public static IReadOnlyList<FdbEntryState> Parse(string text, string fileName)
    {
        List<FdbEntryState> entries = [];
        foreach (DumpLine line in DumpLines.Filled(text, fileName))
        {
            entries.Add(ParseLine(line.Words()));
        }

        return entries;
    }

    /// <summary>Reads the words of one line.</summary>
    internal static FdbEntryState ParseLine(WordCursor words) => Parse(words, isCommand: false);

    /// <summary>
    /// Reads what follows <c>bridge fdb add</c>: there "master" stands alone, and an entry is permanent and the device's
    /// own unless the words say otherwise.
    /// </summary>
    internal static FdbEntryState ParseCommand(WordCursor words)
    {
        FdbEntryState entry = Parse(words, isCommand: true);
        return entry with { IsSelf = entry.IsSelf || entry.Master is null };
    }

    private static FdbEntryState Parse(WordCursor words, bool isCommand)
    {
        MacAddress mac = words.TakeMac();
        string? device = null;
        Ipv4Address? destination = null;
        uint? vni = null;
        string? master = null;
        bool isPermanent = isCommand;
        bool isSelf = false;
        while (!words.AtEnd)
        {
            switch (words.Take("a word"))
            {
                case "dev":
                    device = words.Take("a device's name");
                    break;
                case "dst":
                    string text = words.Take("an address");
                    if (Ipv4Address.TryParse(text, out Ipv4Address address))
                    {
                        destination = address;
                    }
                    else if (!text.Contains(':', StringComparison.Ordinal))
                    {
                        throw words.Place.Expected("an address after 'dst'", text);
                    }

                    break;
                case "vni":
                    vni = words.TakeVni().Value;
                    break;
                case "master":
                    master = isCommand ? "" : words.Take("a bridge's name");
                    break;
                case "self":
                    isSelf = true;
                    break;
                case "permanent" or "local":
                    isPermanent = true;
                    break;
                case "static" or "dynamic" or "temp":
                    isPermanent = false;
                    break;
                default:
                    break;
            }
        }

        return new FdbEntryState(mac, device ?? throw words.Expected("'dev NAME'"), destination, vni, isPermanent, isSelf, master);
    }
}
