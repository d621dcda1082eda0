namespace FastPathLb.Conntrack;

/// <summary>Conntrack's TCP states, numbered as in the kernel (enum tcp_conntrack).</summary>
public enum ConntrackTcpState : byte
{
    /// <summary>NONE.</summary>
    None = 0,

    /// <summary>SYN_SENT.</summary>
    SynSent = 1,

    /// <summary>SYN_RECV.</summary>
    SynReceived = 2,

    /// <summary>ESTABLISHED.</summary>
    Established = 3,

    /// <summary>FIN_WAIT.</summary>
    FinWait = 4,

    /// <summary>CLOSE_WAIT.</summary>
    CloseWait = 5,

    /// <summary>LAST_ACK.</summary>
    LastAck = 6,

    /// <summary>TIME_WAIT.</summary>
    TimeWait = 7,

    /// <summary>CLOSE.</summary>
    Close = 8,

    /// <summary>SYN_SENT2: simultaneous open.</summary>
    SynSent2 = 9,

    /// <summary>The packet is invalid in this state (a table entry, never a state).</summary>
    Invalid = 10,

    /// <summary>The packet is let through without effect (a table entry, never a state).</summary>
    Ignore = 11,
}
