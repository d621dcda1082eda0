namespace FastPathLb.Wire;

/// <summary>ICMP message types (RFC 792, RFC 1256, RFC 950).</summary>
public enum IcmpType : byte
{
    /// <summary>Answer to an echo.</summary>
    EchoReply = 0,

    /// <summary>Error: no way to the destination; the code says why.</summary>
    DestinationUnreachable = 3,

    /// <summary>Error: slow down (deprecated by RFC 6633).</summary>
    SourceQuench = 4,

    /// <summary>Error: there is a better first hop.</summary>
    Redirect = 5,

    /// <summary>Ping.</summary>
    Echo = 8,

    /// <summary>A router says it is there.</summary>
    RouterAdvertisement = 9,

    /// <summary>Asks routers to say so.</summary>
    RouterSolicitation = 10,

    /// <summary>Error: time to live, or time to reassemble, ran out.</summary>
    TimeExceeded = 11,

    /// <summary>Error: the header makes no sense.</summary>
    ParameterProblem = 12,

    /// <summary>Asks for the time.</summary>
    Timestamp = 13,

    /// <summary>Says the time.</summary>
    TimestampReply = 14,

    /// <summary>Asks for the network mask.</summary>
    AddressMask = 17,

    /// <summary>Says the network mask.</summary>
    AddressMaskReply = 18,
}
