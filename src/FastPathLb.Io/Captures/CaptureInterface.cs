namespace FastPathLb.Io.Captures;

/// <summary>One interface of a capture: a pcap file has exactly one, a pcapng file one for each Interface Description Block.</summary>
public sealed record CaptureInterface
{
    /// <summary>Place in <see cref="CaptureInfo.Interfaces"/>; counts on over the sections of a pcapng file.</summary>
    public required int Index { get; init; }

    /// <summary>What its frames begin with.</summary>
    public required LinkType LinkType { get; init; }

    /// <summary>The interface's name (<c>if_name</c>), where the file tells it.</summary>
    public string? Name { get; init; }

    /// <summary>Most bytes kept of a frame, as the file says it; 0 = no limit. Longer frames do occur and are given whole.</summary>
    public long SnapLengthBytes { get; init; }

    /// <summary>Resolution of the file's timestamps: 1,000,000 for microseconds. The reader gives nanoseconds whatever it is.</summary>
    public ulong TimestampUnitsPerSecond { get; init; } = 1_000_000;

    /// <summary>Seconds added to every timestamp (<c>if_tsoffset</c>); already in what the reader gives.</summary>
    public long TimestampOffsetSeconds { get; init; }

    /// <summary>Bytes of Ethernet frame check sequence at the end of each frame; 0 = none, or not told.</summary>
    /// <remarks>From the link type word of pcap.</remarks>
    public int FrameCheckSequenceBytes { get; init; }
}
