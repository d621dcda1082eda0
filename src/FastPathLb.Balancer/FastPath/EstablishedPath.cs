using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.FastPath;

/// <summary>
/// The short way of packets whose connection is established in both directions. What the general path decided about such a packet
/// once, rules, server, next hop, is noted with the connection and done again, until something changes by which it was decided.
/// Owned by one worker. See README.md for what is noted and when it is forgotten.
/// </summary>
/// <remarks>
/// <code>
/// Read (a few dozen frames):  recognise, hash, ask for index lines → ask for connections
/// Forward (each in order):    key → connection → states and timeouts → checksums by delta → headers
/// Learn (after the general path): what was counted, where it went
/// </code>
/// States, windows and timeouts are stepped by the same code as on the general path; checks whose outcome could be another come
/// before anything is changed, so that the general path can begin from the start.
/// </remarks>
internal sealed class EstablishedPath
{
    /// <summary>Frames that are looked at before the first of them is decided: as many cache misses are waited for at a time.</summary>
    public const int FramesAhead = 64;

    private const ulong MacMask = 0xFFFF_FFFF_FFFF;

    private const ConnectionFlags FlagsThatMatter = ConnectionFlags.Tracked | ConnectionFlags.SeenReply | ConnectionFlags.Balanced
        | ConnectionFlags.OwnsConntrack | ConnectionFlags.OnePacket | ConnectionFlags.Template;

    private const ConnectionFlags FlagsWanted = ConnectionFlags.Tracked | ConnectionFlags.SeenReply | ConnectionFlags.Balanced
        | ConnectionFlags.OwnsConntrack;

    private readonly NetworkNamespace _space;
    private readonly NetworkInterface _device;
    private readonly ConnectionTable _table;
    private readonly IpvsCore _ipvs;
    private readonly Uplink? _uplink;
    private readonly OverlayNetwork? _network;
    private readonly OpeningForecast _openings;
    private readonly FrameReader _reader;
    private readonly FrameShape[] _shapes = new FrameShape[FrameBatch.CountMax];
    private readonly FlowDecisions _decisions;
    private readonly OpeningPath _opening;
    private readonly FrameCounters _counters;
    private int _forwarded;
    private long _forwardedBytes;

    /// <summary>Makes the established path of an interface, at the underlay where an uplink is given.</summary>
    public EstablishedPath(NetworkNamespace space, NetworkInterface device, Uplink? uplink, FrameCounters counters)
    {
        _counters = counters;
        _space = space;
        _device = device;
        _table = space.Connections;
        _ipvs = space.Ipvs;
        _uplink = uplink;
        _network = uplink?.NetworkOf(device);
        _openings = new OpeningForecast(_table, space.Translator);
        _reader = new FrameReader(space, device, uplink, _network, _openings);
        _decisions = new FlowDecisions(space, device, uplink, _network);
        _opening = new OpeningPath(space, device, _network, _decisions);
    }

    /// <summary>Whether it can be used at all: words are read as they lie on the wire.</summary>
    public bool IsUsable => BitConverter.IsLittleEndian && (_uplink is null || _network is not null);

    /// <summary>Frames that were sent on by the short way.</summary>
    public long FramesForwarded { get; private set; }

    private bool IsTunnelled => _network is not null;

    /// <summary>Begins a batch: forgets what was decided under another configuration.</summary>
    public void Begin()
    {
        _decisions.CheckConfiguration();
        _decisions.CheckLearned();
    }

    /// <summary>Looks at frames of a batch ahead of their processing.</summary>
    public void Read(FrameBatch batch, int first, int count) => _reader.Read(batch, first, _shapes.AsSpan(first, count));

    /// <summary>Leaves frames that have a turn to the general path, which waits for it.</summary>
    public void Withhold(ReadOnlySpan<FrameDescriptor> frames, int first, int end)
    {
        for (int index = first; index < end; index++)
        {
            if (frames[index].Turn != 0 && _shapes[index].Kind != FrameKind.Other)
            {
                _shapes[index].Kind = FrameKind.Flow;
            }
        }
    }

