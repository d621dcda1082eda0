using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastPathLb.Wire;

namespace FastPathLb.Conntrack;

/// <summary>
/// Window tracking (tcp_in_window in nf_conntrack_proto_tcp.c; the method is Guido van Rooij's): a segment must intersect the
/// window its receiver offered, and acknowledge what its receiver can have sent.
/// </summary>
internal static class TcpWindow
{
    private const uint AckWindowMinimum = 66000;

    public enum Result
    {
        Accept,
        Ignore,
        Invalid,
    }

    /// <summary>Sequence comparison modulo 2^32.</summary>
    public static bool Before(uint left, uint right) => unchecked((int)(left - right)) < 0;

    private static bool After(uint left, uint right) => Before(right, left);

    public static Result Check(
        ref Connection connection, ref TcpSeen sender, ref TcpSeen receiver, FlowDirection direction, TcpSegmentKind kind,
        in TcpSegment segment, bool liberal)
    {
        unchecked
        {
            uint sequence = segment.Sequence;
            uint acknowledgement = segment.Acknowledgement;
            uint selective = acknowledgement;
            uint end = segment.End;
            uint window = segment.Window;
            bool hasSyn = (segment.Flags & TcpFlags.Syn) != 0;
            bool hasAck = (segment.Flags & TcpFlags.Ack) != 0;
            bool hasReset = (segment.Flags & TcpFlags.Rst) != 0;
            if ((receiver.Flags & TcpSeenFlags.SackPermitted) != 0)
            {
                selective = HighestSack(segment.Options, selective);
            }

            if (sender.MaxWindow == 0)
            {
                if (hasSyn)
                {
                    BeginSender(ref sender, ref receiver, segment, end, window, direction);
                    if (!hasAck)
                    {
                        return Result.Accept;
                    }
                }
                else
                {
                    sender.End = end;
                    sender.MaxWindow = Math.Max(window << sender.Scale, 1);
                    sender.MaxEnd = end + sender.MaxWindow;
                    if (receiver.MaxWindow == 0)
                    {
                        receiver.End = selective;
                        receiver.MaxEnd = selective;
                    }
                    else if (selective == receiver.End + 1)
                    {
                        // Likely the answer to a keepalive.
                        receiver.End++;
                    }
                }
            }
            else if (hasSyn && After(end, sender.End)
                && connection.TrackState is ConntrackTcpState.SynSent or ConntrackTcpState.SynReceived)
            {
                // Opened anew with a higher sequence number.
                BeginSender(ref sender, ref receiver, segment, end, window, direction);
                if (direction == FlowDirection.Reply && !hasAck)
                {
                    return Result.Accept;
                }
            }

            if (!hasAck || (hasReset && acknowledgement == 0))
            {
                acknowledgement = receiver.End;
                selective = receiver.End;
            }

            if (hasReset && sequence == 0 && connection.TrackState == ConntrackTcpState.SynSent)
            {
                sequence = sender.End;
                end = sender.End;
            }

            return Judge(
                ref connection, ref sender, ref receiver, direction, kind, sequence, acknowledgement, selective, end, (ushort)window,
                hasSyn, hasAck, liberal);
        }
    }

    /// <summary>The check itself, between ends that were both heard.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="sender">What is known of the sender.</param>
    /// <param name="receiver">What is known of the receiver.</param>
    /// <param name="direction">The segment's direction.</param>
    /// <param name="kind">The segment's kind.</param>
    /// <param name="sequence">Its first sequence number.</param>
    /// <param name="acknowledgement">Its acknowledgement.</param>
    /// <param name="selective">The highest number it acknowledges, selectively or not.</param>
    /// <param name="end">The sequence number after it.</param>
    /// <param name="window">Its window as sent.</param>
    /// <param name="hasSyn">Whether it has SYN.</param>
    /// <param name="hasAck">Whether it has ACK.</param>
    /// <param name="liberal">Whether windows are held against no sender; they never are against those whose flag says so.</param>
    private static Result Judge(
        ref Connection connection, ref TcpSeen sender, ref TcpSeen receiver, FlowDirection direction, TcpSegmentKind kind,
        uint sequence, uint acknowledgement, uint selective, uint end, ushort window, bool hasSyn, bool hasAck, bool liberal)
    {
        if (!IsInside(sender, receiver, sequence, selective, end))
        {
            Result outside = JudgeOutside(ref sender, receiver, sequence, selective, end);
            return liberal || (sender.Flags & TcpSeenFlags.Liberal) != 0 ? Result.Accept : outside;
        }

        Update(
            ref connection, ref sender, ref receiver, direction, kind, sequence, acknowledgement, selective, end, window, hasSyn, hasAck);
        return Result.Accept;
    }

    /// <summary>
    /// Whether a segment lies in the window: it begins and ends where its receiver takes it, and acknowledges what its receiver sent, and
    /// nothing too old. Changes nothing.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsInside(in TcpSeen sender, in TcpSeen receiver, uint sequence, uint selective, uint end)
    {
        unchecked
        {
            return Before(sequence, sender.MaxEnd + 1) && Before(selective, receiver.End + 1)
                && (receiver.MaxWindow == 0 || After(end, sender.End - receiver.MaxWindow - 1))
                && After(selective, receiver.End - Math.Max(sender.MaxWindow, AckWindowMinimum) - 1);
        }
    }

