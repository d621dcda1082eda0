using System.Globalization;
using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>The keys of one YAML map, checked against those that may stand there.</summary>
internal sealed class YamlFields
{
    private readonly YamlMap _map;
    private readonly string _what;

    /// <summary>Checks the keys; <paramref name="what"/> is what they describe, for messages.</summary>
    public YamlFields(YamlNode node, string what, params ReadOnlySpan<string> known)
    {
        _map = node as YamlMap ?? throw node.Place.Expected($"the keys of {what} ({string.Join(", ", known)})", node.Shown);
        _what = what;
        foreach ((YamlScalar key, _) in _map.Entries)
        {
            if (!known.Contains(key.Value))
            {
                throw key.Place.Problem($"{what} has no key {TextPlace.Quote(key.Value)}{Nearest.Hint(key.Value, known)}");
            }
        }
    }

    /// <summary>Where the map begins.</summary>
    public TextPlace Place => _map.Place;

    /// <summary>A key's value; null where the key is not there, or nothing stands after it.</summary>
    public YamlNode? this[string key]
    {
        get
        {
            foreach ((YamlScalar name, YamlNode value) in _map.Entries)
            {
                if (name.Value == key)
                {
                    return value is YamlScalar { Value: "" or "~" or "null" } ? null : value;
                }
            }

            return null;
        }
    }

    /// <summary>A key's value, which must be there.</summary>
    public YamlNode Required(string key) => this[key] ?? throw _map.Place.Problem($"{_what} must have '{key}'");

    /// <summary>Where a key's value stands, or the map where it isn't there.</summary>
    public TextPlace PlaceOf(string key) => this[key]?.Place ?? _map.Place;

    /// <summary>A text.</summary>
    public static string Text(YamlNode node) =>
        node is YamlScalar scalar ? scalar.Value : throw node.Place.Expected("one value", node.Shown);

    /// <summary>The items of a list; a single value counts as a list of one.</summary>
    public static IReadOnlyList<YamlNode> Items(YamlNode? node) => node switch
    {
        null => [],
        YamlList list => list.Items,
        YamlScalar => [node],
        _ => throw node.Place.Expected("a list", node.Shown),
    };

    /// <summary>The keys and values of a map whose keys are free.</summary>
    public static IReadOnlyList<(YamlScalar Key, YamlNode Value)> Entries(YamlNode? node) => node switch
    {
        null => [],
        YamlMap map => map.Entries,
        _ => throw node.Place.Expected("keys with values", node.Shown),
    };

    /// <summary>An IPv4 address.</summary>
    public static Ipv4Address Address(YamlNode node) =>
        Ipv4Address.TryParse(Text(node), out Ipv4Address value) ? value : throw node.Place.Expected("an IPv4 address", Text(node));

    /// <summary>An IPv4 address with the length of its subnet's prefix.</summary>
    public static Ipv4Prefix Prefix(YamlNode node) =>
        Text(node).Contains('/', StringComparison.Ordinal) && Ipv4Prefix.TryParse(Text(node), out Ipv4Prefix value)
        ? value
        : throw node.Place.Expected("an address with the length of its subnet's prefix, such as 10.0.1.5/24", Text(node));

    /// <summary>An Ethernet address.</summary>
    public static MacAddress Mac(YamlNode node) =>
        MacAddress.TryParse(Text(node), out MacAddress value)
            ? value
            : throw node.Place.Expected("a MAC address such as 02:42:0a:00:01:05", Text(node));

    /// <summary>A VXLAN network identifier.</summary>
    public static Vni ReadVni(YamlNode node) => NumberText.TryUInt(Text(node), out uint number) && Vni.TryCreate(number, out Vni vni)
        ? vni
        : throw node.Place.Expected("a VNI from 0 to 16777215", Text(node));

    /// <summary>A mark above 0.</summary>
    public static uint Mark(YamlNode node) =>
        NumberText.TryUInt(Text(node), out uint value) && value > 0 ? value : throw node.Place.Expected("a mark such as 0x101", Text(node));

    /// <summary>True or false.</summary>
    public static bool Flag(YamlNode node) => Text(node) switch
    {
        "true" or "yes" or "on" => true,
        "false" or "no" or "off" => false,
        string other => throw node.Place.Expected("true or false", other),
    };

    /// <summary>A whole number within bounds.</summary>
    public static int Number(YamlNode node, string what, int minimum, int maximum) =>
        int.TryParse(Text(node), NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= minimum && value <= maximum
            ? value
            : throw node.Place.Expected($"{what} from {minimum} to {maximum}", Text(node));

    /// <summary>One of some words.</summary>
    public static string OneOf(YamlNode node, string what, params ReadOnlySpan<string> words)
    {
        string text = Text(node);
        return words.Contains(text)
            ? text
            : throw node.Place.Problem(
                $"there is no {what} {TextPlace.Quote(text)}{Nearest.Hint(text, words)} (there is {string.Join(", ", words)})");
    }
}
