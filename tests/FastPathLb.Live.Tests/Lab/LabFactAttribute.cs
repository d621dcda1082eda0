namespace FastPathLb.Live.Tests.Lab;

/// <summary>A fact in network namespaces of its own: skipped, with the reason, where they or a tool are not to be had.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LabFactAttribute : FactAttribute
{
    public LabFactAttribute(params string[] tools)
    {
        Tools = tools;
        Skip = LabNeeds.FindMissing(tools);
    }

    /// <summary>Programs that the test runs.</summary>
    public string[] Tools { get; }
}
