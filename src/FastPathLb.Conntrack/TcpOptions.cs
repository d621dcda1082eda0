namespace FastPathLb.Conntrack;

/// <summary>Numbers of the TCP options that tracking reads (IANA registry; RFC 9293, 7323, 2018).</summary>
internal static class TcpOptions
{
    public const byte EndOfList = 0;
    public const byte NoOperation = 1;
    public const byte WindowScale = 3;
    public const byte SackPermitted = 4;
    public const byte Sack = 5;
    public const byte Timestamps = 8;

    /// <summary>RFC 7323, section 2.3.</summary>
    public const byte WindowScaleMax = 14;
}
