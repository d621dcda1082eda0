namespace FastPathLb.Wire;

/// <summary>
/// The change that replaced words make to a checksum (RFC 1624, equation 3: HC' = ~(~HC + ~m + m')).
/// Accumulate with <see cref="Replace(ushort, ushort)"/>, apply to as many checksums as cover the words.
/// </summary>
/// <remarks>
/// Bit for bit what Linux's csum_replace2, csum_replace4 and csum_fold give: <see cref="ApplyTo"/> never makes 0xFFFF.
/// Mutable: keep it in a local or in a field that is not readonly.
/// The replaced words must lie at even offsets of what the checksum covers.
/// </remarks>
public struct ChecksumDelta
{
    private ulong _sum;

    /// <summary>Accounts for a 16-bit word, such as a port.</summary>
    public void Replace(ushort oldValue, ushort newValue) => Replace((uint)oldValue, newValue);

    /// <summary>Accounts for two 16-bit words, such as an address.</summary>
    public void Replace(uint oldValue, uint newValue) => _sum += (ulong)~oldValue + newValue;

    /// <summary>The new value of a complete checksum field.</summary>
    public readonly ushort ApplyTo(ushort checksum) => (ushort)~InternetChecksum.FoldWide(_sum + ~(uint)checksum);

    /// <summary>
    /// The new value of a field that holds a partial sum, not complemented: the pseudo-header sum which Linux leaves there for
    /// a network card to complete (CHECKSUM_PARTIAL). Only words of the pseudo-header count for such a field.
    /// </summary>
    public readonly ushort ApplyToPartial(ushort partialSum) => InternetChecksum.FoldWide(_sum + partialSum);

    /// <summary>
    /// The new value of a UDP checksum field that is not 0: a result of 0 is written as 0xFFFF, because 0 says that there is no
    /// checksum (RFC 768). Leave a field of 0 alone.
    /// </summary>
    public readonly ushort ApplyToUdp(ushort checksum)
    {
        ushort result = ApplyTo(checksum);
        return result == 0 ? ushort.MaxValue : result;
    }
}
