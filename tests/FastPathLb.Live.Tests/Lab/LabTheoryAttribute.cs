namespace FastPathLb.Live.Tests.Lab;

/// <summary>A theory in network namespaces of its own: skipped, with the reason, where they or a tool are not to be had.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LabTheoryAttribute : TheoryAttribute
{
    public LabTheoryAttribute(params string[] tools)
    {
        Tools = tools;
        Skip = LabNeeds.FindMissing(tools);
    }

    /// <summary>Programs that the test runs.</summary>
    public string[] Tools { get; }
}
