using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastPathLb.Wire;

namespace FastPathLb.Conntrack;

/// <summary>
/// Conntrack's view of TCP connections: states, and whether a segment lies in the window (nf_conntrack_proto_tcp.c, Linux 6.1).
/// What it calls invalid is not translated, and so is emitted otherwise than the rest.
/// </summary>
public static class TcpTracker
{
    /// <summary>Whether the header can be a segment at all: whole, and with a combination of flags that exists.</summary>
    /// <param name="header">Bytes from the TCP header on.</param>
    /// <param name="lengthBytes">Length of the segment by the IP header.</param>
    public static bool IsWellFormed(ReadOnlySpan<byte> header, int lengthBytes)
    {
        if (header.Length < TcpSegment.MinimumHeaderBytes || lengthBytes < TcpSegment.MinimumHeaderBytes)
        {
            return false;
        }

        int headerLength = (header[12] >> 4) * 4;
        if (headerLength < TcpSegment.MinimumHeaderBytes || lengthBytes < headerLength)
        {
            return false;
        }

        // tcp_valid_flags: PSH, ECE and CWR may always be set.
        TcpFlags flags = (TcpFlags)header[13] & (TcpFlags.Fin | TcpFlags.Syn | TcpFlags.Rst | TcpFlags.Ack | TcpFlags.Urg);
        return flags is TcpFlags.Syn or (TcpFlags.Syn | TcpFlags.Urg) or (TcpFlags.Syn | TcpFlags.Ack)
            or TcpFlags.Rst or (TcpFlags.Rst | TcpFlags.Ack)
            or (TcpFlags.Fin | TcpFlags.Ack) or (TcpFlags.Fin | TcpFlags.Ack | TcpFlags.Urg)
            or TcpFlags.Ack or (TcpFlags.Ack | TcpFlags.Urg);
    }

    /// <summary>Begins a connection with its first segment, which must be well formed (tcp_new).</summary>
    /// <returns><see langword="false"/> where no connection begins so.</returns>
    public static bool TryBegin(ref Connection connection, in TcpSegment segment, ConntrackTimeouts timeouts)
    {
        ConntrackTcpState state = TcpTransitions.Next(FlowDirection.Original, segment.Kind, ConntrackTcpState.None);
        if (state == ConntrackTcpState.Invalid)
        {
            return false;
        }

        bool opens = state == ConntrackTcpState.SynSent;
        if (!opens && !timeouts.TcpLoose)
        {
            return false;
        }

        connection.SeenOriginal = default;
        connection.SeenReply = default;
        connection.LastSequence = 0;
        connection.LastAck = 0;
        connection.LastEnd = 0;
        connection.LastDirection = FlowDirection.Original;
        connection.LastFlags = TcpSeenFlags.None;
        connection.LastScale = 0;
        connection.Retransmissions = 0;
        connection.TrackState = ConntrackTcpState.None;
        BeginSender(ref connection.SeenOriginal, segment.End, segment.Window);
        if (opens)
        {
            ReadOptions(ref connection.SeenOriginal, segment.Options);
        }
        else
        {
            // In the middle of a connection: SACK and unscaled windows are assumed, and windows not held against it.
            connection.SeenOriginal.MaxEnd = unchecked(segment.End + connection.SeenOriginal.MaxWindow);
            connection.SeenOriginal.Flags = TcpSeenFlags.SackPermitted | TcpSeenFlags.Liberal;
            connection.SeenReply.Flags = TcpSeenFlags.SackPermitted | TcpSeenFlags.Liberal;
        }

        connection.LastKind = TcpSegmentKind.None;
        return true;
    }

