using FastPathLb.Pipeline;

namespace FastPathLb.Balancer.Tests.Paths;

/// <summary>All path tables, a row a test.</summary>
public sealed class PathTests
{
    private static readonly Dictionary<string, PathCase> s_cases = Collect();

    public static TheoryData<string> Descriptions => [.. s_cases.Keys];

    /// <summary>Reasons that the tables provoke: a frame was given up for each of them, or answered because of it.</summary>
    internal static IEnumerable<DropReason> Reasons => s_cases.Values.SelectMany(item => item.Reasons);

    [Theory]
    [MemberData(nameof(Descriptions))]
    public void Path(string description)
    {
        string? problem = s_cases[description].Run();

        Assert.True(problem is null, problem);
    }

    private static Dictionary<string, PathCase> Collect()
    {
        Dictionary<string, PathCase> cases = new(StringComparer.Ordinal);
        foreach (PathCase item in (PathCase[])
        [
            .. OverlayCases.All, .. OverlayLinkCases.All, .. OverlayIcmpCases.All, .. OverlayFragmentCases.All, .. FilterCases.All,
            .. LimitCases.All, .. OptionCases.All, .. MtuCases.All, .. UnderlayCases.All,
        ])
        {
            cases.Add(item.Description, item);
        }

        return cases;
    }
}