    /// <summary>Sends frames on, one after the other, as long as their connections are established and nothing is unusual.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="first">The first frame; it was read.</param>
    /// <param name="end">The frame after the last.</param>
    /// <param name="due">When something else has to be done first, nanoseconds since the Unix epoch: sooner where a connection was opened.</param>
    /// <param name="latest">Time of the latest frame, nanoseconds since the Unix epoch.</param>
    /// <returns>The first frame that was not sent on; nothing was changed by it.</returns>
    public int Forward(FrameBatch batch, int first, int end, ref long due, ref long latest)
    {
        ref byte arena = ref MemoryMarshal.GetReference(batch.Arena);
        ref FrameDescriptor frames = ref MemoryMarshal.GetReference(batch.Frames);
        ref FrameShape shapes = ref MemoryMarshal.GetArrayDataReference(_shapes);
        FlowDecisions book = _decisions;
        ref LinkHeader links = ref MemoryMarshal.GetArrayDataReference(book.Links);
        FlowDecision[] decisions = book.Decisions;
        ConnectionTable table = _table;
        ConntrackTimeouts timeouts = _space.Tracker.Timeouts;
        IpvsCore ipvs = _ipvs;
        Uplink? uplink = _uplink;
        ushort generation = book.Generation;
        long stop = due;
        long bytes = 0;
        int opened = 0;
        int index = first;
        for (; index < end; index++)
        {
            ref FrameShape shape = ref Unsafe.Add(ref shapes, index);
            ref FrameDescriptor frame = ref Unsafe.Add(ref frames, index);
            long now = Math.Max(frame.TimestampNanoseconds, latest);
            if (shape.Kind < FrameKind.Opening || now >= stop)
            {
                break;
            }

            int number = shape.Candidate;
            FlowDirection direction = shape.Direction;
            if (number < 0 || !KeyOf(ref table[number], direction).Matches(shape.Addresses, shape.Rest))
            {
                // Another connection's tag is the same, or the connection is newer than the look ahead.
                if (!table.TryFind(shape.Key, shape.Hash, out number, out direction))
                {
                    if (shape.Kind == FrameKind.Segment || !TryOpen(batch, index, shape, now, uplink))
                    {
                        break;
                    }

                    stop = Math.Min(stop, _space.NextDue);
                    latest = now;
                    opened++;
                    continue;
                }
            }

            if (shape.Kind == FrameKind.Opening)
            {
                break;
            }

            ref Connection connection = ref table[number];
            bool isReply = direction == FlowDirection.Reply;
            int noted = isReply ? connection.DecisionReply : connection.DecisionOriginal;
            if ((connection.Flags & FlagsThatMatter) != FlagsWanted || connection.DecisionGeneration != generation || noted == 0
                || connection.IpvsExpires <= now || connection.TrackExpires <= now)
            {
                break;
            }

            FlowDecision decision = decisions[noted];
            ref byte packet = ref Unsafe.Add(ref arena, shape.Start);
            int linkNumber = isReply ? connection.ClientLink : decision.Link;
            if (linkNumber == 0 || shape.LengthBytes > decision.LengthMaxBytes || !decision.Server.IsMasqueraded
                || (uplink is not null && !IsSourceKnown(
                    ref packet, shape, ref Unsafe.Add(ref links, LinkBack(decisions, connection, isReply)))))
            {
                break;
            }

            long ipvsTimeout;
            if (shape.Kind == FrameKind.Segment)
            {
                if (!TryStepSegment(ref packet, shape.LengthBytes, ref connection, direction, now, timeouts))
                {
                    break;
                }

                // Of its flags ACK alone counts for the state: the others are not set, or not looked at.
                ipvsTimeout = IpvsState.StepTcp(ipvs, ref connection, decision.Server, TcpFlags.Ack, isReply);
            }
            else
            {
                _space.Tracker.RefreshUdp(ref connection, now);
                ipvsTimeout = IpvsState.StepUdp(ipvs, connection, isReply);
            }

            if (!isReply && connection.InPackets < ushort.MaxValue)
            {
                connection.InPackets++;
            }

            ipvs.Connections.Restart(ref connection, number, now + ipvsTimeout);
            book.Count(decision, shape.LengthBytes, now);
            FrameWriter.Send(
                batch, index, ref packet, shape, ref isReply ? ref connection.Original : ref connection.Reply,
                ref Unsafe.Add(ref links, linkNumber), uplink, now);
            bytes += frame.LengthBytes;
            frame.Connection = number;
            frame.Verdict = Verdict.Forwarded;
            latest = now;
        }

        due = stop;
        _forwarded += index - first - opened;
        _forwardedBytes += bytes;
        return index;
    }

