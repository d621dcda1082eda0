using System.Globalization;

namespace FastPathLb.Cli.Output;

/// <summary>Numbers for people, the same in every locale.</summary>
internal static class NumberText
{
    /// <summary>A whole number with its thousands apart.</summary>
    public static string Of(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A time in seconds.</summary>
    public static string Of(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.000} s");

    /// <summary>A rate of frames.</summary>
    public static string Rate(double millionFramesPerSecond) =>
        string.Create(CultureInfo.InvariantCulture, $"{millionFramesPerSecond:0.000} Mpps");
}
