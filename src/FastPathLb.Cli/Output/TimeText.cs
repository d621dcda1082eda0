using System.Globalization;

namespace FastPathLb.Cli.Output;

/// <summary>Times of frames, in UTC, with the nanoseconds that <see cref="DateTime"/> does not keep.</summary>
internal static class TimeText
{
    private const long Second = 1_000_000_000;

    /// <summary>A time of the day: <c>00:33:45.712345678</c>.</summary>
    public static string Of(long timestampNanoseconds) => Format(timestampNanoseconds, "HH:mm:ss", "");

    /// <summary>Date and time, as RFC 3339 has them.</summary>
    public static string Full(long timestampNanoseconds) => Format(timestampNanoseconds, "yyyy-MM-ddTHH:mm:ss", "Z");

    private static string Format(long timestampNanoseconds, string format, string zone)
    {
        (long seconds, long nanoseconds) = Math.DivRem(timestampNanoseconds, Second);
        if (nanoseconds < 0)
        {
            seconds--;
            nanoseconds += Second;
        }

        DateTime time = DateTime.UnixEpoch.AddSeconds(seconds);
        return $"{time.ToString(format, CultureInfo.InvariantCulture)}.{nanoseconds.ToString("D9", CultureInfo.InvariantCulture)}{zone}";
    }
}
