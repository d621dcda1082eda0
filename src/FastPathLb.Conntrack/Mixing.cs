using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace FastPathLb.Conntrack;

/// <summary>Mixing of words for hashes.</summary>
public static class Mixing
{
    /// <summary>Both halves of the product of two words, one over the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Multiply(ulong left, ulong right)
    {
        if (Bmi2.X64.IsSupported)
        {
            // Two products in registers: one instruction gives both halves, but .NET has it put one of them into memory.
            return Bmi2.X64.MultiplyNoFlags(left, right) ^ (left * right);
        }

        ulong high = Math.BigMul(left, right, out ulong low);
        return high ^ low;
    }
}
