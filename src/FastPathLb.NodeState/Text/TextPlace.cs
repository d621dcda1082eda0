namespace FastPathLb.NodeState;

/// <summary>Where a piece of text stands, for error messages.</summary>
/// <param name="FileName">File.</param>
/// <param name="Line">Line from 1.</param>
/// <param name="Column">Column from 1; 0: not told (dumps are read by line).</param>
internal readonly record struct TextPlace(string FileName, int Line, int Column = 0)
{
    private const int ShownCharactersMax = 60;
    private const int MessageCharactersMax = 200;

    /// <summary>An error that says what should stand here and what does.</summary>
    public NodeStateException Expected(string expected, string? found) => Problem(found is null
        ? $"expected {expected}, found the end of the line"
        : $"expected {expected}, found {Quote(found)}");

    /// <summary>An error in free words.</summary>
    public NodeStateException Problem(string problem) => Column > 0
        ? new NodeStateException(FileName, Line, Column, problem)
        : new NodeStateException(FileName, Line, problem);

    /// <summary>Text shown in a message, in quotes: one line, of bounded length, control characters replaced.</summary>
    public static string Quote(string text) => $"'{OneLine(text, ShownCharactersMax)}'";

    /// <summary>A text as one line of bounded length, control characters replaced.</summary>
    public static string OneLine(string text, int lengthMax = MessageCharactersMax)
    {
        string shown = text.Length > lengthMax ? $"{text.AsSpan(0, lengthMax)}…" : text;
        return string.Create(shown.Length, shown, static (target, source) =>
        {
            for (int index = 0; index < source.Length; index++)
            {
                target[index] = char.IsControl(source[index]) || char.IsSurrogate(source[index]) ? '?' : source[index];
            }
        });
    }
}
