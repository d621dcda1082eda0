namespace FastPathLb.NodeState;

/// <summary>One piece of a YAML text, with its place.</summary>
/// <param name="place">Where it begins.</param>
internal abstract class YamlNode(TextPlace place)
{
    public TextPlace Place => place;

    /// <summary>What it is, for a message.</summary>
    public abstract string Shown { get; }
}

/// <summary>A text, number or word: YAML's types are not used, the reader of each value says what it must be.</summary>
internal sealed class YamlScalar(TextPlace place, string value) : YamlNode(place)
{
    public string Value => value;

    public override string Shown => value;
}

/// <summary>A list.</summary>
internal sealed class YamlList(TextPlace place, IReadOnlyList<YamlNode> items) : YamlNode(place)
{
    public IReadOnlyList<YamlNode> Items => items;

    public override string Shown => "a list";
}

/// <summary>Keys with values.</summary>
internal sealed class YamlMap(TextPlace place, IReadOnlyList<(YamlScalar Key, YamlNode Value)> entries) : YamlNode(place)
{
    public IReadOnlyList<(YamlScalar Key, YamlNode Value)> Entries => entries;

    public override string Shown => "keys with values";
}
