using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Netfilter;

/// <summary>
/// Which connection a packet belongs to (nf_conntrack_core.c, Linux 6.1): looked up or begun at the first hook, confirmed at the
/// last. Owned by one worker.
/// </summary>
public sealed class ConnectionTracker
{
    private readonly Stack.NetworkNamespace _space;
    private readonly ConnectionTable _table;
    private readonly LookAhead _ahead;

    internal ConnectionTracker(Stack.NetworkNamespace space, ConnectionTable table)
    {
        _space = space;
        _table = table;
        _ahead = table.LookAhead;
    }

    /// <summary>Timeouts and switches. Between batches only.</summary>
    public ConntrackTimeouts Timeouts { get; } = new();

    /// <summary>Packets that were found to be invalid, so untracked and untranslated.</summary>
    public long InvalidPackets { get; private set; }

    /// <summary>Adds what another one counted, which begins from zero.</summary>
    internal void Take(ConnectionTracker other)
    {
        InvalidPackets += other.InvalidPackets;
        other.InvalidPackets = 0;
    }

    /// <summary>The packet's conntrack entry; it must be tracked.</summary>
    internal ref Connection EntryOf(Packet packet) =>
        ref packet.IsPending ? ref packet.Pending : ref _table[packet.Connection];

    /// <summary>Attaches the packet to its connection (nf_conntrack_in).</summary>
    /// <returns>
    /// <see langword="false"/> where the connection belongs to another worker: nothing was changed, and nothing may be until this one
    /// has everything to itself.
    /// </returns>
    internal bool Track(Packet packet)
    {
        if (packet.Track != TrackInfo.Untracked)
        {
            return true;
        }

        if (packet.Protocol == IpProtocol.Icmp)
        {
            Span<byte> message = packet.Transport;
            if (message.Length < Icmp.HeaderBytes || packet.TransportLengthBytes < Icmp.HeaderBytes || message[0] > Icmp.HighestType)
            {
                InvalidPackets++;
                return true;
            }

            if (Icmp.IsError((IcmpType)message[0]))
            {
                if (!TryRelate(packet, message[Icmp.HeaderBytes..], out bool isForeign) && !isForeign)
                {
                    InvalidPackets++;
                }

                return !isForeign;
            }
        }

        return TrackFlow(packet);
    }

    /// <summary>Finds the connection an ICMP error is about (nf_conntrack_inet_error).</summary>
    private bool TryRelate(Packet packet, ReadOnlySpan<byte> inner, out bool isForeign)
    {
        isForeign = false;
        if (!FlowKeyReader.TryRead(inner, _space.Number, out FlowKey key))
        {
            return false;
        }

        FlowKey inverted = FlowKeyReader.Invert(key);
        if (!TryFind(inverted, packet.Now, out int number, out FlowDirection direction))
        {
            return false;
        }

        if (IsForeign(number))
        {
            isForeign = true;
            return false;
        }

        // The outer destination must be who sent the embedded packet, else anybody could relate anything.
        ref Connection connection = ref _table[number];
        uint expected = direction == FlowDirection.Original ? connection.Original.Destination : connection.Reply.Destination;
        if (packet.Destination != expected)
        {
            return false;
        }

        packet.Track = TrackInfo.Related;
        packet.Direction = direction;
        packet.Connection = number;
        packet.IsPending = false;
        return true;
    }

    private bool TrackFlow(Packet packet)
    {
        // A SYN may end one connection and begin another: at most once, since the second look finds nothing.
        for (int attempt = 0; attempt < 2; attempt++)
        {
            if (!FlowKeyReader.TryRead(packet.Bytes, _space.Number, out FlowKey key))
            {
                InvalidPackets++;
                return true;
            }

            if (TryFind(key, packet.Now, out int number, out FlowDirection direction))
            {
                if (IsForeign(number))
                {
                    return false;
                }

                packet.Connection = number;
                packet.Direction = direction;
                packet.IsPending = false;
                packet.Track = direction == FlowDirection.Reply
                    || (_table[number].Flags & ConnectionFlags.SeenReply) != 0 ? TrackInfo.Established : TrackInfo.New;
            }
            else if (IsForeignReply(key))
            {
                return false;
            }
            else
            {
                BeginPending(packet, key);
            }

            switch (StepProtocol(packet, ref EntryOf(packet)))
            {
                case TrackVerdict.Invalid:
                    packet.ClearTracking();
                    InvalidPackets++;
                    return true;
                case TrackVerdict.Repeat:
                    Forget(packet.Connection, packet.Now);
                    packet.ClearTracking();
                    continue;
                case TrackVerdict.AcceptAndForget:
                    packet.ForgetsConnection = !packet.IsPending;
                    break;
                default:
                    break;
            }

            if (packet.Direction == FlowDirection.Reply)
            {
                EntryOf(packet).Flags |= ConnectionFlags.SeenReply;
            }

            return true;
        }

        return true;
    }

