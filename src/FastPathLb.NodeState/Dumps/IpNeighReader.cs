using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Reads <c>ip neigh</c>; IPv6 neighbours are passed over.</summary>
public static class IpNeighReader
{
    private const string NoState = "NONE";

    /// <summary>Reads the whole text.</summary>
    /// <exception cref="NodeStateException">A line cannot be what it should be.</exception>
    public static IReadOnlyList<NeighborState> Parse(string text, string fileName)
    {
        List<NeighborState> neighbors = [];
        foreach (DumpLine line in DumpLines.Filled(text, fileName))
        {
            if (ParseLine(line.Words()) is { } neighbor)
            {
                neighbors.Add(neighbor);
            }
        }

        return neighbors;
    }

    /// <summary>Reads the words of one line; null for an IPv6 neighbour.</summary>
    internal static NeighborState? ParseLine(WordCursor words)
    {
        if (words.Peek?.Contains(':', StringComparison.Ordinal) == true && words.Peek.Length > 2)
        {
            return null;
        }

        Ipv4Address address = words.TakeAddress();
        string? device = null;
        MacAddress? mac = null;
        string state = NoState;
        while (!words.AtEnd)
        {
            string word = words.Take("a word");
            switch (word)
            {
                case "dev":
                    device = words.Take("a device's name");
                    break;
                case "lladdr":
                    mac = words.TakeMac();
                    break;
                case "nud":
                    state = words.Take("a state").ToUpperInvariant();
                    break;
                case "permanent":
                    state = "PERMANENT";
                    break;
                default:
                    state = IsState(word) ? word : state;
                    break;
            }
        }

        return new NeighborState(address, device ?? throw words.Expected("'dev NAME'"), mac, state);
    }

    private static bool IsState(string word) =>
        word is "INCOMPLETE" or "REACHABLE" or "STALE" or "DELAY" or "PROBE" or "FAILED" or "NOARP" or "PERMANENT" or NoState
            or NeighborState.InferredState;
}
