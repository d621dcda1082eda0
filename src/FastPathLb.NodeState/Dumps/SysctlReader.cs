namespace FastPathLb.NodeState;

/// <summary>Reads <c>sysctl -a</c> or a part of it: lines <c>name = value</c>.</summary>
public static class SysctlReader
{
    /// <summary>Reads the whole text.</summary>
    /// <exception cref="NodeStateException">A line cannot be what it should be.</exception>
    public static IReadOnlyDictionary<string, string> Parse(string text, string fileName)
    {
        Dictionary<string, string> settings = new(StringComparer.Ordinal);
        foreach (DumpLine line in DumpLines.Filled(text, fileName))
        {
            // What sysctl says on its error output, where both were written to one file.
            if (line.Text.StartsWith("sysctl: ", StringComparison.Ordinal) || line.Text.StartsWith('#'))
            {
                continue;
            }

            (string name, string value) = ParseAssignment(line.Text, line.Place);
            settings[name] = value;
        }

        return settings;
    }

    /// <summary>Splits <c>name = value</c>; slashes in the name are dots.</summary>
    internal static (string Name, string Value) ParseAssignment(string text, TextPlace place)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string name = equals < 0 ? "" : text[..equals].Trim();
        if (name.Length == 0 || name.AsSpan().ContainsAny(' ', '\t'))
        {
            throw place.Expected("a setting such as 'net.ipv4.vs.conntrack = 1'", text);
        }

        bool usesSlashes = name.Contains('/', StringComparison.Ordinal) && !name.Contains('.', StringComparison.Ordinal);
        return (usesSlashes ? name.Replace('/', '.') : name, text[(equals + 1)..].Trim());
    }
}