    /// <summary>Notes what the general path decided about a frame that it sent on.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="index">The frame.</param>
    /// <param name="emittedBefore">Frames on the list before it.</param>
    public void Learn(FrameBatch batch, int index, int emittedBefore)
    {
        ref FrameShape shape = ref _shapes[index];
        Packet packet = _space.LinkInput.Packet;
        if (packet.Track == TrackInfo.New && packet.BalancedBy >= 0 && packet.BalancedBy == packet.Connection)
        {
            // A connection of one packet is over already.
            ref Connection opened = ref _table[packet.Connection];
            if (opened.IsBalanced && opened.IsTracked)
            {
                _openings.Learn(opened, _ipvs.Servers[opened.Server]);
                if (shape.Kind is FrameKind.Opening or FrameKind.Datagram && IsSentWhole(batch, shape, index, emittedBefore)
                    && IsTranslatedAsNoted(batch, shape, opened, FlowDirection.Original))
                {
                    _opening.Learn(shape, batch, packet);
                }
            }

            return;
        }

        if (shape.Kind == FrameKind.Other || packet.Track != TrackInfo.Established || packet.IsPending || packet.Connection < 0
            || packet.Connection != packet.BalancedBy || packet.ForgetsConnection || !packet.IsBalanced || packet.Output is null
            || packet.Recorder is not { IsIncomplete: false } recorder || !IsSentWhole(batch, shape, index, emittedBefore))
        {
            return;
        }

        ref Connection connection = ref _table[packet.Connection];
        const ConnectionFlags Translated = ConnectionFlags.SourceNat | ConnectionFlags.DestinationNat;
        if ((connection.Flags & FlagsThatMatter) != FlagsWanted || (recorder.HasRedirect && (connection.Flags & Translated) == 0)
            || !IsTranslatedAsNoted(batch, shape, connection, packet.Direction))
        {
            return;
        }

        int link = _decisions.LinkTo(packet, batch, shape.Start);
        bool isReply = packet.Direction == FlowDirection.Reply;
        int decision = link == 0 ? 0 : _decisions.DecisionFor(_ipvs.Servers[connection.Server], isReply, recorder, isReply ? 0 : link, packet.Output);
        if (decision == 0)
        {
            return;
        }

        if (connection.DecisionGeneration != _decisions.Generation)
        {
            connection.DecisionGeneration = _decisions.Generation;
            connection.DecisionOriginal = 0;
            connection.DecisionReply = 0;
            connection.ClientLink = 0;
        }

        if (isReply)
        {
            connection.DecisionReply = (ushort)decision;
            connection.ClientLink = (ushort)link;
        }
        else
        {
            connection.DecisionOriginal = (ushort)decision;
        }
    }

    /// <summary>Forgets what was decided where the last frame taught something about the network.</summary>
    public void CheckLearned() => _decisions.CheckLearned();

    /// <summary>Ends a batch: brings counters up to date.</summary>
    public void Settle()
    {
        _decisions.Settle();
        if (_forwarded > 0)
        {
            _counters.CountForwarded(_forwarded, _forwardedBytes);
            FramesForwarded += _forwarded;
            _forwarded = 0;
            _forwardedBytes = 0;
        }
    }

