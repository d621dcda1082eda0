using System.Globalization;
using System.Text.RegularExpressions;

namespace FastPathLb.Live.Tests.Lab;

/// <summary>What wrk says at its end.</summary>
internal sealed partial record WrkReport(int Requests, string Text)
{
    /// <summary>Whether every request was answered, and well.</summary>
    public bool IsClean => !Text.Contains("Socket errors", StringComparison.Ordinal) && !Text.Contains("Non-2xx", StringComparison.Ordinal);

    public static WrkReport Parse(string text)
    {
        Match match = RequestsLine().Match(text);
        Assert.True(match.Success, text);
        return new WrkReport(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), text);
    }

    [GeneratedRegex(@"(\d+) requests in ")]
    private static partial Regex RequestsLine();
}
