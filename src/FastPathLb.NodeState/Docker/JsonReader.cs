using System.Text.Json;
using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>One JSON value with its path, for reading what Docker prints; what doesn't fit names the path.</summary>
internal readonly struct JsonReader(string fileName, JsonElement element, string path)
{
    /// <summary>Where it stands, for example <c>[0].IPAM.Config[0].Subnet</c>.</summary>
    public string Path => path;

    /// <summary>Whether there is a value other than null.</summary>
    public bool Exists => element.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    /// <summary>Reads a whole file: an array of objects, or one object.</summary>
    public static IReadOnlyList<T> ReadAll<T>(string text, string fileName, Func<JsonReader, T> read)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            List<T> items = [];
            JsonReader root = new(fileName, document.RootElement, "");
            foreach (JsonReader item in document.RootElement.ValueKind == JsonValueKind.Object ? [root] : root.Items())
            {
                if (item.Kind != JsonValueKind.Object)
                {
                    throw item.Expected("an object");
                }

                items.Add(read(item));
            }

            return items;
        }
        catch (JsonException exception)
        {
            throw new NodeStateException(fileName, (int)Math.Min((exception.LineNumber
                ?? 0) + 1, int.MaxValue), $"this is no JSON: {FirstSentence(exception.Message)}");
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
        {
            // A text with half a surrogate pair.
            throw new NodeStateException($"{fileName}: {FirstSentence(exception.Message)}", exception);
        }
    }

    private JsonValueKind Kind => element.ValueKind;

    /// <summary>A member of the object; one that doesn't exist where there is none, or no object.</summary>
    public JsonReader this[string name] => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value)
        ? new JsonReader(fileName, value, path.Length == 0 ? name : $"{path}.{name}")
        : new JsonReader(fileName, default, $"{path}.{name}");

    /// <summary>The array's items; none where there is none.</summary>
    public List<JsonReader> Items()
    {
        List<JsonReader> items = [];
        if (!Exists)
        {
            return items;
        }

        if (Kind != JsonValueKind.Array)
        {
            throw Expected("an array");
        }

        foreach (JsonElement item in element.EnumerateArray())
        {
            items.Add(new JsonReader(fileName, item, $"{path}[{items.Count}]"));
        }

        return items;
    }

    /// <summary>The object's members; none where there is none.</summary>
    public List<(string Name, JsonReader Value)> Members()
    {
        List<(string, JsonReader)> members = [];
        if (!Exists)
        {
            return members;
        }

        if (Kind != JsonValueKind.Object)
        {
            throw Expected("an object");
        }

        foreach (JsonProperty member in element.EnumerateObject())
        {
            members.Add((member.Name, new JsonReader(fileName, member.Value, $"{path}.{member.Name}")));
        }

        return members;
    }

    /// <summary>A text; empty where there is none.</summary>
    public string Text() => !Exists ? "" : Kind == JsonValueKind.String ? element.GetString()! : throw Expected("a text");

    /// <summary>A text that must be there.</summary>
    public string RequiredText() => Text() is { Length: > 0 } text ? text : throw Expected("a text");

    /// <summary>A truth value; false where there is none.</summary>
    public bool Flag() =>
        Exists && (Kind is JsonValueKind.True or JsonValueKind.False ? Kind == JsonValueKind.True : throw Expected("true or false"));

    /// <summary>A number within bounds; null where there is none.</summary>
    public long? Number(long maximum = int.MaxValue) => !Exists
        ? null
        : Kind == JsonValueKind.Number && element.TryGetInt64(out long value) && value >= 0 && value <= maximum
            ? value
            : throw Expected($"a whole number up to {maximum}");

    /// <summary>A list of texts; empty where there is none.</summary>
    public string[] Texts() => [.. Items().Select(item => item.Text())];

    /// <summary>An IPv4 address; null where there is none or Docker prints <c>&lt;nil&gt;</c>, or for IPv6.</summary>
    public Ipv4Address? Address()
    {
        string text = Text();
        return IsNothing(text) ? null : Ipv4Address.TryParse(text, out Ipv4Address value) ? value : throw Expected("an IPv4 address");
    }

    /// <summary>An IPv4 address with prefix length; null where there is none, or for IPv6.</summary>
    public Ipv4Prefix? Prefix()
    {
        string text = Text();
        return IsNothing(text) ? null : Ipv4Prefix.TryParse(
            text,
            out Ipv4Prefix value) ? value : throw Expected("an IPv4 address such as 10.0.1.2/24");
    }

    /// <summary>An Ethernet address; null where there is none.</summary>
    public MacAddress? Mac()
    {
        string text = Text();
        return text.Length == 0 ? null : MacAddress.TryParse(text, out MacAddress value) ? value : throw Expected("a MAC address");
    }

    /// <summary>An error about this value.</summary>
    public NodeStateException Expected(string expected) =>
        new($"{fileName}: expected {expected} at {(path.Length == 0 ? "the top" : path)}, found {Found()}");

    private string Found() => Exists ? TextPlace.Quote(element.GetRawText()) : "nothing";

    private static bool IsNothing(string text) => text.Length == 0 || text == "<nil>" || text.Contains(':', StringComparison.Ordinal);

    private static string FirstSentence(string message)
    {
        int end = message.IndexOf(". ", StringComparison.Ordinal);
        return TextPlace.OneLine(end < 0 ? message : message[..end]);
    }
}
