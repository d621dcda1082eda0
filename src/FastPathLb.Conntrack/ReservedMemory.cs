using System.Runtime.InteropServices;

namespace FastPathLb.Conntrack;

/// <summary>
/// Zeroed memory outside of the collector's reach, in huge pages where the system has them: a random access to a table of many
/// megabytes costs a walk through the page tables in small ones. Touched page by page as it is first used.
/// </summary>
internal sealed unsafe partial class ReservedMemory : IDisposable
{
    private const nuint HugePageBytes = 2 << 20;
    private const nuint CacheLineBytes = 64;
    private const int ReadWrite = 3;
    private const int PrivateAnonymous = 0x22;
    private const int AdviseHugePage = 14;
    private static readonly void* s_mapFailed = (void*)-1;

    private void* _allocation;
    private readonly nuint _mappedBytes;

    /// <summary>Reserves memory.</summary>
    /// <exception cref="ArgumentException">The kernel refuses the placement.</exception>
    public ReservedMemory(nuint lengthBytes, MemoryPlacement placement)
    {
        bool isPlaced = placement.Kind != MemoryPlacementKind.Inherited;
        if (OperatingSystem.IsLinux() && (lengthBytes >= HugePageBytes || isPlaced))
        {
            _mappedBytes = lengthBytes + HugePageBytes;
            _allocation = Map(null, _mappedBytes, ReadWrite, PrivateAnonymous, -1, 0);
            if (_allocation != s_mapFailed)
            {
                Start = Align(_allocation, HugePageBytes);
                if (isPlaced)
                {
                    // Before the first touch: pages stay where they were first put. A refusal leaves the rest to the finalizer.
                    MemoryPolicyInterop.Apply(Start, lengthBytes, placement);
                }

                if (!placement.IsSparse)
                {
                    // Where it is refused, small pages do as well, but slower.
                    _ = Advise(Start, lengthBytes, AdviseHugePage);
                }

                return;
            }

            _mappedBytes = 0;
        }

        _allocation = NativeMemory.AllocZeroed(lengthBytes + CacheLineBytes);
        Start = Align(_allocation, CacheLineBytes);
    }

    /// <summary>Returns memory that the owner forgot to.</summary>
    ~ReservedMemory() => Free();

    /// <summary>The first byte, on a cache line.</summary>
    public void* Start { get; }

    /// <summary>Where its first page lies or will lie, as the kernel tells it. Null where it does not.</summary>
    public MemoryPlacement? ReadPlacement() => OperatingSystem.IsLinux() ? MemoryPolicyInterop.Read(Start) : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Free();
    }

    private static void* Align(void* start, nuint bytes) => (void*)(((nuint)start + bytes - 1) & ~(bytes - 1));

    private void Free()
    {
        void* allocation = _allocation;
        _allocation = null;
        if (allocation == null)
        {
            return;
        }

        if (_mappedBytes > 0)
        {
            _ = Unmap(allocation, _mappedBytes);
        }
        else
        {
            NativeMemory.Free(allocation);
        }
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(void* address, nuint length, int advice);
}
