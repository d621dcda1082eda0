using System.Runtime.InteropServices;

namespace FastPathLb.Workload;

/// <summary>What .NET has no call for: the calling thread's own processor time.</summary>
/// <remarks>Sound because the structure is passed by reference and outlives its call; nothing is kept by the kernel.</remarks>
public static partial class LinuxInterop
{
    private const int ThreadCpuTime = 3;

    /// <summary>Processor time of the calling thread, which what runs beside it does not lengthen.</summary>
    public static double ThreadNanoseconds()
    {
        _ = ClockGetTime(ThreadCpuTime, out TimeSpec time);
        return (time.Seconds * 1e9) + time.Nanoseconds;
    }

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
