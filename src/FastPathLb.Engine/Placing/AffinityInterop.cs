using System.Runtime.InteropServices;

namespace FastPathLb.Engine.Placing;

/// <summary>The processors that the calling thread may run on: sched_getaffinity and sched_setaffinity.</summary>
/// <remarks>Sound because masks are arrays that outlive their call, of the length that is stated; nothing is kept by the kernel.</remarks>
internal static partial class AffinityInterop
{
    private const int MaskWords = Conntrack.KernelList.NumbersMax / 64;
    private const int CallingThread = 0;

    /// <summary>The calling thread's processors, ascending. Null where the kernel does not tell.</summary>
    public static int[]? Read()
    {
        ulong[] mask = new ulong[MaskWords];
        if (GetAffinity(CallingThread, MaskWords * sizeof(ulong), mask) < 0)
        {
            return null;
        }

        List<int> processors = [];
        for (int processor = 0; processor < MaskWords * 64; processor++)
        {
            if ((mask[processor / 64] >> (processor % 64) & 1) != 0)
            {
                processors.Add(processor);
            }
        }

        return [.. processors];
    }

    /// <summary>Keeps the calling thread on one processor.</summary>
    /// <returns>Whether the kernel did it.</returns>
    public static bool TryWrite(int processor)
    {
        ulong[] mask = new ulong[MaskWords];
        mask[processor / 64] = 1ul << (processor % 64);
        return SetAffinity(CallingThread, MaskWords * sizeof(ulong), mask) == 0;
    }

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetAffinity(int thread, nuint lengthBytes, [In, Out] ulong[] mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetAffinity(int thread, nuint lengthBytes, ulong[] mask);
}
