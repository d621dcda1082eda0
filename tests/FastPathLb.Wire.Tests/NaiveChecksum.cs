namespace FastPathLb.Wire.Tests;

/// <summary>The Internet checksum as RFC 1071 words it: one 16-bit word after another, carry added at once.</summary>
internal static class NaiveChecksum
{
    public static ushort Sum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int index = 0; index < bytes.Length; index += 2)
        {
            uint low = index + 1 < bytes.Length ? bytes[index + 1] : 0u;
            sum += ((uint)bytes[index] << 8) | low;
            sum = (sum & 0xFFFF) + (sum >> 16);
        }

        return (ushort)sum;
    }
}
