namespace FastPathLb.Io.Captures;

/// <summary>Every limit of the capture reader and writer, with its reason.</summary>
public static class CaptureLimits
{
    /// <summary>Most bytes of one frame: 256 KiB, as libpcap (MAXIMUM_SNAPLEN) and Wireshark (WTAP_MAX_PACKET_SIZE_STANDARD).</summary>
    /// <remarks>Frames above 64 KiB are real: a BIG TCP sender hands 80 KB and more to a veth in one piece.</remarks>
    public const int FrameLengthBytesMax = 256 * 1024;

    /// <summary>Most bytes of one pcapng block: 16 MiB, as libpcap. Name tables and secrets are far smaller.</summary>
    public const int BlockLengthBytesMax = 16 * 1024 * 1024;

    /// <summary>Most interfaces of one pcapng file, so that a damaged one cannot take all memory.</summary>
    public const int InterfaceCountMax = 65_536;

    /// <summary>Most bytes of an interface's name; what is longer is cut.</summary>
    public const int InterfaceNameBytesMax = 1_024;

    /// <summary>Bytes read from a stream at a time: each read is a system call, and each seam of two reads copies a record.</summary>
    internal const int ReadBytes = 1024 * 1024;

    /// <summary>Most bytes collected by a writer before it writes: room for the longest record several times over.</summary>
    internal const int WriteBytes = 1024 * 1024;

    /// <summary>
    /// Bytes collected by a writer before it writes, of records that are not longer. Half as many, and the kernel takes more and smaller
    /// folios, since whole records begin and end within pages; twice as many, and they leave the processor's own cache.
    /// </summary>
    internal const int WriteBytesUsual = 256 * 1024;

    /// <summary>Bytes of a growing file that are reserved at a time: seldom enough to cost nothing, little to have been kept for nothing.</summary>
    internal const int ReserveBytes = 64 * 1024 * 1024;
}
