namespace FastPathLb.NodeState;

/// <summary>One line of a dump.</summary>
/// <param name="Place">Where it stands.</param>
/// <param name="Text">The line without its end.</param>
internal readonly record struct DumpLine(TextPlace Place, string Text)
{
    /// <summary>Number of blanks it begins with.</summary>
    public int Indent => Text.Length - Text.AsSpan().TrimStart().Length;

    /// <summary>Whether nothing but blanks stands in it.</summary>
    public bool IsBlank => string.IsNullOrWhiteSpace(Text);

    /// <summary>Its words as blanks separate them.</summary>
    public WordCursor Words() => new(Place, Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Its words as a shell sees them, quotes removed.</summary>
    public WordCursor ShellWords() => new(Place, ShellText.Split(Text, Place));
}

/// <summary>Splits text into lines and keeps count.</summary>
internal static class DumpLines
{
    private const char ByteOrderMark = '\uFEFF';

    /// <summary>The lines of the text; both line ends of Unix and of Windows.</summary>
    public static IEnumerable<DumpLine> Of(string text, string fileName)
    {
        int number = 0;
        int start = text.StartsWith(ByteOrderMark) ? 1 : 0;
        while (start < text.Length)
        {
            int end = text.IndexOf('\n', start);
            int next = end < 0 ? text.Length : end + 1;
            int length = (end < 0 ? text.Length : end) - start;
            if (length > 0 && text[start + length - 1] == '\r')
            {
                length--;
            }

            number++;
            yield return new DumpLine(new TextPlace(fileName, number), text.Substring(start, length));
            start = next;
        }
    }

    /// <summary>The lines that hold something.</summary>
    public static IEnumerable<DumpLine> Filled(string text, string fileName)
    {
        foreach (DumpLine line in Of(text, fileName))
        {
            if (!line.IsBlank)
            {
                yield return line;
            }
        }
    }
}
