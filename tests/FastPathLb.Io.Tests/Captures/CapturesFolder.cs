using System.Reflection;

namespace FastPathLb.Io.Tests.Captures;

/// <summary>The repository's captures/.</summary>
internal static class CapturesFolder
{
    public static string Path { get; } = typeof(CapturesFolder).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(a => a.Key == "CapturesFolder").Value!;
}
