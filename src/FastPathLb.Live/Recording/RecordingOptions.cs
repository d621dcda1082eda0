namespace FastPathLb.Live.Recording;

/// <summary>Where and how much a running load balancer records.</summary>
/// <param name="Path">The capture; <c>.pcap</c> or <c>.pcapng</c>, <c>.gz</c> compressed. Of a ring, the name without numbers.</param>
public sealed record RecordingOptions(string Path)
{
    /// <summary>Files in the ring; 1 is one file without a limit, unless <see cref="FileBytesMax"/> is given.</summary>
    public int FileCount { get; init; } = 1;

    /// <summary>Size at which the next file begins, bytes; 0 is no limit. The oldest goes where there are more than <see cref="FileCount"/>.</summary>
    public long FileBytesMax { get; init; }
}
