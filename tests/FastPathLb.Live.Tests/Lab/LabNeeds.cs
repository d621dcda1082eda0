using System.Runtime.InteropServices;

namespace FastPathLb.Live.Tests.Lab;

/// <summary>What tests on real devices need of the machine.</summary>
internal static class LabNeeds
{
    private static readonly Lazy<string?> s_missing = new(FindMissing);

    /// <summary>Why a test cannot run here, or null.</summary>
    public static string? FindMissing(IEnumerable<string> tools) => s_missing.Value
        ?? tools.Where(tool => !IsInstalled(tool)).Select(tool => $"{tool} is not installed (.ci/run installs it)").FirstOrDefault();

    private static string? FindMissing()
    {
        if (!OperatingSystem.IsLinux())
        {
            return "TAP devices and network namespaces are Linux's";
        }

        if (!Environment.IsPrivilegedProcess)
        {
            return "making a network namespace needs root";
        }

        if (!File.Exists("/dev/net/tun"))
        {
            return "/dev/net/tun is not there: the kernel has no TUN driver, or the container is not given it";
        }

        if (!IsInstalled("ip"))
        {
            return "ip (iproute2) is not installed (.ci/run installs it)";
        }

        // Of the tests that take each device in turn some need it.
        if (!NativeLibrary.TryLoad("libxdp.so.1", out nint library))
        {
            return "libxdp.so.1 is not installed (.ci/run installs it)";
        }

        NativeLibrary.Free(library);
        try
        {
            using NetworkLab lab = new();
            lab.AddNamespace("probe");
            return null;
        }
        catch (InvalidOperationException problem)
        {
            return $"no network namespace can be made here: {problem.Message}";
        }
    }

    private static bool IsInstalled(string tool) => (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
        .Split(Path.PathSeparator).Append("/usr/sbin").Append("/sbin").Any(folder => File.Exists(Path.Combine(folder, tool)));
}
