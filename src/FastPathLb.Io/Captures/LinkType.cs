namespace FastPathLb.Io.Captures;

/// <summary>What the first byte of a captured frame is: the LINKTYPE_ numbers of https://www.tcpdump.org/linktypes.html.</summary>
/// <remarks>A value without a name here is kept as it stands in the file.</remarks>
public enum LinkType : ushort
{
    /// <summary>BSD loopback: four bytes of address family in the byte order of the machine that captured.</summary>
    Null = 0,

    /// <summary>Ethernet, from the target MAC on.</summary>
    Ethernet = 1,

    /// <summary>An IPv4 or IPv6 packet, told apart by its first four bits.</summary>
    /// <remarks>Files also have it as 12 and 14, the DLT_RAW of different systems: the reader gives this value for all three.</remarks>
    Raw = 101,

    /// <summary>OpenBSD loopback: four bytes of address family, big-endian.</summary>
    Loop = 108,

    /// <summary>Linux cooked capture, 16-byte header, as <c>tcpdump -i any</c> wrote it until libpcap 1.10.</summary>
    LinuxSll = 113,

    /// <summary>An IPv4 packet.</summary>
    Ipv4 = 228,

    /// <summary>An IPv6 packet.</summary>
    Ipv6 = 229,

    /// <summary>Linux cooked capture, second version: 20-byte header with the interface number.</summary>
    LinuxSll2 = 276,
}
