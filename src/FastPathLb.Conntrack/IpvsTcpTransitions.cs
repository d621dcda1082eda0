using System.Runtime.CompilerServices;
using FastPathLb.Wire;

namespace FastPathLb.Conntrack;

/// <summary>IPVS's TCP state table (ip_vs_proto_tcp.c): side, event, state → new state.</summary>
public static class IpvsTcpTransitions
{
    private const byte No = (byte)IpvsTcpState.None;
    private const byte Es = (byte)IpvsTcpState.Established;
    private const byte Ss = (byte)IpvsTcpState.SynSent;
    private const byte Sr = (byte)IpvsTcpState.SynReceived;
    private const byte Fw = (byte)IpvsTcpState.FinWait;
    private const byte Tw = (byte)IpvsTcpState.TimeWait;
    private const byte Cl = (byte)IpvsTcpState.Close;
    private const byte Cw = (byte)IpvsTcpState.CloseWait;
    private const byte La = (byte)IpvsTcpState.LastAck;
    private const byte Li = (byte)IpvsTcpState.Listen;
    private const byte Sa = (byte)IpvsTcpState.SynAck;

    private const int States = 11;
    private const int Events = 4;
    private const int Sides = 3;

    // Columns: NO ES SS SR FW TW CL CW LA LI SA. Rows: SYN, FIN, ACK, RST for input, output, input only.
    private static ReadOnlySpan<byte> Normal =>
    [
        Sr, Es, Es, Sr, Sr, Sr, Sr, Sr, Sr, Sr, Sr,
        Cl, Cw, Ss, Tw, Tw, Tw, Cl, Cw, La, Li, Tw,
        Es, Es, Ss, Es, Fw, Tw, Cl, Cw, Cl, Li, Es,
        Cl, Cl, Cl, Sr, Cl, Cl, Cl, Cl, La, Li, Sr,

        Ss, Es, Ss, Sr, Ss, Ss, Ss, Ss, Ss, Li, Sr,
        Tw, Fw, Ss, Tw, Fw, Tw, Cl, Tw, La, Li, Tw,
        Es, Es, Ss, Es, Fw, Tw, Cl, Cw, La, Es, Es,
        Cl, Cl, Ss, Cl, Cl, Tw, Cl, Cl, Cl, Cl, Cl,

        Sr, Es, Es, Sr, Sr, Sr, Sr, Sr, Sr, Sr, Sr,
        Cl, Fw, Ss, Tw, Fw, Tw, Cl, Cw, La, Li, Tw,
        Es, Es, Ss, Es, Fw, Tw, Cl, Cw, Cl, Li, Es,
        Cl, Cl, Cl, Sr, Cl, Cl, Cl, Cl, La, Li, Cl,
    ];

    // The same under secure_tcp (tcp_states_dos).
    private static ReadOnlySpan<byte> Secure =>
    [
        Sr, Es, Es, Sr, Sr, Sr, Sr, Sr, Sr, Sr, Sa,
        Cl, Cw, Ss, Tw, Tw, Tw, Cl, Cw, La, Li, Sa,
        Es, Es, Ss, Sr, Fw, Tw, Cl, Cw, Cl, Li, Sa,
        Cl, Cl, Cl, Sr, Cl, Cl, Cl, Cl, La, Li, Cl,

        Ss, Es, Ss, Sa, Ss, Ss, Ss, Ss, Ss, Li, Sa,
        Tw, Fw, Ss, Tw, Fw, Tw, Cl, Tw, La, Li, Tw,
        Es, Es, Ss, Es, Fw, Tw, Cl, Cw, La, Es, Es,
        Cl, Cl, Ss, Cl, Cl, Tw, Cl, Cl, Cl, Cl, Cl,

        Sa, Es, Es, Sr, Sa, Sa, Sa, Sa, Sa, Sa, Sa,
        Cl, Fw, Ss, Tw, Fw, Tw, Cl, Cw, La, Li, Tw,
        Es, Es, Ss, Es, Fw, Tw, Cl, Cw, Cl, Li, Es,
        Cl, Cl, Cl, Sr, Cl, Cl, Cl, Cl, La, Li, Cl,
    ];

    /// <summary>Which part of the table a packet uses.</summary>
    public enum Side
    {
        /// <summary>From the client, on a connection with replies.</summary>
        Input = 0,

        /// <summary>From the server.</summary>
        Output = 1,

        /// <summary>From the client, on a connection whose replies do not come this way.</summary>
        InputOnly = 2,
    }

    /// <summary>The state after a segment. RST counts before SYN before FIN before ACK; with none of them the state is CLOSE.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static IpvsTcpState Next(Side side, TcpFlags flags, IpvsTcpState state, bool secureTcp)
    {
        int row = (flags & TcpFlags.Rst) != 0 ? 3
            : (flags & TcpFlags.Syn) != 0 ? 0
            : (flags & TcpFlags.Fin) != 0 ? 1
            : (flags & TcpFlags.Ack) != 0 ? 2
            : -1;
        if (row < 0)
        {
            return IpvsTcpState.Close;
        }

        ReadOnlySpan<byte> table = secureTcp ? Secure : Normal;
        System.Diagnostics.Debug.Assert(table.Length == Sides * Events * States, "table shape");
        return (IpvsTcpState)table[((((int)side * Events) + row) * States) + (int)state];
    }

    /// <summary>Whether <c>ipvsadm</c> counts the state as active (tcp_state_active_table).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsActive(IpvsTcpState state) =>
        state is IpvsTcpState.Established or IpvsTcpState.SynSent or IpvsTcpState.SynReceived or IpvsTcpState.SynAck;

    /// <summary>The state's name as <c>ipvsadm -Lnc</c> prints it.</summary>
    public static string Name(IpvsTcpState state) => state switch
    {
        IpvsTcpState.None => "NONE",
        IpvsTcpState.Established => "ESTABLISHED",
        IpvsTcpState.SynSent => "SYN_SENT",
        IpvsTcpState.SynReceived => "SYN_RECV",
        IpvsTcpState.FinWait => "FIN_WAIT",
        IpvsTcpState.TimeWait => "TIME_WAIT",
        IpvsTcpState.Close => "CLOSE",
        IpvsTcpState.CloseWait => "CLOSE_WAIT",
        IpvsTcpState.LastAck => "LAST_ACK",
        IpvsTcpState.Listen => "LISTEN",
        IpvsTcpState.SynAck => "SYNACK",
        _ => "ERR!",
    };
}
