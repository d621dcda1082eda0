namespace FastPathLb.SharpPcap.Tests;

/// <summary>A fact on live devices in a network namespace of its own: skipped, with the reason, where that is not allowed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LiveFactAttribute : FactAttribute
{
    private static readonly string? s_missing = FindMissing();

    public LiveFactAttribute() => Skip = s_missing;

    private static string? FindMissing()
    {
        if (!OperatingSystem.IsLinux())
        {
            return "network namespaces are Linux's";
        }

        if (!Environment.IsPrivilegedProcess)
        {
            return "making a network namespace needs root";
        }

        if (LibpcapTheoryAttribute.FindMissing() is { } missing)
        {
            return missing;
        }

        try
        {
            new NamespaceLink().Dispose();
            return null;
        }
        catch (InvalidOperationException problem)
        {
            return $"no network namespace can be made here: {problem.Message}";
        }
    }
}
