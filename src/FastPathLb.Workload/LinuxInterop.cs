using System.ComponentModel;
using System.Runtime.InteropServices;

namespace FastPathLb.Workload;

/// <summary>What .NET has no call for: the calling thread's own processor time, its place, and huge pages.</summary>
/// <remarks>Sound because every structure is passed by reference and outlives its call; nothing is kept by the kernel.</remarks>
public static partial class LinuxInterop
{
    private const int ThreadCpuTime = 3;
    private const int AdviceHugePages = 14;

    /// <summary>Processor time of the calling thread, which what runs beside it does not lengthen.</summary>
    public static double ThreadNanoseconds()
    {
        _ = ClockGetTime(ThreadCpuTime, out TimeSpec time);
        return (time.Seconds * 1e9) + time.Nanoseconds;
    }

    /// <summary>Keeps the calling thread on one processor.</summary>
    public static void Pin(int processor)
    {
        ulong[] mask = new ulong[16];
        mask[processor / 64] |= 1ul << (processor % 64);
        if (SchedSetAffinity(0, (nuint)(mask.Length * sizeof(ulong)), mask) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"cannot run on processor {processor}");
        }
    }

    /// <summary>The same where it can be done: not beyond the processors that the process may use.</summary>
    public static void TryPin(int processor)
    {
        try
        {
            Pin(processor);
        }
        catch (Win32Exception)
        {
            // It runs where the system puts it.
        }
    }

    /// <summary>Asks for huge pages; where there are none, small ones do.</summary>
    public static void AdviseHugePages(nint address, nuint length) => _ = MemoryAdvise(address, length, AdviceHugePages);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec time);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int SchedSetAffinity(int thread, nuint length, ulong[] mask);

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MemoryAdvise(nint address, nuint length, int advice);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
