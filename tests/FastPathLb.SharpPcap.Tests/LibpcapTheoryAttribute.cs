using SharpPcap;

namespace FastPathLb.SharpPcap.Tests;

/// <summary>A theory that needs libpcap itself, which SharpPcap loads from the system: skipped, with the reason, where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LibpcapTheoryAttribute : TheoryAttribute
{
    private static readonly string? s_missing = FindMissing();

    public LibpcapTheoryAttribute() => Skip = s_missing;

    internal static string? FindMissing()
    {
        try
        {
            _ = Pcap.LibpcapVersion;
            return null;
        }
        catch (Exception problem) when (problem is DllNotFoundException or TypeInitializationException or EntryPointNotFoundException)
        {
            return $"libpcap is not installed (Debian: libpcap0.8; Windows: Npcap): {problem.Message}";
        }
    }
}
