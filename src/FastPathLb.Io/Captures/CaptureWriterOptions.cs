namespace FastPathLb.Io.Captures;

/// <summary>How a capture is written. The defaults suit a replay: nanoseconds, Ethernet, whole frames.</summary>
public sealed record CaptureWriterOptions
{
    /// <summary>pcap or pcapng; by the file's extension if not said.</summary>
    public CaptureFormat Format { get; init; }

    /// <summary>Link type of a pcap file, and of the interface that a pcapng file gets if a frame is written before any is added.</summary>
    public LinkType LinkType { get; init; } = LinkType.Ethernet;

    /// <summary>Snap length told in the file, in bytes. Frames are not cut by it; the caller cuts.</summary>
    public int SnapLengthBytes { get; init; } = CaptureLimits.FrameLengthBytesMax;

    /// <summary>Timestamps are kept to the microsecond (pcap magic a1b2c3d4), for readers that know no nanoseconds.</summary>
    public bool IsMicroseconds { get; init; }

    /// <summary>Big-endian files, for readers that must be tested with them.</summary>
    public bool IsBigEndian { get; init; }
}
