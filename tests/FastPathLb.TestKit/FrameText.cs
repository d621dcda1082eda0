using System.Globalization;
using System.Text;
using FastPathLb.Wire;

namespace FastPathLb.TestKit;

/// <summary>Frames in words, for tests that fail.</summary>
public static class FrameText
{
    private const int BytesPerLine = 16;

    /// <summary>Compares lists of frames byte by byte.</summary>
    /// <returns>The difference in words, or null where there is none.</returns>
    public static string? Difference(IReadOnlyList<byte[]> expected, IReadOnlyList<byte[]> actual)
    {
        if (expected.Count == actual.Count)
        {
            int index = 0;
            while (index < expected.Count && expected[index].AsSpan().SequenceEqual(actual[index]))
            {
                index++;
            }

            if (index == expected.Count)
            {
                return null;
            }
        }

        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"{expected.Count} frames expected, {actual.Count} sent");
        for (int index = 0; index < Math.Max(expected.Count, actual.Count); index++)
        {
            Append(text, index < expected.Count ? expected[index] : null, index < actual.Count ? actual[index] : null);
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, byte[]? expected, byte[]? actual)
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"expected: {Print(expected)}");
        text.AppendLine(CultureInfo.InvariantCulture, $"sent:     {Print(actual)}");
        if (expected is null || actual is null)
        {
            return;
        }

        for (int line = 0; line < Math.Max(expected.Length, actual.Length); line += BytesPerLine)
        {
            string left = Hex(expected, line);
            string right = Hex(actual, line);
            if (left != right)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"  {line:x4} expected {left}");
                text.AppendLine(CultureInfo.InvariantCulture, $"  {line:x4} sent     {right}");
            }
        }
    }

    private static string Print(byte[]? frame) => frame is null ? "nothing" : FramePrinter.Print(frame);

    private static string Hex(byte[] bytes, int from) =>
        from >= bytes.Length ? "-" : Convert.ToHexString(bytes.AsSpan(from, Math.Min(BytesPerLine, bytes.Length - from)));
}
