namespace FastPathLb.Conntrack;

/// <summary>Per-sender flags of TCP tracking (nf_conntrack_tcp.h).</summary>
[Flags]
public enum TcpSeenFlags : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Sent the window scale option.</summary>
    WindowScale = 1,

    /// <summary>Sent SACK permitted.</summary>
    SackPermitted = 2,

    /// <summary>Sent the first FIN.</summary>
    CloseInit = 4,

    /// <summary>Windows are not checked (picked up in the middle).</summary>
    Liberal = 8,

    /// <summary>Data was sent that is not acknowledged yet.</summary>
    DataUnacknowledged = 16,

    /// <summary><see cref="TcpSeen.MaxAck"/> is valid.</summary>
    MaxAckSet = 32,

    /// <summary>An RFC 5961 challenge ACK is expected (kept in the connection's last flags).</summary>
    ExpectChallengeAck = 64,

    /// <summary>Both sides sent a SYN (kept in the connection's last flags).</summary>
    SimultaneousOpen = 128,
}
