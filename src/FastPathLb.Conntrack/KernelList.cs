using System.Globalization;

namespace FastPathLb.Conntrack;

/// <summary>
/// Numbers of processors and of memory's nodes in the kernel's notation (<c>0,2-3</c>): as in <c>/sys/devices/system</c>, <c>taskset -c</c>
/// and <c>numactl</c>.
/// </summary>
public static class KernelList
{
    /// <summary>Numbers are below it: as many processors as the kernel can be built for.</summary>
    public const int NumbersMax = 8192;

    /// <summary>Reads a list. The order is kept; what is named twice is an error.</summary>
    /// <param name="text">The list; one line feed may follow, as in the kernel's files.</param>
    /// <param name="numbers">The numbers, one or more.</param>
    public static bool TryParse(ReadOnlySpan<char> text, out int[] numbers)
    {
        numbers = [];
        List<int> read = [];
        text = text.TrimEnd('\n');
        foreach (Range part in text.Split(','))
        {
            ReadOnlySpan<char> range = text[part];
            int dash = range.IndexOf('-');
            if (!TryParseNumber(dash < 0 ? range : range[..dash], out int first)
                || !TryParseNumber(dash < 0 ? range : range[(dash + 1)..], out int last)
                || last < first)
            {
                return false;
            }

            for (int number = first; number <= last; number++)
            {
                if (read.Contains(number))
                {
                    return false;
                }

                read.Add(number);
            }
        }

        numbers = read.ToArray();
        return true;
    }

    /// <summary>Writes a list, neighbours as ranges.</summary>
    public static string Format(ReadOnlySpan<int> numbers)
    {
        List<string> parts = [];
        for (int first = 0, last; first < numbers.Length; first = last + 1)
        {
            for (last = first; last + 1 < numbers.Length && numbers[last + 1] == numbers[last] + 1; last++)
            {
            }

            string begin = numbers[first].ToString(CultureInfo.InvariantCulture);
            parts.Add(first == last ? begin : $"{begin}-{numbers[last].ToString(CultureInfo.InvariantCulture)}");
        }

        return string.Join(',', parts);
    }

    /// <summary>Reads a list out of one of the kernel's files.</summary>
    /// <returns>Null where there is no such file, or nothing in it.</returns>
    public static int[]? ReadFile(string path)
    {
        try
        {
            return TryParse(File.ReadAllText(path), out int[] numbers) ? numbers : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool TryParseNumber(ReadOnlySpan<char> text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number < NumbersMax;
}
