using System.Text;

namespace FastPathLb.Cli.Output;

/// <summary>Lines of columns, each as wide as its widest cell.</summary>
/// <param name="columns">Heads of the columns; one that begins with <c>&gt;</c> is aligned to the right.</param>
internal sealed class TextTable(params string[] columns)
{
    private const char RightMark = '>';
    private const string Gap = "  ";

    // Text is padded from here: the library fills with vectors, in code that is compiled as the program starts.
    private const string Blanks = "                                                                ";

    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row.</summary>
    public void Add(params string[] cells) => _rows.Add(cells);

    /// <summary>Writes the table without spaces at line ends.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="hasHeads">Whether the first line is the columns' heads.</param>
    public void Write(TextWriter writer, bool hasHeads = true)
    {
        string[] heads = Array.ConvertAll(columns, column => column.TrimStart(RightMark));
        int[] widths = new int[columns.Length];
        if (hasHeads)
        {
            Widen(widths, heads);
        }

        foreach (string[] row in _rows)
        {
            Widen(widths, row);
        }

        if (hasHeads)
        {
            writer.WriteLine(LineOf(heads, widths));
        }

        foreach (string[] row in _rows)
        {
            writer.WriteLine(LineOf(row, widths));
        }
    }

    private static void Widen(int[] widths, string[] row)
    {
        for (int index = 0; index < row.Length; index++)
        {
            widths[index] = Math.Max(widths[index], row[index].Length);
        }
    }

    private static void AppendBlanks(StringBuilder line, int count)
    {
        for (int left = count; left > 0; left -= Blanks.Length)
        {
            line.Append(Blanks, 0, Math.Min(left, Blanks.Length));
        }
    }

    private string LineOf(string[] row, int[] widths)
    {
        StringBuilder line = new();
        for (int index = 0; index < row.Length; index++)
        {
            bool isRight = columns[index].StartsWith(RightMark);
            int padding = widths[index] - row[index].Length;
            line.Append(Gap);
            AppendBlanks(line, isRight ? padding : 0);
            line.Append(row[index]);
            AppendBlanks(line, isRight ? 0 : padding);
        }

        return line.ToString().TrimEnd();
    }
}
