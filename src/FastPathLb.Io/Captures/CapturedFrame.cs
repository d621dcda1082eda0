namespace FastPathLb.Io.Captures;

/// <summary>One record of a capture, lent by <see cref="CaptureReader.TryRead"/> until its next call.</summary>
public readonly ref struct CapturedFrame
{
    /// <summary>Puts a frame together; the reader does, and tests.</summary>
    public CapturedFrame(
        long timestampNanoseconds,
        ReadOnlySpan<byte> data,
        int originalLengthBytes,
        int interfaceIndex,
        LinkType linkType,
        long recordNumber)
    {
        TimestampNanoseconds = timestampNanoseconds;
        Data = data;
        OriginalLengthBytes = originalLengthBytes;
        InterfaceIndex = interfaceIndex;
        LinkType = linkType;
        RecordNumber = recordNumber;
    }

    /// <summary>The captured bytes, beginning as <see cref="LinkType"/> says.</summary>
    public ReadOnlySpan<byte> Data { get; }

    /// <summary>When, in nanoseconds since 1970-01-01 00:00 UTC. 0 where the record carries no time (Simple Packet Block).</summary>
    /// <remarks>A fraction of a second and more, as odd files have, is added to the seconds: the instant that was meant.</remarks>
    public long TimestampNanoseconds { get; }

    /// <summary>The file's number of the record, from 1, as Wireshark counts.</summary>
    public long RecordNumber { get; }

    /// <summary>The frame's length on the wire, as the capturing program told it.</summary>
    public int OriginalLengthBytes { get; }

    /// <summary>Index into <see cref="CaptureInfo.Interfaces"/>.</summary>
    public int InterfaceIndex { get; }

    /// <summary>What <see cref="Data"/> begins with.</summary>
    public LinkType LinkType { get; }

    /// <summary>The snap length cut the frame: bytes are missing at its end.</summary>
    public bool IsCut => Data.Length < OriginalLengthBytes;
}