    private static Result JudgeOutside(ref TcpSeen sender, in TcpSeen receiver, uint sequence, uint selective, uint end)
    {
        unchecked
        {
            if (!Before(sequence, sender.MaxEnd + 1))
            {
                uint overshot = end - sender.MaxEnd + 1;
                bool ackPlausible = After(selective, receiver.End - Math.Max(sender.MaxWindow, AckWindowMinimum) - 1);
                bool inReceiveWindow = receiver.MaxWindow != 0 && After(end, sender.End - receiver.MaxWindow - 1);
                if (inReceiveWindow && ackPlausible && overshot <= receiver.MaxWindow && Before(selective, receiver.End + 1))
                {
                    sender.End = end;
                    sender.Flags |= TcpSeenFlags.DataUnacknowledged;
                    return Result.Ignore;
                }

                return Result.Invalid;
            }

            // What acknowledges more than was sent is invalid; what is old already is let through, and changes nothing.
            return Before(selective, receiver.End + 1) ? Result.Ignore : Result.Invalid;
        }
    }

    /// <summary>Notes a segment that lies in the window.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Update(
        ref Connection connection, ref TcpSeen sender, ref TcpSeen receiver, FlowDirection direction, TcpSegmentKind kind,
        uint sequence, uint acknowledgement, uint selective, uint end, ushort sentWindow, bool hasSyn, bool hasAck)
    {
        unchecked
        {
            uint window = hasSyn ? sentWindow : (uint)sentWindow << sender.Scale;

            uint offered = window + (selective - acknowledgement);
            if (sender.MaxWindow < offered)
            {
                sender.MaxWindow = offered;
            }

            if (After(end, sender.End))
            {
                sender.End = end;
                sender.Flags |= TcpSeenFlags.DataUnacknowledged;
            }

            if (hasAck)
            {
                if ((sender.Flags & TcpSeenFlags.MaxAckSet) == 0)
                {
                    sender.MaxAck = acknowledgement;
                    sender.Flags |= TcpSeenFlags.MaxAckSet;
                }
                else if (After(acknowledgement, sender.MaxAck))
                {
                    sender.MaxAck = acknowledgement;
                }
            }

            if (receiver.MaxWindow != 0 && After(end, sender.MaxEnd))
            {
                receiver.MaxWindow += end - sender.MaxEnd;
            }

            if (After(selective + window, receiver.MaxEnd - 1))
            {
                receiver.MaxEnd = selective + window;
                if (window == 0)
                {
                    receiver.MaxEnd++;
                }
            }

            if (acknowledgement == receiver.End)
            {
                receiver.Flags &= ~TcpSeenFlags.DataUnacknowledged;
            }

            if (kind != TcpSegmentKind.Ack)
            {
                return;
            }

            if (connection.LastDirection == direction && connection.LastSequence == sequence
                && connection.LastAck == acknowledgement && connection.LastEnd == end && connection.LastWindow == sentWindow)
            {
                connection.Retransmissions++;
            }
            else
            {
                connection.LastDirection = direction;
                connection.LastSequence = sequence;
                connection.LastAck = acknowledgement;
                connection.LastEnd = end;
                connection.LastWindow = sentWindow;
                connection.Retransmissions = 0;
            }
        }
    }

    private static void BeginSender(
        ref TcpSeen sender, ref TcpSeen receiver, in TcpSegment segment, uint end, uint window, FlowDirection direction)
    {
        sender.End = end;
        sender.MaxEnd = end;
        sender.MaxWindow = Math.Max(window, 1);
        TcpTracker.ReadOptions(ref sender, segment.Options);

        // RFC 7323: both sides must send the option, else neither scales.
        if (direction == FlowDirection.Reply
            && (sender.Flags & receiver.Flags & TcpSeenFlags.WindowScale) == 0)
        {
            sender.Scale = 0;
            receiver.Scale = 0;
        }
    }

    /// <summary>Whether options are two no-operations and a timestamp, as those of most segments.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsTimestampAlone(ref byte options, int lengthBytes) =>
        lengthBytes == 12 && BinaryPrimitives.ReadUInt32BigEndian(MemoryMarshal.CreateReadOnlySpan(ref options, sizeof(uint))) == 0x0101080A;

    public static uint HighestSack(ReadOnlySpan<byte> options, uint selective)
    {
        if (options.IsEmpty || IsTimestampAlone(ref MemoryMarshal.GetReference(options), options.Length))
        {
            return selective;
        }

        int index = 0;
        while (index < options.Length)
        {
            byte option = options[index];
            if (option == TcpOptions.EndOfList)
            {
                break;
            }

            if (option == TcpOptions.NoOperation)
            {
                index++;
                continue;
            }

            if (index + 1 >= options.Length)
            {
                break;
            }

            int length = options[index + 1];
            if (length < 2 || index + length > options.Length)
            {
                break;
            }

            if (option == TcpOptions.Sack && length >= 10 && (length - 2) % 8 == 0)
            {
                for (int block = index + 2; block < index + length; block += 8)
                {
                    uint right = BinaryPrimitives.ReadUInt32BigEndian(options[(block + 4)..]);
                    if (After(right, selective))
                    {
                        selective = right;
                    }
                }

                break;
            }

            index += length;
        }

        return selective;
    }
}
