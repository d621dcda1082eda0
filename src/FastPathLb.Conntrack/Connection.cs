using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastPathLb.Conntrack;

/// <summary>
/// One connection: the conntrack entry and the IPVS entry of the same flow in one record of two cache lines, each with its own
/// lifetime. A record holds either, or both (<see cref="ConnectionFlags.Tracked"/>, <see cref="ConnectionFlags.Balanced"/>).
/// </summary>
/// <remarks>
/// <code>
/// line 0:  0 original key 16 | 16 reply key 16 | 32 states, flags 4 | 36 server 4 | 40 IPVS expiry 8 | 48 conntrack expiry 8 | 56 decisions 8
/// line 1: 64 sender seen 20 | 84 replier seen 20 | 104 last segment 12 | 116 last index.. 4 | 120 retransmissions 4 | 124 control 4
/// </code>
/// Owned by the worker that the connection is steered to; other workers read keys and flags only.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = SizeBytes)]
public struct Connection
{
    /// <summary>Two cache lines.</summary>
    public const int SizeBytes = 128;

    /// <summary>Client to virtual address; for a template, client network to service.</summary>
    public FlowKey Original;

    /// <summary>What comes back: real server to the address the source was translated to.</summary>
    public FlowKey Reply;

    /// <summary>IPVS state.</summary>
    public IpvsTcpState IpvsState;

    /// <summary>Conntrack's TCP state.</summary>
    public ConntrackTcpState TrackState;

    /// <summary>What the record holds.</summary>
    public ConnectionFlags Flags;

    /// <summary>Number of the real server, or -1.</summary>
    public int Server;

    /// <summary>When the IPVS entry expires, nanoseconds since the Unix epoch.</summary>
    public long IpvsExpires;

    /// <summary>When the conntrack entry expires, nanoseconds since the Unix epoch.</summary>
    public long TrackExpires;

    /// <summary>The configuration under which the numbers below were noted; 0 before anything was (see the balancer's established path).</summary>
    public ushort DecisionGeneration;

    /// <summary>What was decided for packets of the original direction: a number of the established path's, or 0.</summary>
    public ushort DecisionOriginal;

    /// <summary>What was decided for packets of the reply direction, or 0.</summary>
    public ushort DecisionReply;

    /// <summary>The headers towards the client, or 0.</summary>
    public ushort ClientLink;

    /// <summary>The sender of the original direction. <see cref="TcpSeen.Lent"/> holds the last window seen.</summary>
    public TcpSeen SeenOriginal;

    /// <summary>The sender of the reply direction. <see cref="TcpSeen.Lent"/> holds the number of packets in, up to 65,535.</summary>
    public TcpSeen SeenReply;

    /// <summary>Sequence number of the last segment (last_seq). UDP: low half of the time the stream begins.</summary>
    public uint LastSequence;

    /// <summary>Acknowledgement of the last segment (last_ack). UDP: high half of the time the stream begins.</summary>
    public uint LastAck;

    /// <summary>End of the last segment (last_end).</summary>
    public uint LastEnd;

    /// <summary>Kind of the last segment (last_index).</summary>
    public TcpSegmentKind LastKind;

    /// <summary>Direction of the last segment (last_dir).</summary>
    public FlowDirection LastDirection;

    /// <summary>Flags annotated from an ignored SYN (last_flags).</summary>
    public TcpSeenFlags LastFlags;

    /// <summary>Window scale annotated from an ignored SYN (last_wscale).</summary>
    public byte LastScale;

    /// <summary>Retransmissions seen of the last segment (retrans).</summary>
    public byte Retransmissions;

    /// <summary>Number of the worker that the record belongs to, from 0.</summary>
    public byte Owner;

    private ushort _spare;

    /// <summary>Number of the template that controls this connection, plus 1; for a template, how many it controls.</summary>
    public uint Control;

    /// <summary>
    /// IPVS's state, conntrack's state and the flags as one word, as <see cref="WordOf"/> makes it: compared at once. Little-endian
    /// machines only.
    /// </summary>
    public readonly uint StatesAndFlags =>
        Unsafe.ReadUnaligned<uint>(ref Unsafe.As<IpvsTcpState, byte>(ref Unsafe.AsRef(in IpvsState)));

    /// <summary>Whether the record holds a conntrack entry.</summary>
    public readonly bool IsTracked => (Flags & ConnectionFlags.Tracked) != 0;

    /// <summary>Whether the record holds an IPVS entry.</summary>
    public readonly bool IsBalanced => (Flags & ConnectionFlags.Balanced) != 0;

    /// <summary>Window of the last segment as sent (last_win).</summary>
    public ushort LastWindow
    {
        readonly get => SeenOriginal.Lent;
        set => SeenOriginal.Lent = value;
    }

    /// <summary>Packets from the client, counted up to 65,535 (in_pkts).</summary>
    public ushort InPackets
    {
        readonly get => SeenReply.Lent;
        set => SeenReply.Lent = value;
    }

    /// <summary>UDP: the time from which the flow counts as a stream, nanoseconds (stream_ts).</summary>
    public long StreamStart
    {
        readonly get => LastSequence | ((long)LastAck << 32);
        set
        {
            LastSequence = (uint)value;
            LastAck = (uint)(value >> 32);
        }
    }

    /// <summary>The key of a direction: the two lie side by side at the record's beginning.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref FlowKey KeyOf(ref Connection connection, FlowDirection direction) =>
        ref Unsafe.Add(ref Unsafe.As<Connection, FlowKey>(ref connection), (nuint)direction);

    /// <summary>The key of the other direction.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref FlowKey OtherKeyOf(ref Connection connection, FlowDirection direction) =>
        ref Unsafe.Add(ref Unsafe.As<Connection, FlowKey>(ref connection), (nuint)direction ^ 1);

    /// <summary>States and flags as one word, IPVS's state in the lowest byte, the flags in the upper half.</summary>
    public static uint WordOf(IpvsTcpState ipvs, ConntrackTcpState track, ConnectionFlags flags) =>
        (byte)ipvs | ((uint)(byte)track << 8) | ((uint)flags << 16);
}