    /// <summary>
    /// Begins a connection with a segment with SYN and without ACK, FIN and RST, and steps it: what <see cref="TryBegin"/> and
    /// <see cref="Step"/> do where nothing else can be the case.
    /// </summary>
    /// <param name="connection">The connection, all of it cleared but for its keys.</param>
    /// <param name="header">The TCP header, which must be well formed. Words are read as they lie there.</param>
    /// <param name="lengthBytes">Length of the segment: TCP header and payload.</param>
    /// <param name="now">Time, nanoseconds since the Unix epoch.</param>
    /// <param name="timeouts">Timeouts and switches.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void BeginWithSyn(ref Connection connection, ref byte header, int lengthBytes, long now, ConntrackTimeouts timeouts)
    {
        Debug.Assert(
            IsWellFormed(MemoryMarshal.CreateReadOnlySpan(ref header, lengthBytes), lengthBytes)
            && TcpTransitions.Next(FlowDirection.Original, TcpSegmentKind.Syn, ConntrackTcpState.None) == ConntrackTcpState.SynSent,
            "a SYN begins a connection");
        uint sequence = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref header, 4)));
        ushort window = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref header, 14)));
        int headerBytes = (Unsafe.Add(ref header, 12) >> 2) & 0x3C;
        uint end = TcpSegment.EndOf(sequence, lengthBytes - headerBytes, TcpFlags.Syn);
        ref TcpSeen sender = ref connection.SeenOriginal;
        ref TcpSeen receiver = ref connection.SeenReply;
        BeginSender(ref sender, end, window);
        if (headerBytes > TcpSegment.MinimumHeaderBytes)
        {
            ReadOptions(ref sender, MemoryMarshal.CreateReadOnlySpan(
                ref Unsafe.Add(ref header, TcpSegment.MinimumHeaderBytes), headerBytes - TcpSegment.MinimumHeaderBytes));
        }

        Debug.Assert(
            TcpWindow.IsInside(sender, receiver, sequence, selective: 0, end), "one end is known by this segment alone, the other not at all");
        TcpWindow.Update(
            ref connection, ref sender, ref receiver, FlowDirection.Original, TcpSegmentKind.Syn, sequence, acknowledgement: 0,
            selective: 0, end, window, hasSyn: true, hasAck: false);
        connection.LastKind = TcpSegmentKind.Syn;
        connection.TrackState = ConntrackTcpState.SynSent;
        Refresh(
            ref connection, sender.Flags | receiver.Flags, TcpSegmentKind.Syn, ConntrackTcpState.None, ConntrackTcpState.SynSent,
            isAnswered: false, now, timeouts);
    }

    /// <summary>A sender that is cleared, as its first segment shows it, options apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void BeginSender(ref TcpSeen sender, uint end, ushort window)
    {
        sender.End = end;
        sender.MaxEnd = end;
        sender.MaxWindow = Math.Max((uint)window, 1);
    }

    /// <summary>
    /// Steps an established connection by a segment with ACK and without SYN, FIN and RST, where both senders were heard and
    /// the segment lies in the window: what <see cref="Step"/> does where nothing else can be the case.
    /// </summary>
    /// <param name="connection">The connection; its state is <see cref="ConntrackTcpState.Established"/>, and it was answered.</param>
    /// <param name="direction">The segment's direction.</param>
    /// <param name="header">The TCP header, which is not longer than the segment. Words are read as they lie there.</param>
    /// <param name="lengthBytes">Length of the segment by the IP header: TCP header and payload.</param>
    /// <param name="now">Time, nanoseconds since the Unix epoch.</param>
    /// <param name="timeouts">Timeouts and switches.</param>
    /// <param name="isPlain">Whether to leave segments with options other than timestamps, which need a call.</param>
    /// <returns><see langword="false"/> where nothing was changed: <see cref="Step"/> must judge.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryStepEstablished(
        ref Connection connection, FlowDirection direction, ref byte header, int lengthBytes, long now, ConntrackTimeouts timeouts,
        bool isPlain)
    {
        Debug.Assert(
            connection.TrackState == ConntrackTcpState.Established && (connection.Flags & ConnectionFlags.SeenReply) != 0,
            "state and flags were looked at");
        uint sequence = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref header, 4)));
        uint acknowledgement = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref header, 8)));
        ushort window = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref header, 14)));
        int headerBytes = (Unsafe.Add(ref header, 12) >> 2) & 0x3C;
        uint end = sequence + (uint)(lengthBytes - headerBytes);
        ref TcpSeen sender = ref Unsafe.Add(ref connection.SeenOriginal, (nuint)direction);
        ref TcpSeen receiver = ref Unsafe.Subtract(ref connection.SeenReply, (nuint)direction);
        uint selective = acknowledgement;
        if (headerBytes > TcpSegment.MinimumHeaderBytes && (receiver.Flags & TcpSeenFlags.SackPermitted) != 0)
        {
            ref byte options = ref Unsafe.Add(ref header, TcpSegment.MinimumHeaderBytes);
            int optionBytes = headerBytes - TcpSegment.MinimumHeaderBytes;
            if (!isPlain)
            {
                selective = TcpWindow.HighestSack(MemoryMarshal.CreateReadOnlySpan(ref options, optionBytes), acknowledgement);
            }
            else if (!TcpWindow.IsTimestampAlone(ref options, optionBytes))
            {
                return false;
            }
        }

        if (sender.MaxWindow == 0 || !TcpWindow.IsInside(sender, receiver, sequence, selective, end))
        {
            return false;
        }

        TcpWindow.Update(
            ref connection, ref sender, ref receiver, direction, TcpSegmentKind.Ack, sequence, acknowledgement, selective, end, window,
            hasSyn: false, hasAck: true);
        connection.LastKind = TcpSegmentKind.Ack;
        connection.LastDirection = direction;
        Refresh(
            ref connection, sender.Flags | receiver.Flags, TcpSegmentKind.Ack, ConntrackTcpState.Established,
            ConntrackTcpState.Established, isAnswered: true, now, timeouts);
        return true;
    }

    /// <summary>
    /// Steps a connection by a well-formed segment (nf_conntrack_tcp_packet): state, windows, timeout, assurance.
    /// </summary>
    public static TrackVerdict Step(
        ref Connection connection, FlowDirection direction, in TcpSegment segment, long now, ConntrackTimeouts timeouts)
    {
        ConntrackTcpState oldState = connection.TrackState;
        TcpSegmentKind kind = segment.Kind;
        ConntrackTcpState newState = TcpTransitions.Next(direction, kind, oldState);
        bool inWindow = false;
        ref TcpSeen sender = ref direction == FlowDirection.Original ? ref connection.SeenOriginal : ref connection.SeenReply;
        ref TcpSeen receiver = ref direction == FlowDirection.Original ? ref connection.SeenReply : ref connection.SeenOriginal;

        switch (newState)
        {
            case ConntrackTcpState.SynSent when oldState >= ConntrackTcpState.TimeWait:
                // RFC 1122: a SYN may reopen a connection in TIME-WAIT, or one that its sender reset.
                if (((sender.Flags | receiver.Flags) & TcpSeenFlags.CloseInit) != 0
                    || (connection.LastDirection == direction && connection.LastKind == TcpSegmentKind.Rst))
                {
                    return TrackVerdict.Repeat;
                }

                goto case ConntrackTcpState.Ignore;

            case ConntrackTcpState.Ignore:
                if (kind == TcpSegmentKind.SynAck && connection.LastKind == TcpSegmentKind.Syn
                    && connection.LastDirection != direction && segment.Acknowledgement == connection.LastEnd)
                {
                    // Acknowledges a SYN that was let through although it seemed wrong: both ends are in step, we were not.
                    oldState = ConntrackTcpState.SynSent;
                    newState = ConntrackTcpState.SynReceived;
                    ref TcpSeen opener = ref connection.LastDirection == FlowDirection.Original
                        ? ref connection.SeenOriginal : ref connection.SeenReply;
                    opener.End = connection.LastEnd;
                    opener.MaxEnd = connection.LastEnd;
                    opener.MaxWindow = Math.Max((uint)connection.LastWindow, 1);
                    opener.Scale = connection.LastScale;
                    connection.LastFlags &= ~TcpSeenFlags.ExpectChallengeAck;
                    opener.Flags = connection.LastFlags;
                    ushort lent = sender.Lent;
                    sender = new TcpSeen { Flags = sender.Flags & TcpSeenFlags.Liberal, Lent = lent };
                    break;
                }

                connection.LastKind = kind;
                connection.LastDirection = direction;
                connection.LastSequence = segment.Sequence;
                connection.LastEnd = segment.End;
                connection.LastWindow = segment.Window;
                if (kind == TcpSegmentKind.Syn && direction == FlowDirection.Original)
                {
                    TcpSeen annotated = default;
                    ReadOptions(ref annotated, segment.Options);
                    connection.LastFlags = annotated.Flags & (TcpSeenFlags.WindowScale | TcpSeenFlags.SackPermitted);
                    connection.LastScale = (annotated.Flags & TcpSeenFlags.WindowScale) != 0 ? annotated.Scale : (byte)0;
                    if (oldState == ConntrackTcpState.LastAck)
                    {
                        connection.LastFlags |= TcpSeenFlags.ExpectChallengeAck;
                    }
                }

                if (oldState == ConntrackTcpState.SynSent && kind == TcpSegmentKind.Ack && direction == FlowDirection.Reply)
                {
                    connection.LastAck = segment.Acknowledgement;
                }

                return TrackVerdict.Accept;

            case ConntrackTcpState.Invalid:
                return TrackVerdict.Invalid;

            case ConntrackTcpState.TimeWait:
                if (oldState == ConntrackTcpState.LastAck && kind == TcpSegmentKind.Ack
                    && connection.LastDirection != direction && connection.LastKind == TcpSegmentKind.Syn
                    && (connection.LastFlags & TcpSeenFlags.ExpectChallengeAck) != 0)
                {
                    connection.LastFlags &= ~TcpSeenFlags.ExpectChallengeAck;
                    return TrackVerdict.Accept;
                }

                break;

            case ConntrackTcpState.SynSent2:
                connection.LastFlags |= TcpSeenFlags.SimultaneousOpen;
                break;

            case ConntrackTcpState.SynReceived:
                if (direction == FlowDirection.Reply && kind == TcpSegmentKind.Ack
                    && (connection.LastFlags & TcpSeenFlags.SimultaneousOpen) != 0)
                {
                    newState = ConntrackTcpState.Established;
                }

                break;

            case ConntrackTcpState.Close when kind == TcpSegmentKind.Rst:
                switch (CheckReset(ref connection, direction, segment, receiver, timeouts, ref newState))
                {
                    case ResetCheck.Invalid:
                        return TrackVerdict.Invalid;
                    case ResetCheck.InWindow:
                        inWindow = true;
                        break;
                    default:
                        break;
                }

                break;

            default:
                break;
        }

        if (!inWindow)
        {
            switch (TcpWindow.Check(ref connection, ref sender, ref receiver, direction, kind, segment, timeouts.TcpLiberal))
            {
                case TcpWindow.Result.Ignore:
                    return TrackVerdict.Accept;
                case TcpWindow.Result.Invalid:
                    NoteInvalid(ref connection, direction, kind, now, timeouts);
                    return TrackVerdict.Invalid;
                default:
                    break;
            }
        }

        connection.LastKind = kind;
        connection.LastDirection = direction;
        connection.TrackState = newState;
        if (oldState != newState && newState == ConntrackTcpState.FinWait)
        {
            sender.Flags |= TcpSeenFlags.CloseInit;
        }

        bool isAnswered = (connection.Flags & ConnectionFlags.SeenReply) != 0;
        return Refresh(ref connection, sender.Flags | receiver.Flags, kind, oldState, newState, isAnswered, now, timeouts);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TrackVerdict Refresh(
        ref Connection connection, TcpSeenFlags seen, TcpSegmentKind kind, ConntrackTcpState oldState, ConntrackTcpState newState,
        bool isAnswered, long now, ConntrackTimeouts timeouts)
    {
        long full = timeouts[newState];
        long timeout = full;
        if (connection.Retransmissions >= timeouts.TcpRetransmissionsMax && full > timeouts.Retransmitted)
        {
            timeout = timeouts.Retransmitted;
        }
        else if (kind == TcpSegmentKind.Rst)
        {
            timeout = timeouts[ConntrackTcpState.Close];
        }
        else if ((seen & TcpSeenFlags.DataUnacknowledged) != 0 && full > timeouts.Unacknowledged)
        {
            timeout = timeouts.Unacknowledged;
        }
        else if (connection.LastWindow == 0 && full > timeouts.Retransmitted)
        {
            timeout = timeouts.Retransmitted;
        }

        if (!isAnswered)
        {
            if (kind == TcpSegmentKind.Rst)
            {
                return TrackVerdict.AcceptAndForget;
            }

            if (kind == TcpSegmentKind.Syn && oldState == ConntrackTcpState.SynSent)
            {
                // A retransmitted SYN does not prolong the entry.
                return TrackVerdict.Accept;
            }

            if (newState == ConntrackTcpState.Established && timeout > timeouts.Unacknowledged)
            {
                timeout = timeouts.Unacknowledged;
            }
        }
        else if (oldState is ConntrackTcpState.SynReceived or ConntrackTcpState.Established && newState == ConntrackTcpState.Established)
        {
            if ((connection.Flags & ConnectionFlags.Assured) == 0)
            {
                connection.Flags |= ConnectionFlags.Assured;
            }
        }

        connection.TrackExpires = now + timeout;
        return TrackVerdict.Accept;
    }

    private enum ResetCheck
    {
        CheckWindow,
        InWindow,
        Invalid,
    }

    private static ResetCheck CheckReset(
        ref Connection connection, FlowDirection direction, in TcpSegment segment, in TcpSeen receiver,
        ConntrackTimeouts timeouts, ref ConntrackTcpState newState)
    {
        ConntrackTcpState oldState = connection.TrackState;
        if (oldState is ConntrackTcpState.FinWait or ConntrackTcpState.LastAck or ConntrackTcpState.TimeWait
            or ConntrackTcpState.Close or ConntrackTcpState.CloseWait)
        {
            // Closing already: the tuple may be in use again, so what is known of windows is out of date.
            return ResetCheck.InWindow;
        }

        if ((receiver.Flags & TcpSeenFlags.MaxAckSet) != 0 && connection.LastKind != TcpSegmentKind.Syn)
        {
            bool established = oldState == ConntrackTcpState.Established
                && (connection.Flags & ConnectionFlags.Assured) != 0;
            if (segment.Sequence == 0 && !established)
            {
                return ResetCheck.CheckWindow;
            }

            if (TcpWindow.Before(segment.Sequence, receiver.MaxAck) && !timeouts.TcpIgnoreInvalidReset)
            {
                return ResetCheck.Invalid;
            }

            if (!established || segment.Sequence == receiver.MaxAck)
            {
                return ResetCheck.CheckWindow;
            }

            if (connection.LastKind == TcpSegmentKind.Ack && connection.LastDirection == direction
                && segment.Sequence == connection.LastEnd)
            {
                return ResetCheck.CheckWindow;
            }

            // Not exactly the next sequence number: stay, so that a challenge ACK can pass.
            newState = oldState;
        }

        if ((((connection.Flags & ConnectionFlags.SeenReply) != 0 && connection.LastKind == TcpSegmentKind.Syn
                && connection.LastDirection != direction)
            || ((connection.Flags & ConnectionFlags.Assured) == 0 && connection.LastKind == TcpSegmentKind.Ack))
            && segment.Acknowledgement == connection.LastEnd)
        {
            // Answers a SYN or ACK that was let through as ignored.
            return ResetCheck.InWindow;
        }

        return oldState == ConntrackTcpState.SynSent && connection.LastKind == TcpSegmentKind.Ack
            && connection.LastDirection == FlowDirection.Reply && segment.Sequence == connection.LastAck
            ? ResetCheck.InWindow
            : ResetCheck.CheckWindow;
    }

    private static void NoteInvalid(
        ref Connection connection, FlowDirection direction, TcpSegmentKind kind, long now, ConntrackTimeouts timeouts)
    {
        // Ends that close out of the window must not leave an entry for five days (nf_tcp_handle_invalid).
        if ((connection.Flags & ConnectionFlags.Assured) == 0 || kind is not (TcpSegmentKind.Rst or TcpSegmentKind.Fin))
        {
            return;
        }

        if (connection.LastDirection != direction && connection.LastKind is TcpSegmentKind.Fin or TcpSegmentKind.Rst)
        {
            long remaining = connection.TrackExpires - now;
            if (remaining >= 120_000_000_000 && remaining > timeouts.Unacknowledged)
            {
                connection.TrackExpires = now + timeouts.Unacknowledged;
            }
        }
        else
        {
            connection.LastKind = kind;
            connection.LastDirection = direction;
        }
    }

    internal static void ReadOptions(ref TcpSeen seen, ReadOnlySpan<byte> options)
    {
        if (options.IsEmpty)
        {
            return;
        }

        seen.Scale = 0;
        seen.Flags &= TcpSeenFlags.Liberal;
        int index = 0;
        while (index < options.Length)
        {
            byte option = options[index];
            if (option == TcpOptions.EndOfList)
            {
                return;
            }

            if (option == TcpOptions.NoOperation)
            {
                index++;
                continue;
            }

            if (index + 1 >= options.Length)
            {
                return;
            }

            int length = options[index + 1];
            if (length < 2 || index + length > options.Length)
            {
                return;
            }

            if (option == TcpOptions.SackPermitted && length == 2)
            {
                seen.Flags |= TcpSeenFlags.SackPermitted;
            }
            else if (option == TcpOptions.WindowScale && length == 3)
            {
                seen.Scale = Math.Min(options[index + 2], TcpOptions.WindowScaleMax);
                seen.Flags |= TcpSeenFlags.WindowScale;
            }

            index += length;
        }
    }
}
