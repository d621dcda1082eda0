namespace FastPathLb.Conntrack;

/// <summary>
/// Conntrack's TCP state table (tcp_conntracks in nf_conntrack_proto_tcp.c): direction, kind of segment, state → new state.
/// </summary>
internal static class TcpTransitions
{
    private const byte No = (byte)ConntrackTcpState.None;
    private const byte Ss = (byte)ConntrackTcpState.SynSent;
    private const byte Sr = (byte)ConntrackTcpState.SynReceived;
    private const byte Es = (byte)ConntrackTcpState.Established;
    private const byte Fw = (byte)ConntrackTcpState.FinWait;
    private const byte Cw = (byte)ConntrackTcpState.CloseWait;
    private const byte La = (byte)ConntrackTcpState.LastAck;
    private const byte Tw = (byte)ConntrackTcpState.TimeWait;
    private const byte Cl = (byte)ConntrackTcpState.Close;
    private const byte S2 = (byte)ConntrackTcpState.SynSent2;
    private const byte Iv = (byte)ConntrackTcpState.Invalid;
    private const byte Ig = (byte)ConntrackTcpState.Ignore;

    private const int States = 10;
    private const int Kinds = 6;

    // Columns: NONE SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSE SYN_SENT2.
    private static ReadOnlySpan<byte> Table =>
    [
        // Original direction.
        Ss, Ss, Ig, Ig, Ig, Ig, Ig, Ss, Ss, S2, // SYN
        Iv, Iv, Sr, Iv, Iv, Iv, Iv, Iv, Iv, Sr, // SYN+ACK
        Iv, Iv, Fw, Fw, La, La, La, Tw, Cl, Iv, // FIN
        Es, Iv, Es, Es, Cw, Cw, Tw, Tw, Cl, Iv, // ACK
        Iv, Cl, Cl, Cl, Cl, Cl, Cl, Cl, Cl, Cl, // RST
        Iv, Iv, Iv, Iv, Iv, Iv, Iv, Iv, Iv, Iv, // none

        // Reply direction.
        Iv, S2, Iv, Iv, Iv, Iv, Iv, Ss, Iv, S2, // SYN
        Iv, Sr, Ig, Ig, Ig, Ig, Ig, Ig, Ig, Sr, // SYN+ACK
        Iv, Iv, Fw, Fw, La, La, La, Tw, Cl, Iv, // FIN
        Iv, Ig, Sr, Es, Cw, Cw, Tw, Tw, Cl, Ig, // ACK
        Iv, Cl, Cl, Cl, Cl, Cl, Cl, Cl, Cl, Cl, // RST
        Iv, Iv, Iv, Iv, Iv, Iv, Iv, Iv, Iv, Iv, // none
    ];

    /// <summary>The state after a segment.</summary>
    public static ConntrackTcpState Next(FlowDirection direction, TcpSegmentKind kind, ConntrackTcpState state) =>
        (ConntrackTcpState)Table[(((int)direction * Kinds) + (int)kind) * States + (int)state];
}
