using System.Globalization;
using System.Runtime.InteropServices;

namespace FastPathLb.Conntrack;

/// <summary>The kernel's NUMA policy of a range of memory: mbind and get_mempolicy, numbers as in <c>linux/mempolicy.h</c>.</summary>
/// <remarks>
/// Sound because the kernel reads and writes masks of exactly the stated length on our stack, and the range is only named, not read. The C
/// library has no function for these calls (libnuma does), so they go by number.
/// </remarks>
internal static unsafe partial class MemoryPolicyInterop
{
    private const int PolicyPreferred = 1;
    private const int PolicyInterleave = 3;
    private const int PolicyLocal = 4;
    private const nuint FlagAddress = 2;
    private const int MaskWords = 16;
    private const int MaskBits = MaskWords * 64;

    /// <summary>Sets the policy of pages that were not touched yet.</summary>
    /// <exception cref="ArgumentException">The kernel refuses, and there is more than one node.</exception>
    public static void Apply(void* start, nuint lengthBytes, MemoryPlacement placement)
    {
        ulong* mask = stackalloc ulong[MaskWords];
        new Span<ulong>(mask, MaskWords).Clear();
        int policy = PolicyLocal;
        if (placement.Kind == MemoryPlacementKind.Node)
        {
            policy = PolicyPreferred;
            Add(mask, placement.Node);
        }
        else if (placement.Kind == MemoryPlacementKind.Interleave)
        {
            policy = PolicyInterleave;
            foreach (int node in MemoryPlacement.Nodes)
            {
                Add(mask, node);
            }
        }

        // MPOL_LOCAL takes no nodes. The kernel's count is one more than the bits it reads.
        nint result = SystemCall(
            Number(x64: 237, arm64: 235), (nint)start, (nint)lengthBytes, policy, policy == PolicyLocal ? 0 : (nint)mask,
            policy == PolicyLocal ? 0 : MaskBits + 1, 0);
        int error = Marshal.GetLastPInvokeError();

        // A kernel without nodes, and containers that forbid the call: with one node there is nothing to choose.
        if (result != 0 && (MemoryPlacement.Nodes.Length > 1 || placement is { Kind: MemoryPlacementKind.Node, Node: > 0 }))
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"the kernel refuses memory on NUMA nodes '{placement}' (mbind, error {error}); in a container it takes CAP_SYS_NICE"));
        }
    }

    /// <summary>What the kernel says of the page at an address. Null where it does not say.</summary>
    public static MemoryPlacement? Read(void* address)
    {
        ulong* mask = stackalloc ulong[MaskWords];
        new Span<ulong>(mask, MaskWords).Clear();
        int* policy = stackalloc int[1];
        if (SystemCall(Number(x64: 239, arm64: 236), (nint)policy, (nint)mask, MaskBits + 1, (nint)address, (nint)FlagAddress, 0) != 0)
        {
            return null;
        }

        return *policy switch
        {
            PolicyPreferred => new(MemoryPlacementKind.Node, Lowest(mask)),
            PolicyInterleave => new(MemoryPlacementKind.Interleave),
            PolicyLocal => new(MemoryPlacementKind.Local),
            _ => default(MemoryPlacement),
        };
    }

    private static void Add(ulong* mask, int node)
    {
        if (node < MaskBits)
        {
            mask[node / 64] |= 1ul << (node % 64);
        }
    }

    private static int Lowest(ulong* mask)
    {
        int word = 0;
        while (word < MaskWords - 1 && mask[word] == 0)
        {
            word++;
        }

        return (word * 64) + System.Numerics.BitOperations.TrailingZeroCount(mask[word]);
    }

    /// <summary>A call's number here; on other processors one that no call has.</summary>
    private static nint Number(int x64, int arm64) => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => x64,
        Architecture.Arm64 => arm64,
        _ => -1,
    };

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint SystemCall(nint number, nint first, nint second, nint third, nint fourth, nint fifth, nint sixth);
}
