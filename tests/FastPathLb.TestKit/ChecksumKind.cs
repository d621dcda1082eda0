namespace FastPathLb.TestKit;

/// <summary>What a made packet has for a transport checksum.</summary>
public enum ChecksumKind
{
    /// <summary>The right one, computed over the whole packet.</summary>
    Right,

    /// <summary>Zero: none, for UDP.</summary>
    Zero,

    /// <summary>The pseudo-header's sum alone, which a sender leaves to its network card (CHECKSUM_PARTIAL).</summary>
    Partial,

    /// <summary>The right one and <see cref="PacketBuilder.ChecksumError"/> more, in one's complement.</summary>
    Wrong,
}
