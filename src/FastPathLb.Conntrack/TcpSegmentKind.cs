namespace FastPathLb.Conntrack;

/// <summary>What kind of segment conntrack sees, RST before SYN before FIN before ACK (enum tcp_bit_set).</summary>
public enum TcpSegmentKind : byte
{
    /// <summary>SYN.</summary>
    Syn = 0,

    /// <summary>SYN and ACK.</summary>
    SynAck = 1,

    /// <summary>FIN.</summary>
    Fin = 2,

    /// <summary>ACK.</summary>
    Ack = 3,

    /// <summary>RST.</summary>
    Rst = 4,

    /// <summary>None of them.</summary>
    None = 5,
}
