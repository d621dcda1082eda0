using System.Buffers.Binary;
using FastPathLb.Wire;

namespace FastPathLb.Balancer;

/// <summary>Offsets and in-place changes of an IPv4 header, with its checksum kept (RFC 791, RFC 1624).</summary>
internal static class Ipv4
{
    public const int HeaderLengthMinimum = 20;
    public const int TotalLengthOffset = 2;
    public const int IdentificationOffset = 4;
    public const int FragmentOffset = 6;
    public const int TimeToLiveOffset = 8;
    public const int ProtocolOffset = 9;
    public const int ChecksumOffset = 10;
    public const int SourceOffset = 12;
    public const int DestinationOffset = 16;

    public const ushort DontFragment = 0x4000;
    public const ushort MoreFragments = 0x2000;
    public const ushort FragmentOffsetMask = 0x1FFF;

    public const byte TimeToLiveDefault = 64;

    /// <summary>Recomputes the header checksum (ip_send_check).</summary>
    public static void WriteChecksum(Span<byte> header)
    {
        int length = (header[0] & 15) * 4;
        header[ChecksumOffset] = 0;
        header[ChecksumOffset + 1] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(header[ChecksumOffset..], InternetChecksum.Compute(header[..length]));
    }

    /// <summary>Changes an address and carries the checksum along (csum_replace4).</summary>
    public static void ReplaceAddress(Span<byte> header, int addressOffset, uint address)
    {
        uint old = BinaryPrimitives.ReadUInt32BigEndian(header[addressOffset..]);
        ChecksumDelta delta = default;
        delta.Replace(old, address);
        BinaryPrimitives.WriteUInt32BigEndian(header[addressOffset..], address);
        Apply(header, delta);
    }

    /// <summary>Takes one off the time to live (ip_decrease_ttl).</summary>
    public static void DecrementTimeToLive(Span<byte> header)
    {
        uint sum = BinaryPrimitives.ReadUInt16BigEndian(header[ChecksumOffset..]) + 0x0100u;
        BinaryPrimitives.WriteUInt16BigEndian(header[ChecksumOffset..], (ushort)(sum + (sum >= 0xFFFF ? 1u : 0u)));
        header[TimeToLiveOffset]--;
    }

    private static void Apply(Span<byte> header, in ChecksumDelta delta) =>
        BinaryPrimitives.WriteUInt16BigEndian(
            header[ChecksumOffset..], delta.ApplyTo(BinaryPrimitives.ReadUInt16BigEndian(header[ChecksumOffset..])));
}
