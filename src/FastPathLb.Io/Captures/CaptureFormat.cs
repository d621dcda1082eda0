namespace FastPathLb.Io.Captures;

/// <summary>How records are laid out in a capture file.</summary>
public enum CaptureFormat
{
    /// <summary>For writing only: pcapng where the name ends in <c>.pcapng</c> or <c>.ntar</c>, else pcap.</summary>
    ByExtension = 0,

    /// <summary>Classic pcap (draft-ietf-opsawg-pcap): one link type, one resolution for the whole file.</summary>
    Pcap = 1,

    /// <summary>pcapng (draft-ietf-opsawg-pcapng): blocks, several interfaces.</summary>
    Pcapng = 2,
}