    private static void BeginPending(Packet packet, FlowKey key)
    {
        packet.Pending = default;
        packet.Pending.Original = key;
        packet.Pending.Reply = FlowKeyReader.Invert(key);
        packet.Pending.Server = -1;
        packet.Connection = -1;
        packet.Direction = FlowDirection.Original;
        packet.IsPending = true;
        packet.Track = TrackInfo.New;
    }

    /// <summary>Begins the entry of a first packet of the usual shape in the record that is to be its flow's, and is cleared.</summary>
    /// <param name="entry">The record.</param>
    /// <param name="isDatagram">Whether it is UDP, or else TCP with SYN and without ACK, FIN and RST.</param>
    /// <param name="header">The transport header.</param>
    /// <param name="lengthBytes">Length of the packet from there on.</param>
    /// <param name="now">Time, nanoseconds since the Unix epoch.</param>
    /// <returns>Whether it is valid.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryBegin(ref Connection entry, bool isDatagram, ref byte header, int lengthBytes, long now)
    {
        if (isDatagram)
        {
            return StepUdp(ref entry, MemoryMarshal.CreateReadOnlySpan(ref header, lengthBytes), lengthBytes, isPending: true, now)
                == TrackVerdict.Accept;
        }

        TcpTracker.BeginWithSyn(ref entry, ref header, lengthBytes, now, Timeouts);
        return true;
    }

    private TrackVerdict StepProtocol(Packet packet, ref Connection entry)
    {
        Span<byte> transport = packet.Transport;
        switch (packet.Protocol)
        {
            case IpProtocol.Tcp:
                if (!TcpTracker.IsWellFormed(transport, packet.TransportLengthBytes))
                {
                    return TrackVerdict.Invalid;
                }

                TcpSegment segment = new(transport, packet.TransportLengthBytes);
                return packet.IsPending && !TcpTracker.TryBegin(ref entry, segment, Timeouts)
                    ? TrackVerdict.Invalid
                    : TcpTracker.Step(ref entry, packet.Direction, segment, packet.Now, Timeouts);

            case IpProtocol.Udp:
                return StepUdp(ref entry, transport, packet.TransportLengthBytes, packet.IsPending, packet.Now);

            case IpProtocol.Icmp:
                if (packet.IsPending && !Icmp.IsRequest((IcmpType)(entry.Original.DestinationPort >> 8)))
                {
                    return TrackVerdict.Invalid;
                }

                entry.TrackExpires = packet.Now + Timeouts.Icmp;
                return TrackVerdict.Accept;

            default:
                entry.TrackExpires = packet.Now + Timeouts.Generic;
                return TrackVerdict.Accept;
        }
    }

