namespace FastPathLb.Conntrack;

/// <summary>IPVS's TCP states, numbered as in the kernel (include/uapi/linux/ip_vs.h). UDP connections stay in <see cref="None"/>.</summary>
public enum IpvsTcpState : byte
{
    /// <summary>NONE: just made. UDP's only state, shown as UDP.</summary>
    None = 0,

    /// <summary>ESTABLISHED.</summary>
    Established = 1,

    /// <summary>SYN_SENT: the server sent a SYN.</summary>
    SynSent = 2,

    /// <summary>SYN_RECV: the client sent a SYN.</summary>
    SynReceived = 3,

    /// <summary>FIN_WAIT: the server sent a FIN.</summary>
    FinWait = 4,

    /// <summary>TIME_WAIT: both sent a FIN.</summary>
    TimeWait = 5,

    /// <summary>CLOSE: reset, or nonsense.</summary>
    Close = 6,

    /// <summary>CLOSE_WAIT: the client sent a FIN.</summary>
    CloseWait = 7,

    /// <summary>LAST_ACK.</summary>
    LastAck = 8,

    /// <summary>LISTEN.</summary>
    Listen = 9,

    /// <summary>SYNACK, under secure_tcp.</summary>
    SynAck = 10,
}
