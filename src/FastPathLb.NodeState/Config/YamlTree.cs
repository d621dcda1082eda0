using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace FastPathLb.NodeState;

/// <summary>
/// Loads YAML by YamlDotNet's parser of events, which knows the place of each (its serialiser does not, and needs
/// reflection).
/// </summary>
internal sealed class YamlTree
{
    // A configuration is four levels deep; the parser must not be led into a deep recursion.
    private const int DepthMax = 16;

    private readonly string _fileName;
    private readonly Parser _parser;
    private readonly Dictionary<string, YamlNode> _anchors = new(StringComparer.Ordinal);

    private YamlTree(string text, string fileName)
    {
        _fileName = fileName;
        _parser = new Parser(new StringReader(text));
    }

    /// <summary>The tree of the only document; null where there is none.</summary>
    public static YamlNode? Load(string text, string fileName)
    {
        try
        {
            return new YamlTree(text, fileName).ReadStream();
        }
        catch (YamlException exception)
        {
            throw PlaceOf(fileName, exception.Start).Problem($"this is no YAML: {TextPlace.OneLine(exception.Message)}");
        }
        catch (Exception exception) when (IsScannersOwn(exception))
        {
            throw new NodeStateException($"{fileName}: this is no YAML: {TextPlace.OneLine(exception.Message)}", exception);
        }
    }

    // The scanner fails so on some texts that are not YAML.
    private static bool IsScannersOwn(Exception exception) =>
        exception is InvalidOperationException or ArgumentException or FormatException
            or IndexOutOfRangeException or InvalidCastException or OverflowException;

    private static TextPlace PlaceOf(string fileName, Mark mark) => new(fileName, (int)mark.Line, (int)mark.Column);

    private YamlNode? ReadStream()
    {
        YamlNode? root = null;
        bool hasDocument = false;
        while (_parser.MoveNext())
        {
            if (_parser.Current is DocumentStart start)
            {
                if (hasDocument)
                {
                    throw PlaceOf(_fileName, start.Start).Problem("expected one document only");
                }

                hasDocument = true;
                _parser.MoveNext();
                root = ReadNode(0);
            }
        }

        return root;
    }

    // Reads the node at the current event; on return the current event is its last.
    private YamlNode ReadNode(int depth)
    {
        ParsingEvent current = _parser.Current ?? throw new NodeStateException($"{_fileName}: this is no YAML: it ends in the middle");
        TextPlace place = PlaceOf(_fileName, current.Start);
        if (depth > DepthMax)
        {
            throw place.Problem($"this is nested more than {DepthMax} deep");
        }

        switch (current)
        {
            case Scalar scalar:
                return Named(scalar, new YamlScalar(place, scalar.Value));
            case SequenceStart sequence:
                return Named(sequence, ReadList(place, depth));
            case MappingStart mapping:
                return Named(mapping, ReadMap(place, depth));
            case AnchorAlias alias:
                return _anchors.GetValueOrDefault(alias.Value.Value) ?? throw place.Problem($"nothing above is named &{alias.Value.Value}");
            default:
                throw place.Problem("expected a value, a list or keys");
        }
    }

    private YamlNode Named(YamlDotNet.Core.Events.NodeEvent source, YamlNode node)
    {
        if (!source.Anchor.IsEmpty)
        {
            _anchors[source.Anchor.Value] = node;
        }

        return node;
    }

    private YamlList ReadList(TextPlace place, int depth)
    {
        List<YamlNode> items = [];
        while (_parser.MoveNext() && _parser.Current is not SequenceEnd)
        {
            items.Add(ReadNode(depth + 1));
        }

        return new YamlList(place, items);
    }

    private YamlMap ReadMap(TextPlace place, int depth)
    {
        List<(YamlScalar, YamlNode)> entries = [];
        HashSet<string> keys = new(StringComparer.Ordinal);
        while (_parser.MoveNext() && _parser.Current is not MappingEnd)
        {
            if (ReadNode(depth + 1) is not YamlScalar key)
            {
                throw place.Problem("expected a word as key");
            }

            if (!keys.Add(key.Value))
            {
                throw key.Place.Problem($"key {TextPlace.Quote(key.Value)} stands here twice");
            }

            _parser.MoveNext();
            entries.Add((key, ReadNode(depth + 1)));
        }

        return new YamlMap(place, entries);
    }
}
