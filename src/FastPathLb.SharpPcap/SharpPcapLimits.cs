using FastPathLb.Pipeline;

namespace FastPathLb.SharpPcap;

/// <summary>Sizes and times of the adapter, with their reasons.</summary>
public static class SharpPcapLimits
{
    /// <summary>Bytes asked for of each frame: libpcap's own maximum, so that merged (GRO) frames come whole.</summary>
    public const int SnapLengthBytes = 256 * 1024;

    /// <summary>Bytes of the kernel's ring: 64 of libpcap's 256 KiB blocks, some 10 ms of 10 Gbit/s.</summary>
    public const int RingBytes = 16 * 1024 * 1024;

    /// <summary>Longest time the kernel keeps frames back to fill a block of the ring.</summary>
    public const int BlockTimeoutMilliseconds = 1;

    /// <summary>Bytes of the largest frame that is passed on; what is longer is cut, as by a snap length.</summary>
    public const int FrameLengthMax = FrameBatch.FrameLengthMax;
}
