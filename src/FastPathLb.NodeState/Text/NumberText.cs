using System.Globalization;

namespace FastPathLb.NodeState;

/// <summary>Numbers as the tools write them.</summary>
internal static class NumberText
{
    private const int NanosecondDigits = 9;
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Decimal, or hexadecimal after 0x.</summary>
    public static bool TryUInt(ReadOnlySpan<char> text, out uint value) => text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
        ? uint.TryParse(text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
        : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    /// <summary><c>[packets:bytes]</c>.</summary>
    public static bool TryCounters(ReadOnlySpan<char> text, out long packets, out long bytes)
    {
        packets = 0;
        bytes = 0;
        if (text.Length < 5 || text[0] != '[' || text[^1] != ']')
        {
            return false;
        }

        ReadOnlySpan<char> inner = text[1..^1];
        int colon = inner.IndexOf(':');
        return colon > 0
            && long.TryParse(inner[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out packets)
            && long.TryParse(inner[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out bytes);
    }

    /// <summary>
    /// Seconds since 1970 with up to nine decimals, as whole nanoseconds: exactly, which a double cannot hold.
    /// Further decimals are cut.
    /// </summary>
    public static bool TryEpoch(ReadOnlySpan<char> text, out long nanoseconds)
    {
        nanoseconds = 0;
        int point = text.IndexOf('.');
        ReadOnlySpan<char> whole = point < 0 ? text : text[..point];
        ReadOnlySpan<char> decimals = point < 0 ? [] : text[(point + 1)..];
        if (!long.TryParse(whole, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds)
            || seconds >= long.MaxValue / NanosecondsPerSecond
            || (point >= 0 && decimals.IsEmpty))
        {
            return false;
        }

        long fraction = 0;
        for (int index = 0; index < Math.Max(decimals.Length, NanosecondDigits); index++)
        {
            char digit = index < decimals.Length ? decimals[index] : '0';
            if (!char.IsAsciiDigit(digit))
            {
                return false;
            }

            if (index < NanosecondDigits)
            {
                fraction = (fraction * 10) + (digit - '0');
            }
        }

        nanoseconds = (seconds * NanosecondsPerSecond) + fraction;
        return true;
    }
}
