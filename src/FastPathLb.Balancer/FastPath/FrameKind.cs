namespace FastPathLb.Balancer.FastPath;

/// <summary>What a frame is to the established path.</summary>
internal enum FrameKind : byte
{
    /// <summary>Anything: the general path looks at it.</summary>
    Other = 0,

    /// <summary>A packet of a flow, for the general path: it closes a connection, or is unusual.</summary>
    Flow = 1,

    /// <summary>A TCP segment with SYN and without ACK, FIN and RST.</summary>
    Opening = 2,

    /// <summary>A TCP segment with ACK and without SYN, FIN and RST.</summary>
    Segment = 3,

    /// <summary>A UDP datagram with a checksum.</summary>
    Datagram = 4,
}
