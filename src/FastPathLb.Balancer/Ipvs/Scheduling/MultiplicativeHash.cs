namespace FastPathLb.Balancer.Ipvs.Scheduling;

/// <summary>The kernel's hash_32 (include/linux/hash.h): multiplication by the golden ratio, highest bits.</summary>
internal static class MultiplicativeHash
{
    private const uint GoldenRatio32 = 0x61C88647;

    public static uint Compute32(uint value, int bits) => unchecked(value * GoldenRatio32) >> (32 - bits);
}
