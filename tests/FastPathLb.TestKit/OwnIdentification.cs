namespace FastPathLb.TestKit;

/// <summary>
/// Identifications that a load balancer gives its own packets. The kernel draws them, each worker counts up; where workers are
/// compared they are left out.
/// </summary>
public static class OwnIdentification
{
    private const int ProtocolOffset = 23;
    private const int IdentificationOffset = 18;
    private const int ChecksumOffset = 24;

    /// <summary>An ICMP message at the overlay without its identification and IPv4 checksum; other frames as they are.</summary>
    public static byte[] Without(byte[] frame)
    {
        if (frame.Length <= ProtocolOffset || frame[12] != 8 || frame[13] != 0 || frame[ProtocolOffset] != 1)
        {
            return frame;
        }

        byte[] copy = [.. frame];
        copy.AsSpan(IdentificationOffset, 2).Clear();
        copy.AsSpan(ChecksumOffset, 2).Clear();
        return copy;
    }
}
