using System.Globalization;
using System.Text;

namespace FastPathLb.NodeState;

/// <summary>Writes YAML of the few forms that a configuration needs.</summary>
internal sealed class YamlText
{
    private const int WidthMax = 120;

    private readonly StringBuilder _text = new();

    /// <summary>A line of its own.</summary>
    public void Line(int indent, string text) => _text.Append(' ', indent).Append(text).Append('\n');

    /// <summary><c>key: value</c>.</summary>
    public void Field(int indent, string key, string value) => Line(indent, $"{key}: {Scalar(value, isInFlow: false)}");

    /// <summary>A list of texts: in one line where that is short, else an item a line.</summary>
    public void List(int indent, string key, IReadOnlyList<string> items, bool isShort)
    {
        string line = $"{key}: [{string.Join(", ", items.Select(item => Scalar(item)))}]";
        if (items.Count == 0 || (isShort && indent + line.Length <= WidthMax))
        {
            Line(indent, line);
            return;
        }

        Line(indent, $"{key}:");
        foreach (string item in items)
        {
            Line(indent + 2, $"- {Scalar(item, isInFlow: false)}");
        }
    }

    /// <summary>A list of maps, each in one line.</summary>
    public void Maps(int indent, string key, IReadOnlyList<string> maps)
    {
        Line(indent, $"{key}:");
        foreach (string map in maps)
        {
            Line(indent + 2, $"- {map}");
        }
    }

    /// <summary>A map in one line; parts with a null value are left out, values are YAML already.</summary>
    public static string Map(params ReadOnlySpan<(string Key, string? Value)> parts)
    {
        List<string> texts = [];
        foreach ((string key, string? value) in parts)
        {
            if (value is not null)
            {
                texts.Add($"{key}: {value}");
            }
        }

        return $"{{ {string.Join(", ", texts)} }}";
    }

    /// <summary>A text as YAML: plain where that is read back as it is, else in quotes.</summary>
    public static string Scalar(string text, bool isInFlow = true)
    {
        if (text.AsSpan().ContainsAnyInRange('\0', '\x1F')
            || text.Contains('\x7F', StringComparison.Ordinal)
            || text.Any(character => character > '~'))
        {
            return DoubleQuoted(text);
        }

        bool isPlain = text.Length > 0
            && text[0] is not (' ' or '?' or '#' or '&' or '*' or '!' or '|' or '>' or '\'' or '"' or '%' or '@' or '`')
            && !(text[0] is '-' or ':' && (text.Length == 1 || text[1] == ' '))
            && text[^1] is not (' ' or ':')
            && text[0] is not ('[' or ']' or '{' or '}' or ',')
            && !(isInFlow && text.AsSpan().ContainsAny("[]{},"))
            && !text.Contains(": ", StringComparison.Ordinal)
            && !text.Contains(" #", StringComparison.Ordinal)
            && text is not ("~" or "null" or "---" or "...");
        return isPlain ? text : $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    private static string DoubleQuoted(string text)
    {
        StringBuilder quoted = new("\"");
        foreach (char character in text)
        {
            if (character is '"' or '\\')
            {
                quoted.Append('\\').Append(character);
            }
            else if (character is < ' ' or > '~')
            {
                quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            }
            else
            {
                quoted.Append(character);
            }
        }

        return quoted.Append('"').ToString();
    }
}