    /// <summary>nf_conntrack_udp_packet.</summary>
    private TrackVerdict StepUdp(ref Connection entry, ReadOnlySpan<byte> transport, int lengthBytes, bool isPending, long now)
    {
        const int HeaderBytes = 8;
        const long StreamAfter = 2_000_000_000;
        if (transport.Length < HeaderBytes || lengthBytes < HeaderBytes)
        {
            return TrackVerdict.Invalid;
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(transport[4..]);
        if (length > lengthBytes || length < HeaderBytes)
        {
            return TrackVerdict.Invalid;
        }

        if (isPending)
        {
            entry.StreamStart = now + StreamAfter;
        }

        RefreshUdp(ref entry, now, Timeouts);
        return TrackVerdict.Accept;
    }

    /// <summary>A datagram of a known flow prolongs it: longer where it is a stream.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void RefreshUdp(ref Connection entry, long now, ConntrackTimeouts timeouts)
    {
        long timeout = timeouts.Udp;
        if ((entry.Flags & ConnectionFlags.SeenReply) != 0 && now > entry.StreamStart)
        {
            timeout = timeouts.UdpStream;
            entry.Flags |= ConnectionFlags.Assured;
        }

        entry.TrackExpires = now + timeout;
    }

    /// <summary>
    /// Puts the packet's pending entry into the table (nf_conntrack_confirm). An entry of IPVS for the same flow shares the record.
    /// </summary>
    /// <returns><see langword="false"/> where the packet must be dropped; the reason is on the packet's frame.</returns>
    internal DropReason Confirm(Packet packet)
    {
        if (!packet.IsPending)
        {
            NoteBalanced(packet);
            return DropReason.None;
        }

        int number = -1;
        FlowDirection direction = FlowDirection.Original;
        int found = packet.BalancedBy;
        if ((found >= 0 && _table[found].IsBalanced && _table[found].Original.Matches(packet.Pending.Original))
            || _table.TryFind(packet.Pending.Original, out found, out direction))
        {
            if (direction != FlowDirection.Original || !_table.TryOwn(found) || (_table[found].IsTracked && _table[found].TrackExpires > packet.Now))
            {
                packet.ClearTracking();
                return DropReason.ConntrackClash;
            }

            number = found;
        }

        if (!packet.Vacancy.IsFree && IsTaken(packet.Pending.Reply, packet.Now))
        {
            packet.ClearTracking();
            return DropReason.ConntrackClash;
        }

        bool isNew = number < 0;
        if (isNew)
        {
            number = _table.Allocate();
            if (number < 0)
            {
                packet.ClearTracking();
                return DropReason.ConntrackTableFull;
            }

            _table[number].Original = packet.Pending.Original;
        }

        ref Connection entry = ref _table[number];
        _table.UnindexReply(number);
        ushort inPackets = entry.InPackets;
        entry.DecisionGeneration = 0;
        entry.Reply = packet.Pending.Reply;
        entry.TrackState = packet.Pending.TrackState;
        entry.TrackExpires = packet.Pending.TrackExpires;
        entry.SeenOriginal = packet.Pending.SeenOriginal;
        entry.SeenReply = packet.Pending.SeenReply;
        entry.LastSequence = packet.Pending.LastSequence;
        entry.LastAck = packet.Pending.LastAck;
        entry.LastEnd = packet.Pending.LastEnd;
        entry.LastKind = packet.Pending.LastKind;
        entry.LastDirection = packet.Pending.LastDirection;
        entry.LastFlags = packet.Pending.LastFlags;
        entry.LastScale = packet.Pending.LastScale;
        entry.Retransmissions = packet.Pending.Retransmissions;
        entry.InPackets = inPackets;
        const ConnectionFlags TrackFlags = ConnectionFlags.SeenReply | ConnectionFlags.Assured
            | ConnectionFlags.SourceNat | ConnectionFlags.DestinationNat;
        entry.Flags = (entry.Flags & ~TrackFlags) | (packet.Pending.Flags & TrackFlags) | ConnectionFlags.Tracked;
        IndexInsert result = _table.IndexOriginal(number);
        result = result == IndexInsert.Done ? IndexReply(packet, number) : result;
        if (result != IndexInsert.Done)
        {
            // Another worker was faster by a moment: insert_failed.
            Forget(number, packet.Now);
            packet.ClearTracking();
            return result == IndexInsert.Taken ? DropReason.ConntrackClash : DropReason.ConntrackTableFull;
        }

        if (!entry.IsBalanced)
        {
            _table.Time(number, entry.TrackExpires);
        }

        packet.Connection = number;
        packet.IsPending = false;
        NoteBalanced(packet);
        return DropReason.None;
    }

    /// <summary>
    /// The same for an entry that was begun in the record of IPVS's connection for the same flow, which is found by its original key.
    /// </summary>
    /// <param name="entry">The record.</param>
    /// <param name="number">Its number.</param>
    /// <param name="vacancy">What is known of its reply; nothing was indexed since.</param>
    /// <param name="now">Time, nanoseconds since the Unix epoch.</param>
    /// <param name="isOvertaken">Whether another worker took the reply's key since it was found free: another one may be.</param>
    /// <returns>Why the packet must be dropped, or none.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal DropReason Confirm(ref Connection entry, int number, ReplyVacancy vacancy, long now, out bool isOvertaken)
    {
        isOvertaken = false;
        if (vacancy.Place.IsNone)
        {
            return ConfirmAmongRivals(ref entry, number, vacancy, now, out isOvertaken);
        }

        entry.Flags |= ConnectionFlags.Tracked;
        IndexInsert result = _table.IndexReplyAt(vacancy.Place, ref entry, number, vacancy.Hash);
        return result == IndexInsert.Done ? DropReason.None : Unconfirm(ref entry, number, result, now, out isOvertaken);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private DropReason ConfirmAmongRivals(ref Connection entry, int number, ReplyVacancy vacancy, long now, out bool isOvertaken)
    {
        isOvertaken = false;
        if (!vacancy.IsFree && IsTaken(entry.Reply, now))
        {
            ClearEntry(ref entry);
            return DropReason.ConntrackClash;
        }

        entry.Flags |= ConnectionFlags.Tracked;
        IndexInsert result = vacancy.IsFree ? _table.IndexReply(number, vacancy.Hash) : _table.IndexReply(number);
        return result == IndexInsert.Done ? DropReason.None : Unconfirm(ref entry, number, result, now, out isOvertaken);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private DropReason Unconfirm(ref Connection entry, int number, IndexInsert result, long now, out bool isOvertaken)
    {
        isOvertaken = result == IndexInsert.Taken;
        if (isOvertaken)
        {
            entry.Flags &= ~ConnectionFlags.Tracked;
            return DropReason.ConntrackClash;
        }

        Forget(number, now);
        return DropReason.ConntrackTableFull;
    }

    /// <summary>Clears what conntrack has in a record that IPVS keeps.</summary>
    internal static void ClearEntry(ref Connection entry)
    {
        Connection cleared = default;
        cleared.Original = entry.Original;
        cleared.IpvsState = entry.IpvsState;
        cleared.Flags = entry.Flags & ~(ConnectionFlags.SourceNat | ConnectionFlags.DestinationNat);
        cleared.Server = entry.Server;
        cleared.IpvsExpires = entry.IpvsExpires;
        cleared.InPackets = entry.InPackets;
        cleared.Owner = entry.Owner;
        entry = cleared;
    }

    private IndexInsert IndexReply(Packet packet, int number) =>
        packet.Vacancy.IsFree ? _table.IndexReply(number, packet.Vacancy.Hash) : _table.IndexReply(number);

    /// <summary>
    /// A segment that conntrack found invalid goes on by a second entry of its own, behind IPVS. What comes back by that belongs to
    /// IPVS's connection all the same.
    /// </summary>
    private void NoteBalanced(Packet packet)
    {
        if (packet.BalancedBy >= 0 && packet.Connection >= 0 && packet.Connection != packet.BalancedBy
            && !_table[packet.Connection].IsBalanced)
        {
            _table[packet.Connection].Control = (uint)(packet.BalancedBy + 1);
        }
    }

    /// <summary>Makes an established entry in a record whose connection is older than what was seen of it.</summary>
    internal void Adopt(int number, FlowKey reply, long now)
    {
        ref Connection entry = ref _table[number];
        _table.UnindexReply(number);
        entry.DecisionGeneration = 0;
        entry.Reply = reply;
        entry.TrackState = ConntrackTcpState.Established;
        entry.TrackExpires = now + Timeouts[ConntrackTcpState.Established];
        entry.SeenOriginal.Flags = TcpSeenFlags.SackPermitted | TcpSeenFlags.Liberal;
        entry.SeenReply.Flags = TcpSeenFlags.SackPermitted | TcpSeenFlags.Liberal;
        entry.LastKind = TcpSegmentKind.None;
        entry.Flags |= ConnectionFlags.Tracked | ConnectionFlags.SeenReply | ConnectionFlags.Assured;
        if (reply.Destination != entry.Original.Source || reply.DestinationPort != entry.Original.SourcePort)
        {
            entry.Flags |= ConnectionFlags.SourceNat;
        }

        _table.IndexReply(number);
    }

    /// <summary>Removes a conntrack entry (nf_ct_kill); what IPVS knows of the flow stays.</summary>
    internal void Forget(int number, long now)
    {
        ref Connection entry = ref _table[number];
        if (!entry.IsTracked)
        {
            return;
        }

        entry.Flags &= ~(ConnectionFlags.Tracked | ConnectionFlags.SeenReply | ConnectionFlags.Assured
            | ConnectionFlags.SourceNat | ConnectionFlags.DestinationNat);
        _table.UnindexReply(number);
        if (entry.IsBalanced)
        {
            _space.Ipvs.Connections.IndexReplyOf(number);
            return;
        }

        _table.UnindexOriginal(number);
        _table.Untime(number);
        _table.Release(number);
    }

    /// <summary>
    /// Finds a live conntrack entry by a key of either direction. One of another worker's is only found, whether it lives or not:
    /// see <see cref="ConnectionTable.IsForeign"/>.
    /// </summary>
    internal bool TryFind(FlowKey key, long now, out int number, out FlowDirection direction) =>
        TryFind(key, _table.Hash(key), now, out number, out direction);

    private bool TryFind(FlowKey key, ulong hash, long now, out int number, out FlowDirection direction)
    {
        if (!_table.TryFind(key, hash, out number, out direction))
        {
            return false;
        }

        if (!_table.TryOwn(number))
        {
            return true;
        }

        ref Connection entry = ref _table[number];
        if (entry.IsBalanced && entry.IpvsExpires <= now)
        {
            // The wheel comes round within a tick; IPVS's connection, which takes this entry along, is over now.
            _space.Ipvs.Connections.ExpireConnection(number, entry.IpvsExpires, isImmediate: false);
        }

        if (!entry.IsTracked)
        {
            return false;
        }

        if (entry.TrackExpires <= now)
        {
            Forget(number, now);
            return false;
        }

        return true;
    }

    /// <summary>
    /// Whether an entry is another worker's, or the record of IPVS behind it is (<see cref="NoteBalanced"/>): who takes over the one
    /// takes over both.
    /// </summary>
    private bool IsForeign(int number)
    {
        if (_table.IsForeign(number))
        {
            return true;
        }

        ref Connection entry = ref _table[number];
        return !entry.IsBalanced && entry.Control > 0 && !_table.TryOwn((int)entry.Control - 1);
    }

    /// <summary>Whether IPVS, but not conntrack, knows a reply, by another worker's connection.</summary>
    private bool IsForeignReply(FlowKey key)
    {
        key.Kind = FlowKind.IpvsReply;
        return _table.HasIpvsReplies && _table.TryFind(key, out int number, out _) && !_table.TryOwn(number);
    }

    /// <summary>Whether a live entry holds a key (nf_conntrack_tuple_taken).</summary>
    internal bool IsTaken(FlowKey key, long now) => TryFind(key, now, out _, out _);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool IsTaken(FlowKey key, ulong hash, long now) => TryFind(key, hash, now, out _, out _);

    /// <summary>The same with what whoever takes the key has to know.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool IsTaken(FlowKey key, long now, out ReplyVacancy vacancy)
    {
        vacancy.Hash = _ahead.Hash(key.Addresses, key.Rest);
        vacancy.Place = _ahead.Vacancy(_ahead.LineOf(vacancy.Hash), vacancy.Hash, out IndexEntry candidate);
        vacancy.IsFree = !vacancy.Place.IsNone || !(IsHeldBy(candidate, key, now) || IsTaken(key, vacancy.Hash, now));
        return !vacancy.IsFree;
    }

    /// <summary>
    /// Whether a key's first candidate is this worker's, lives and has the key: nearly always, where it is taken. Else
    /// <see cref="IsTaken(FlowKey, ulong, long)"/> tells.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsHeldBy(IndexEntry candidate, FlowKey key, long now)
    {
        if (candidate.IsNone)
        {
            return false;
        }

        ref Connection entry = ref _ahead[candidate.Number];
        return Connection.KeyOf(ref entry, candidate.Direction).Matches(key) && entry.IsTracked && entry.TrackExpires > now
            && (!entry.IsBalanced || entry.IpvsExpires > now) && !_table.IsForeign(candidate.Number);
    }
}
