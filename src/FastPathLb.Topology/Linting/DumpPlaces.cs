using System.Globalization;

namespace FastPathLb.Topology;

/// <summary>Finds again where in a folder's files something stands that was read from them.</summary>
/// <param name="folder">The folder.</param>
/// <param name="prefix">What the names of the node's files begin with.</param>
internal sealed class DumpPlaces(string folder, string prefix)
{
    private readonly Dictionary<string, string[]> _files = new(StringComparer.Ordinal);

    /// <summary>The file of a namespace and a kind, by its first line with all of the words; the file alone where there is none.</summary>
    public DumpPlace At(string space, string kind, params string[] words) => Find($"{space}.{kind}.txt", words);

    /// <summary>Whether the namespace has a dump of a kind.</summary>
    public bool Has(string space, string kind) => File.Exists(PathOf($"{space}.{kind}.txt"));

    /// <summary>The first of Docker's inspects of a kind that has a line with all of the words.</summary>
    /// <param name="kind">Beginning of the file's name, for example <c>network-inspect</c>.</param>
    /// <param name="words">The words.</param>
    public DumpPlace InDocker(string kind, params string[] words)
    {
        DumpPlace? first = null;
        foreach (string file in Directory.EnumerateFiles(folder, $"{prefix}{kind}*.json").Order(StringComparer.Ordinal))
        {
            DumpPlace place = Find(Path.GetFileName(file)[prefix.Length..], words);
            if (place.Line > 0)
            {
                return place;
            }

            first ??= place;
        }

        return first ?? new DumpPlace(PathOf($"{kind}.json"), 0);
    }

    /// <summary>A file's first line with all of the words.</summary>
    public DumpPlace Find(string name, params string[] words)
    {
        string path = PathOf(name);
        string[] lines = Lines(path);
        for (int index = 0; index < lines.Length && words.Length > 0; index++)
        {
            if (Array.TrueForAll(words, word => HasWord(lines[index], word)))
            {
                return new DumpPlace(path, index + 1);
            }
        }

        return new DumpPlace(path, 0);
    }

    private static bool HasWord(string line, string word)
    {
        for (int at = line.IndexOf(word, StringComparison.Ordinal); at >= 0; at = line.IndexOf(word, at + 1, StringComparison.Ordinal))
        {
            int end = at + word.Length;
            if ((at == 0 || !IsWordPart(line[at - 1])) && (end == line.Length || !IsWordPart(line[end]) || line[end] == ':'))
            {
                return true;
            }
        }

        return false;
    }

    // So that 10.0.1.3 is not found in 10.0.1.31.
    private static bool IsWordPart(char letter) =>
        letter is '.' or ':' || CharUnicodeInfo.GetUnicodeCategory(letter) is UnicodeCategory.DecimalDigitNumber
            or UnicodeCategory.LowercaseLetter or UnicodeCategory.UppercaseLetter;

    private string PathOf(string name) => Path.Combine(folder, prefix + name);

    private string[] Lines(string path)
    {
        if (!_files.TryGetValue(path, out string[]? lines))
        {
            lines = File.Exists(path) ? File.ReadAllLines(path) : [];
            _files[path] = lines;
        }

        return lines;
    }
}
