using System.Globalization;

namespace FastPathLb.Engine.Verifying;

/// <summary>Rows of the tables that <c>ipvsadm</c> and <c>iptables</c> print, by what names a row, whatever the widths.</summary>
internal static class PrintedTables
{
    private const string ServerArrow = "->";

    /// <summary>
    /// Services and servers of <c>ipvsadm -Ln</c> or <c>-Ln --stats</c>: <c>FWM 273</c> or <c>FWM 273 -> 10.0.1.3:0</c> → the other
    /// columns.
    /// </summary>
    public static Dictionary<string, string> ReadServices(string text)
    {
        Dictionary<string, string> rows = new(StringComparer.Ordinal);
        string? service = null;
        foreach (string[] words in Rows(text))
        {
            if (words is ["FWM" or "TCP" or "UDP", string name, ..])
            {
                service = $"{words[0]} {name}";
                rows[service] = Join(words[2..]);
            }
            else if (service is not null && words is [ServerArrow, string server, ..] && server != "RemoteAddress:Port")
            {
                rows[$"{service} {ServerArrow} {server}"] = Join(words[2..]);
            }
        }

        return rows;
    }

    /// <summary>MARK rules of <c>iptables -t mangle -L -v -n -x</c>: source and destination → packets, bytes and mark.</summary>
    public static Dictionary<string, string> ReadMarks(string text)
    {
        const int DetailsIndex = 8;
        Dictionary<string, string> rows = new(StringComparer.Ordinal);
        foreach (string[] words in Rows(text))
        {
            if (words.Length > DetailsIndex && words[2] == "MARK")
            {
                rows[$"{words[7]} {words[8]}"] = $"{words[0]} packets {words[1]} bytes {words[^1]}";
            }
        }

        return rows;
    }

    /// <summary>Entries of <c>ipvsadm -Lnc</c>: protocol, source, virtual and destination address → state and time left.</summary>
    public static Dictionary<string, PrintedConnection> ReadConnections(string text)
    {
        Dictionary<string, PrintedConnection> rows = new(StringComparer.Ordinal);
        foreach (string[] words in Rows(text))
        {
            if (words.Length >= 6 && TryReadTime(words[1], out int seconds))
            {
                rows[$"{words[0]} {words[3]} {words[4]} {words[5]}"] = new PrintedConnection(words[2], seconds);
            }
        }

        return rows;
    }

    private static IEnumerable<string[]> Rows(string text)
    {
        foreach (string line in text.Split('\n'))
        {
            string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 0)
            {
                yield return words;
            }
        }
    }

    private static string Join(string[] words) => string.Join(' ', words);

    // Minutes and seconds.
    private static bool TryReadTime(string word, out int seconds)
    {
        seconds = 0;
        int colon = word.IndexOf(':', StringComparison.Ordinal);
        if (colon < 1
            || !int.TryParse(word.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out int minutes)
            || !int.TryParse(word.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int rest))
        {
            return false;
        }

        seconds = (minutes * 60) + rest;
        return true;
    }
}
