using System.Globalization;

namespace FastPathLb.Io.Captures;

/// <summary>What a capture file says of itself.</summary>
/// <remarks>A pcapng file may describe further interfaces between its frames: <see cref="Interfaces"/> grows while it is read.</remarks>
public sealed class CaptureInfo
{
    private readonly List<CaptureInterface> _interfaces = [];

    internal CaptureInfo(CaptureFormat format, bool isBigEndian, int majorVersion, int minorVersion)
    {
        Format = format;
        IsBigEndian = isBigEndian;
        MajorVersion = majorVersion;
        MinorVersion = minorVersion;
    }

    /// <summary>pcap or pcapng.</summary>
    public CaptureFormat Format { get; }

    /// <summary>Byte order of the file; of pcapng, its first section.</summary>
    public bool IsBigEndian { get; }

    /// <summary>Version in the file's header, before the dot.</summary>
    public int MajorVersion { get; }

    /// <summary>Version in the file's header, after the dot.</summary>
    public int MinorVersion { get; }

    /// <summary>The records have Alexey Kuznetzov's longer header (magic 0xa1b2cd34: Red Hat Linux 6 and its contemporaries).</summary>
    public bool HasModifiedRecords { get; internal init; }

    /// <summary>The data came out of gzip.</summary>
    public bool IsCompressed { get; internal set; }

    /// <summary>The interfaces known so far; at least one in a pcap file.</summary>
    public IReadOnlyList<CaptureInterface> Interfaces => _interfaces;

    /// <summary>Link type of the first interface; Ethernet as long as none is known.</summary>
    public LinkType LinkType => _interfaces.Count > 0 ? _interfaces[0].LinkType : LinkType.Ethernet;

    /// <summary>The first interface's snap length in bytes; 0 = no limit.</summary>
    public long SnapLengthBytes => _interfaces.Count > 0 ? _interfaces[0].SnapLengthBytes : 0;

    /// <summary>Resolution of the first interface's timestamps: 1,000,000 for microseconds.</summary>
    public ulong TimestampUnitsPerSecond => _interfaces.Count > 0 ? _interfaces[0].TimestampUnitsPerSecond : 1_000_000;

    /// <summary>One line for people, such as <c>pcap 2.4, little-endian, Ethernet, nanoseconds, snap length 262144</c>.</summary>
    public override string ToString()
    {
        string format = Format == CaptureFormat.Pcap ? "pcap" : "pcapng";
        string modified = HasModifiedRecords ? " (Kuznetzov's modified records)" : "";
        string order = IsBigEndian ? "big-endian" : "little-endian";
        string gzip = IsCompressed ? ", gzip" : "";
        string rest = _interfaces.Count switch
        {
            0 => "no interfaces",
            1 => DescribeFirst(),
            _ => string.Create(CultureInfo.InvariantCulture, $"{_interfaces.Count} interfaces, the first {DescribeFirst()}"),
        };
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{format} {MajorVersion}.{MinorVersion}{modified}, {order}{gzip}, {rest}");
    }

    internal void Add(CaptureInterface described) => _interfaces.Add(described);

    private string DescribeFirst()
    {
        string units = TimestampUnitsPerSecond switch
        {
            1_000_000_000 => "nanoseconds",
            1_000_000 => "microseconds",
            ulong perSecond => string.Create(CultureInfo.InvariantCulture, $"1/{perSecond} s"),
        };
        string snap = SnapLengthBytes == 0
            ? "no snap length"
            : string.Create(CultureInfo.InvariantCulture, $"snap length {SnapLengthBytes}");
        return $"{LinkType}, {units}, {snap}";
    }
}
