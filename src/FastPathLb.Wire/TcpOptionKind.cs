namespace FastPathLb.Wire;

/// <summary>Kinds of TCP options (IANA). Any byte may occur; these have names here.</summary>
public enum TcpOptionKind : byte
{
    /// <summary>The rest is padding.</summary>
    EndOfOptions = 0,

    /// <summary>One byte of padding.</summary>
    NoOperation = 1,

    /// <summary>Largest segment the sender takes (RFC 9293, section 3.7.1).</summary>
    MaximumSegmentSize = 2,

    /// <summary>Shift of the window (RFC 7323).</summary>
    WindowScale = 3,

    /// <summary>Selective acknowledgments are understood (RFC 2018).</summary>
    SackPermitted = 4,

    /// <summary>Selective acknowledgment (RFC 2018).</summary>
    Sack = 5,

    /// <summary>Timestamps (RFC 7323).</summary>
    Timestamps = 8,

    /// <summary>MD5 signature (RFC 2385).</summary>
    Md5Signature = 19,

    /// <summary>User timeout (RFC 5482).</summary>
    UserTimeout = 28,

    /// <summary>Authentication (RFC 5925).</summary>
    Authentication = 29,

    /// <summary>Multipath TCP (RFC 8684).</summary>
    Multipath = 30,

    /// <summary>Fast open cookie (RFC 7413).</summary>
    FastOpen = 34,
}