    /// <summary>Opens the connection of a frame whose flow is not known, where others were opened likewise.</summary>
    /// <returns><see langword="false"/> where the general path must see the frame; nothing was changed.</returns>
    private bool TryOpen(FrameBatch batch, int index, in FrameShape shape, long now, Uplink? uplink)
    {
        if (_opening.TryOpen(batch, index, shape, now, out int number, out DropReason dropped) is not { } decision)
        {
            return false;
        }

        ref FrameDescriptor frame = ref batch.Frames[index];
        frame.Connection = number;
        frame.Reason = dropped;
        _decisions.Count(decision, shape.LengthBytes, now);
        if (dropped != DropReason.None)
        {
            frame.Verdict = Verdict.Dropped;
            _counters.Count(frame);
            return true;
        }

        ref byte packet = ref Unsafe.Add(ref MemoryMarshal.GetReference(batch.Arena), shape.Start);
        FrameWriter.Send(batch, index, ref packet, shape, ref _table[number].Reply, ref _decisions.Links[decision.Link], uplink, now);
        frame.Verdict = Verdict.Forwarded;
        _forwarded++;
        _forwardedBytes += frame.LengthBytes;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref FlowKey KeyOf(ref Connection connection, FlowDirection direction) =>
        ref Unsafe.Add(ref connection.Original, (int)direction);

    /// <summary>Steps conntrack's state by a segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryStepSegment(
        ref byte packet, int lengthBytes, ref Connection connection, FlowDirection direction, long now, ConntrackTimeouts timeouts)
    {
        // IPv4 has no options here, and the segment's header is not longer than the packet.
        ulong numbers = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref packet, 24)));
        uint tail = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref packet, 32)));
        uint sequence = (uint)(numbers >> 32);
        int headerBytes = (int)(tail >> 28) * 4;
        uint end = sequence + (uint)(lengthBytes - Ipv4.HeaderLengthMinimum - headerBytes);
        ReadOnlySpan<byte> options = MemoryMarshal.CreateReadOnlySpan(
            ref Unsafe.Add(ref packet, Ipv4.HeaderLengthMinimum + TcpSegment.MinimumHeaderBytes),
            headerBytes - TcpSegment.MinimumHeaderBytes);
        return TcpTracker.TryStepEstablished(
            ref connection, direction, sequence, (uint)numbers, (ushort)tail, end, options, now, timeouts);
    }

    /// <summary>The headers towards where a packet came from, or 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int LinkBack(FlowDecision[] decisions, in Connection connection, bool isReply) =>
        !isReply ? connection.ClientLink : connection.DecisionOriginal == 0 ? 0 : decisions[connection.DecisionOriginal].Link;

    /// <summary>
    /// Whether bridge and VXLAN device let the frame in and learn nothing from it: it comes from where the other direction's go.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsSourceKnown(ref byte packet, in FrameShape shape, ref LinkHeader link)
    {
        ulong mac = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref packet, -8)) & MacMask;
        return (link.IsKnownSource && link.Mac == mac && link.Vtep == shape.Vtep)
            || _network!.IsKnown(new MacAddress(BinaryPrimitives.ReverseEndianness(mac) >> 16), BinaryPrimitives.ReverseEndianness(shape.Vtep));
    }

    /// <summary>Whether the frame's one consequence was itself, in place.</summary>
    private bool IsSentWhole(FrameBatch batch, in FrameShape shape, int index, int emittedBefore)
    {
        int headerBytes = IsTunnelled ? LinkHeader.SizeBytes : LinkHeader.EthernetBytes;
        ReadOnlySpan<EmittedFrame> emitted = batch.Emitted;
        return emitted.Length == emittedBefore + 1 && emitted[emittedBefore].InputIndex == index
            && emitted[emittedBefore].Offset == shape.Start - headerBytes
            && emitted[emittedBefore].LengthBytes == headerBytes + shape.LengthBytes;
    }

    /// <summary>Whether the packet now looks as the other direction's key says.</summary>
    private static bool IsTranslatedAsNoted(FrameBatch batch, in FrameShape shape, in Connection connection, FlowDirection direction)
    {
        ReadOnlySpan<byte> packet = batch.Slice(shape.Start, Ipv4.HeaderLengthMinimum + 4);
        FlowKey expected = (direction == FlowDirection.Reply ? connection.Original : connection.Reply).Reverse();
        FlowKey from = direction == FlowDirection.Reply ? connection.Reply : connection.Original;
        return from.Matches(shape.Addresses, shape.Rest)
            && BinaryPrimitives.ReadUInt32BigEndian(packet[Ipv4.SourceOffset..]) == expected.Source
            && BinaryPrimitives.ReadUInt32BigEndian(packet[Ipv4.DestinationOffset..]) == expected.Destination
            && BinaryPrimitives.ReadUInt16BigEndian(packet[Ipv4.HeaderLengthMinimum..]) == expected.SourcePort
            && BinaryPrimitives.ReadUInt16BigEndian(packet[(Ipv4.HeaderLengthMinimum + 2)..]) == expected.DestinationPort;
    }
}
