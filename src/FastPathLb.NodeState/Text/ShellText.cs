using System.Text;

namespace FastPathLb.NodeState;

/// <summary>Command lines: words, quotes and backslashes as a shell (and iptables-save) has them.</summary>
internal static class ShellText
{
    /// <summary>Splits a command line; a word that begins with <c>#</c> ends it.</summary>
    public static IReadOnlyList<string> Split(string text, TextPlace place)
    {
        List<string> words = [];
        StringBuilder word = new();
        int index = 0;
        while (true)
        {
            while (index < text.Length && char.IsWhiteSpace(text[index]))
            {
                index++;
            }

            if (index == text.Length || text[index] == '#')
            {
                return words;
            }

            word.Clear();
            index = TakeWord(text, index, word, place);
            words.Add(word.ToString());
        }
    }

    /// <summary>A word as it must be written to be read back as one.</summary>
    public static string Quote(string word)
    {
        bool isPlain = word.Length > 0;
        foreach (char character in word)
        {
            isPlain &= !char.IsWhiteSpace(character) && character is not ('"' or '\'' or '\\' or '#');
        }

        return isPlain
            ? word
            : $"\"{word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }

    private static int TakeWord(string text, int index, StringBuilder word, TextPlace place)
    {
        while (index < text.Length && !char.IsWhiteSpace(text[index]))
        {
            char character = text[index++];
            switch (character)
            {
                case '\'':
                    int end = text.IndexOf('\'', index);
                    if (end < 0)
                    {
                        throw place.Problem("a quote (') is not closed");
                    }

                    word.Append(text, index, end - index);
                    index = end + 1;
                    break;
                case '"':
                    index = TakeQuoted(text, index, word, place);
                    break;
                case '\\' when index < text.Length:
                    word.Append(text[index++]);
                    break;
                default:
                    word.Append(character);
                    break;
            }
        }

        return index;
    }

    private static int TakeQuoted(string text, int index, StringBuilder word, TextPlace place)
    {
        while (index < text.Length)
        {
            char character = text[index++];
            if (character == '"')
            {
                return index;
            }

            if (character == '\\' && index < text.Length && text[index] is '"' or '\\' or '\'')
            {
                character = text[index++];
            }

            word.Append(character);
        }

        throw place.Problem("a quote (\") is not closed");
    }
}
