using System.Runtime.InteropServices;

namespace FastPathLb.Conntrack;

/// <summary>What conntrack remembers of one TCP sender (struct ip_ct_tcp_state). 20 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Size = 20)]
public struct TcpSeen
{
    /// <summary>Highest sequence number plus length sent (td_end).</summary>
    public uint End;

    /// <summary>Right edge of the window the receiver offered: highest acknowledgement plus window (td_maxend).</summary>
    public uint MaxEnd;

    /// <summary>Largest window sent, scaled (td_maxwin); 0 until this sender was heard.</summary>
    public uint MaxWindow;

    /// <summary>Highest acknowledgement sent (td_maxack).</summary>
    public uint MaxAck;

    /// <summary>Window scale shift (td_scale).</summary>
    public byte Scale;

    /// <summary>What the sender agreed to.</summary>
    public TcpSeenFlags Flags;

    /// <summary>Room lent to the connection: see <see cref="Connection"/>.</summary>
    public ushort Lent;
}
