namespace FastPathLb.Conntrack;

/// <summary>Conntrack's timeouts and switches (net.netfilter.nf_conntrack_*), in nanoseconds. Immutable while frames pass.</summary>
public sealed class ConntrackTimeouts
{
    private const long Second = 1_000_000_000;

    private TcpTimeouts _tcp;

    /// <summary>The kernel's defaults.</summary>
    public ConntrackTimeouts()
    {
        this[ConntrackTcpState.SynSent] = 120 * Second;
        this[ConntrackTcpState.SynReceived] = 60 * Second;
        this[ConntrackTcpState.Established] = 432_000 * Second;
        this[ConntrackTcpState.FinWait] = 120 * Second;
        this[ConntrackTcpState.CloseWait] = 60 * Second;
        this[ConntrackTcpState.LastAck] = 30 * Second;
        this[ConntrackTcpState.TimeWait] = 120 * Second;
        this[ConntrackTcpState.Close] = 10 * Second;
        this[ConntrackTcpState.SynSent2] = 120 * Second;
    }

    /// <summary>Timeout of a TCP state.</summary>
    public long this[ConntrackTcpState state]
    {
        get => _tcp[(int)state];
        set => _tcp[(int)state] = value;
    }

    /// <summary>After too many retransmissions, or a window of zero (timeout_max_retrans).</summary>
    public long Retransmitted { get; set; } = 300 * Second;

    /// <summary>While data is unacknowledged (timeout_unacknowledged).</summary>
    public long Unacknowledged { get; set; } = 300 * Second;

    /// <summary>UDP seen one way only (udp_timeout).</summary>
    public long Udp { get; set; } = 30 * Second;

    /// <summary>UDP stream (udp_timeout_stream).</summary>
    public long UdpStream { get; set; } = 120 * Second;

    /// <summary>ICMP queries (icmp_timeout).</summary>
    public long Icmp { get; set; } = 30 * Second;

    /// <summary>Other protocols (generic_timeout).</summary>
    public long Generic { get; set; } = 600 * Second;

    /// <summary>Windows are not checked but for RST (tcp_be_liberal).</summary>
    public bool TcpLiberal { get; set; }

    /// <summary>Connections are picked up in the middle (tcp_loose).</summary>
    public bool TcpLoose { get; set; } = true;

    /// <summary>RSTs out of the window are let through (tcp_ignore_invalid_rst).</summary>
    public bool TcpIgnoreInvalidReset { get; set; }

    /// <summary>Retransmissions until the shorter timeout holds (tcp_max_retrans).</summary>
    public int TcpRetransmissionsMax { get; set; } = 3;

    /// <summary>Within the object: a timeout of a known state is one load.</summary>
    [System.Runtime.CompilerServices.InlineArray(10)]
    private struct TcpTimeouts
    {
        private long _first;
    }
}
