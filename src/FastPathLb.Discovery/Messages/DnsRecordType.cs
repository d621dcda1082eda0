namespace FastPathLb.Discovery;

/// <summary>Types of DNS records (IANA registry).</summary>
public enum DnsRecordType : ushort
{
    /// <summary>IPv4 address.</summary>
    A = 1,

    /// <summary>Name of an address.</summary>
    Ptr = 12,

    /// <summary>IPv6 address.</summary>
    Aaaa = 28,

    /// <summary>Options of the message itself (RFC 6891).</summary>
    Opt = 41,

    /// <summary>All of a name's records.</summary>
    Any = 255,
}

/// <summary>How a query ended (RFC 1035, section 4.1.1).</summary>
public enum DnsResponseCode : byte
{
    /// <summary>Answered, if only by saying that there is no record of that type.</summary>
    NoError = 0,

    /// <summary>The query cannot be read.</summary>
    FormatError = 1,

    /// <summary>This kind of query is not answered.</summary>
    NotImplemented = 4,

    /// <summary>The answer is not given here.</summary>
    Refused = 5,
}
