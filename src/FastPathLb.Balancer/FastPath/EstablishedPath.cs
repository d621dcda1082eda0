using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Netfilter;
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
/// Read (a few frames, ahead):     recognise → hash, ask for index lines → ask for connections
/// Match (each in order):          key → connection → what was decided, where it goes
/// Step (those matched):           states and timeouts
/// Send (those stepped):           checksums by delta → headers
/// Learn (after the general path): what was counted, where it went
/// </code>
/// States, windows and timeouts are stepped by the same code as on the general path; checks whose outcome could be another come
/// before anything is changed, so that the general path can begin from the start.
/// </remarks>
internal sealed class EstablishedPath
{
    /// <summary>
    /// Frames that are looked at together where many open connections. What those need is found out by lines that must have come, several
    /// times over: so each time as many are waited for together.
    /// </summary>
    public const int FramesAtOnceMax = 64;

    // Frames of open connections that are looked at together, and those of them whose connections, two lines each, are asked for in a
    // row. A processor keeps track of a few dozen missing lines and drops prefetches beyond: with 64 and 64 each frame took 10 to 15 ns
    // more from 65,536 connections on.
    private const int FramesInStep = 8;
    private const int FramesInBurst = 4;

    private const ConnectionFlags FlagsThatMatter = ConnectionFlags.Tracked | ConnectionFlags.SeenReply | ConnectionFlags.Balanced
        | ConnectionFlags.OwnsConntrack | ConnectionFlags.OnePacket | ConnectionFlags.Template | ConnectionFlags.NoOutput;

    private const ConnectionFlags FlagsWanted = ConnectionFlags.Tracked | ConnectionFlags.SeenReply | ConnectionFlags.Balanced
        | ConnectionFlags.OwnsConntrack;

    private readonly NetworkNamespace _space;
    private readonly NetworkInterface _device;
    private readonly ConnectionTable _table;
    private readonly SlabElements<Connection> _records;
    private readonly LookAhead _ahead;
    private readonly IpvsCore _ipvs;
    private readonly Uplink? _uplink;
    private readonly OverlayNetwork? _network;
    private readonly OpeningForecast _openings;
    private readonly FrameReader _reader;
    private readonly FrameWriter _writer;
    private readonly FrameShape[] _shapes = new FrameShape[FrameBatch.CountMax];
    private readonly FrameLanes[] _lanes = new FrameLanes[FrameLanes.GroupsMax];
    private readonly FlowDecisions _decisions;
    private readonly OpeningPath _opening;
    private readonly FrameCounters _counters;

    // Whether IPVS's state stays ESTABLISHED by a segment that has ACK, from either side.
    private bool _acksChangeNothing;
    private int _forwarded;
    private long _forwardedBytes;

    // Frames of a batch, and those of flows that nobody knew; whether these were many in the batch before.
    private int _frameCount;
    private int _unknownCount;
    private bool _opensMany;
    private float _unknownShare;
    private bool _hasTurns;

    private static readonly uint DatagramMask = Connection.WordOf(0, 0, FlagsThatMatter);
    private static readonly uint DatagramWanted = Connection.WordOf(0, 0, FlagsWanted);
    private static readonly uint SegmentMask = Connection.WordOf((IpvsTcpState)byte.MaxValue, (ConntrackTcpState)byte.MaxValue, FlagsThatMatter);
    private static readonly uint SegmentWanted = Connection.WordOf(IpvsTcpState.Established, ConntrackTcpState.Established, FlagsWanted);

    /// <summary>Makes the established path of an interface, at the underlay where an uplink is given.</summary>
    public EstablishedPath(NetworkNamespace space, NetworkInterface device, Uplink? uplink, FrameCounters counters)
    {
        _counters = counters;
        _space = space;
        _device = device;
        _table = space.Connections;
        _records = _table.Records;
        _ahead = _table.LookAhead;
        _ipvs = space.Ipvs;
        _uplink = uplink;
        _network = uplink?.NetworkOf(device);
        _openings = new OpeningForecast(_table, space.Translator);
        _reader = new FrameReader(space, device, uplink, _network, _openings);
        _writer = new FrameWriter(_records, uplink);
        _decisions = new FlowDecisions(space, device, uplink, _network);
        _opening = new OpeningPath(space, device, _network, _decisions, _openings);
    }

    /// <summary>Whether it can be used at all: words are read as they lie on the wire.</summary>
    public bool IsUsable => BitConverter.IsLittleEndian && (_uplink is null || _network is not null);

    /// <summary>Frames that were sent on by the short way.</summary>
    public long FramesForwarded { get; private set; }

    private bool IsTunnelled => _network is not null;

    /// <summary>Begins a batch: forgets what was decided under another configuration.</summary>
    /// <param name="frameCount">Its frames.</param>
    /// <param name="hasTurns">Whether frames that may open a connection do so in their turn: see <see cref="Workers.OpeningTurns"/>.</param>
    public void Begin(int frameCount, bool hasTurns)
    {
        // By the batch before.
        _opensMany = _unknownCount > _frameCount / 4;
        _unknownShare = _opensMany ? (float)_unknownCount / _frameCount : 0;
        _hasTurns = hasTurns;
        _unknownCount = 0;
        _frameCount = frameCount;
        _decisions.CheckConfiguration();
        _decisions.CheckLearned();
        _acksChangeNothing = IsKeptByAck(IpvsTcpTransitions.Side.Input) && IsKeptByAck(IpvsTcpTransitions.Side.Output);
    }

    /// <summary>Looks at frames of a batch ahead of their processing.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="first">The first frame; all before were processed.</param>
    /// <returns>How many may be processed now.</returns>
    public int Read(FrameBatch batch, int first)
    {
        if (_opensMany)
        {
            return ReadAtOnce(batch, first);
        }

        // Two steps ahead the index lines are asked for, one step ahead the connections: they come while those before are decided.
        if (first == 0)
        {
            Recognize(batch, 0);
            Recognize(batch, FramesInStep);
            _openings.Begin(followsOthers: false, _hasTurns ? 0 : 1);
            Find(batch, 0, FramesInStep);
            _openings.PrefetchHolders();
        }

        int next = first + FramesInStep;
        _openings.Begin(followsOthers: true, _hasTurns ? 0 : 1);
        Find(batch, next, FramesInBurst);
        Recognize(batch, next + FramesInStep);
        Find(batch, next + FramesInBurst, FramesInStep - FramesInBurst);
        _openings.PrefetchHolders();
        return Math.Min(FramesInStep, batch.Count - first);
    }

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
        // From here on frames opened connections, and wait to be sent together.
        int unsent = first;
        int index = first;
        for (; index < end; index++)
        {
            if (!IsNew(ref _shapes[index], out IndexVacancy place))
            {
                // A loop that looks, one that steps, one that writes: each has its values in registers, where one of all had them on the stack.
                int matched = Match(batch, index, end, out bool isUnknown);
                if (matched > index)
                {
                    Send(batch, unsent, index);
                    int next = Step(batch, index, matched, due, ref latest);
                    Send(batch, index, next);
                    index = unsent = next;
                    if (next < matched)
                    {
                        break;
                    }
                }

                if (!isUnknown)
                {
                    break;
                }
            }

            long now = Math.Max(batch.Frames[index].TimestampNanoseconds, latest);
            if (now >= due)
            {
                break;
            }

            _unknownCount++;
            if (!_opening.TryOpen(batch, ref _shapes[index], place, now, out DropReason dropped))
            {
                break;
            }

            // Nothing but the wheel has something new to do.
            due = Math.Min(due, _table.Wheel.NextDue);
            latest = now;
            if (dropped != DropReason.None)
            {
                Drop(batch, index, dropped);
                Send(batch, unsent, index);
                unsent = index + 1;
            }
            else if (IsOverBefore(_shapes[index].Entry.Number, due))
            {
                Send(batch, unsent, index + 1);
                unsent = index + 1;
            }
        }

        Send(batch, unsent, index);
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

    private int ReadAtOnce(FrameBatch batch, int first)
    {
        Span<FrameShape> shapes = _shapes.AsSpan(first, Math.Min(FramesAtOnceMax, batch.Count - first));
        _reader.Recognize(batch, first, shapes.Length, _shapes, _lanes);
        _reader.AwaitIndex(shapes);
        _openings.Begin(followsOthers: false, _hasTurns ? 0 : (int)MathF.Ceiling(shapes.Length * _unknownShare));
        _reader.Find(shapes);
        _reader.AwaitConnections(shapes);
        _openings.PrefetchHolders();
        return shapes.Length;
    }

    private void Recognize(FrameBatch batch, int first)
    {
        if (first < batch.Count)
        {
            _reader.Recognize(batch, first, Math.Min(FramesInStep, batch.Count - first), _shapes, _lanes);
        }
    }

    private void Find(FrameBatch batch, int first, int count)
    {
        if (first < batch.Count)
        {
            _reader.Find(_shapes.AsSpan(first, Math.Min(count, batch.Count - first)));
        }
    }

    /// <summary>Finds the connections of frames, and where the frames go as far as that was decided before. Changes nothing.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="first">The first frame.</param>
    /// <param name="end">The frame after the last.</param>
    /// <param name="isUnknown">Whether it stopped at a frame that may open a connection: nobody knows its flow.</param>
    /// <returns>The first frame that goes another way.</returns>
    private int Match(FrameBatch batch, int first, int end, out bool isUnknown)
    {
        isUnknown = false;
        int next = first;
        do
        {
            next = MatchPlain(batch, next, end);
        }
        while (next < end && MatchWhole(batch, next, next + 1, ref isUnknown) > next && ++next < end);

        return next;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int MatchWhole(FrameBatch batch, int first, int end, ref bool isUnknown) =>
        MatchAll(batch, first, end, ref isUnknown, isPlain: false);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int MatchPlain(FrameBatch batch, int first, int end)
    {
        bool isUnknown = false;
        return MatchAll(batch, first, end, ref isUnknown, isPlain: true);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int MatchAll(FrameBatch batch, int first, int end, ref bool isUnknown, bool isPlain)
    {
        ref byte arena = ref MemoryMarshal.GetReference(batch.Arena);
        ref FrameShape shape = ref _shapes[first];
        FlowDecisions book = _decisions;
        ref LinkHeader links = ref MemoryMarshal.GetArrayDataReference(book.Links);
        ref FlowDecision decisions = ref MemoryMarshal.GetArrayDataReference(book.Decisions);
        SlabElements<Connection> records = _records;
        bool isTunnelled = _uplink is not null;
        uint generation = book.Generation;
        ref FrameShape last = ref Unsafe.Add(ref shape, end - first);
        while (Unsafe.IsAddressLessThan(ref shape, ref last))
        {
            IndexEntry entry = shape.Entry;
            if (shape.Kind < FrameKind.Opening)
            {
                break;
            }

            if (entry.IsNone || !Connection.KeyOf(ref records[entry.Number], entry.Direction).Matches(shape.Addresses, shape.Rest))
            {
                // Another connection's tag is the same, or the connection is newer than the look ahead.
                if (!isPlain && TryFind(ref shape))
                {
                    continue;
                }

                isUnknown = shape.Kind != FrameKind.Segment;
                break;
            }

            ref Connection connection = ref records[entry.Number];
            uint noted = Unsafe.Add(ref connection.DecisionOriginal, (nuint)entry.Direction);
            if (connection.DecisionGeneration != generation)
            {
                break;
            }

            // Numbers of this generation are of this book: no index is checked.
            uint server = (uint)Unsafe.Add(ref decisions, connection.DecisionOriginal).Link;
            uint client = connection.ClientLink;
            uint link = entry.Direction == FlowDirection.Original ? server : client;
            uint back = entry.Direction == FlowDirection.Original ? client : server;
            if (link == 0 || shape.LengthBytes > Unsafe.Add(ref decisions, noted).LengthLimitBytes
                || (isTunnelled && !Unsafe.Add(ref links, back).IsSourceOf(ref Unsafe.Add(ref arena, shape.Start))
                    && (isPlain || !IsSourceKnown(ref Unsafe.Add(ref arena, shape.Start)))))
            {
                break;
            }

            shape.Link = (ushort)link;
            shape.Decision = (ushort)noted;
            shape = ref Unsafe.Add(ref shape, 1);
        }

        return end - (int)(Unsafe.ByteOffset(ref shape, ref last) / Unsafe.SizeOf<FrameShape>());
    }

    /// <summary>Steps the connections of frames that were matched, one after the other.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="first">The first frame.</param>
    /// <param name="end">The frame after the last.</param>
    /// <param name="due">When something else has to be done first, nanoseconds since the Unix epoch.</param>
    /// <param name="latest">Time of the latest frame, nanoseconds since the Unix epoch.</param>
    /// <returns>The first frame that goes another way; nothing was changed by it.</returns>
    private int Step(FrameBatch batch, int first, int end, long due, ref long latest)
    {
        // Nearly all frames are stepped in a loop that makes no call, and so has its values in registers. What needs one is stepped alone.
        int next = first;
        do
        {
            next = StepPlain(batch, next, end, due, ref latest);
        }
        while (next < end && StepWhole(batch, next, next + 1, due, ref latest) > next && ++next < end);

        return next;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int StepPlain(FrameBatch batch, int first, int end, long due, ref long latest) =>
        StepAll(batch, first, end, due, ref latest, isPlain: true);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int StepWhole(FrameBatch batch, int first, int end, long due, ref long latest) =>
        StepAll(batch, first, end, due, ref latest, isPlain: false);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int StepAll(FrameBatch batch, int first, int end, long due, ref long latest, bool isPlain)
    {
        ref byte arena = ref MemoryMarshal.GetReference(batch.Arena);
        ref FrameDescriptor frame = ref Unsafe.Add(ref MemoryMarshal.GetReference(batch.Frames), first);
        ref FrameShape shape = ref _shapes[first];
        ref FrameShape last = ref Unsafe.Add(ref shape, end - first);
        FlowDecisions book = _decisions;
        ref FlowDecision decisions = ref MemoryMarshal.GetArrayDataReference(book.Decisions);
        SlabElements<Connection> records = _records;
        ConntrackTimeouts timeouts = _space.Tracker.Timeouts;
        IpvsConnections connections = _ipvs.Connections;
        long peersVersion = _space.IcmpErrors.PeersVersion;
        long ipvsTcp = _ipvs.Timeouts[IpvsTcpState.Established];
        long ipvsUdp = _ipvs.Timeouts.Udp;

        // No state is like that of all bits, of which some are masked.
        uint segmentWanted = _acksChangeNothing ? SegmentWanted : uint.MaxValue;
        long now = latest;
        while (Unsafe.IsAddressLessThan(ref shape, ref last))
        {
            long time = Math.Max(frame.TimestampNanoseconds, now);
            IndexEntry entry = shape.Entry;
            ref Connection connection = ref records[entry.Number];
            FlowDecision decision = Unsafe.Add(ref decisions, (uint)shape.Decision);
            bool isSegment = shape.Kind == FrameKind.Segment;
            long expires = time + (isSegment ? ipvsTcp : ipvsUdp);
            if (time >= due || connection.IpvsExpires <= time || connection.TrackExpires <= time
                || (isPlain && (expires < connection.IpvsExpires || FlowDecisions.IsRedirectDue(decision, time, peersVersion))))
            {
                break;
            }

            if (isSegment)
            {
                if ((connection.StatesAndFlags & SegmentMask) != segmentWanted
                    || !TcpTracker.TryStepEstablished(
                        ref connection, entry.Direction, ref Unsafe.Add(ref arena, shape.Start + Ipv4.HeaderLengthMinimum),
                        shape.LengthBytes - Ipv4.HeaderLengthMinimum, time, timeouts, isPlain))
                {
                    break;
                }
            }
            else if (shape.Kind == FrameKind.Datagram && (connection.StatesAndFlags & DatagramMask) == DatagramWanted
                && !(isPlain && connection.Control != 0))
            {
                ConnectionTracker.RefreshUdp(ref connection, time, timeouts);
                if (!isPlain && entry.Direction == FlowDirection.Reply)
                {
                    connections.AssureTemplateOf(connection);
                }
            }
            else
            {
                break;
            }

            if (entry.Direction == FlowDirection.Original && connection.InPackets < ushort.MaxValue)
            {
                connection.InPackets++;
            }

            if (isPlain)
            {
                connection.IpvsExpires = expires;
            }
            else
            {
                connections.Restart(ref connection, entry.Number, expires);
                book.CountRedirect(decision, time);
            }

            now = time;
            book.Count(shape.Decision, decision, shape.LengthBytes, now);
            shape = ref Unsafe.Add(ref shape, 1);
            frame = ref Unsafe.Add(ref frame, 1);
        }

        latest = now;
        return end - (int)(Unsafe.ByteOffset(ref shape, ref last) / Unsafe.SizeOf<FrameShape>());
    }

    private void Send(FrameBatch batch, int first, int end)
    {
        if (end > first)
        {
            _forwarded += end - first;
            _forwardedBytes += _writer.Send(batch, first, end, _shapes, _lanes, _decisions.Links);
        }
    }

    /// <summary>Whether a frame may open a connection, and nobody knows its flow, neither at the first look nor now.</summary>
    /// <param name="shape">What it looks like.</param>
    /// <param name="place">Where its key may be put, if that is known.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsNew(ref FrameShape shape, out IndexVacancy place)
    {
        place = default;
        if (!shape.Entry.IsNone || shape.Kind is not (FrameKind.Opening or FrameKind.Datagram))
        {
            return false;
        }

        place = _ahead.Vacancy(shape.Line, shape.Hash, out _);
        return !place.IsNone || !TryFind(ref shape);
    }

    /// <summary>
    /// Whether a connection may end before something else has to be done: then whoever looks for its reply's key may take that away.
    /// </summary>
    private bool IsOverBefore(int number, long due)
    {
        ref Connection connection = ref _table[number];
        return connection.IpvsExpires < due || connection.TrackExpires < due;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryFind(ref FrameShape shape)
    {
        if (!_table.TryFind(shape.Key, shape.Hash, out int number, out FlowDirection direction))
        {
            return false;
        }

        shape.Entry = new IndexEntry(number, direction);
        return true;
    }

    /// <summary>Notes that the frame that opened a connection goes no further.</summary>
    private void Drop(FrameBatch batch, int index, DropReason reason)
    {
        ref FrameDescriptor frame = ref batch.Frames[index];
        frame.Connection = _shapes[index].Entry.Number;
        frame.Reason = reason;
        frame.Verdict = Verdict.Dropped;
        _counters.Count(frame);
    }

    private bool IsKeptByAck(IpvsTcpTransitions.Side side) =>
        IpvsTcpTransitions.Next(side, TcpFlags.Ack, IpvsTcpState.Established, _ipvs.Settings.IsSecureTcp) == IpvsTcpState.Established;

    /// <summary>
    /// Whether bridge and VXLAN device let the frame in and learn nothing from it, though it is not from where the other direction's go.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool IsSourceKnown(ref byte packet)
    {
        ulong mac = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref packet, -8));
        uint vtep = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref packet, -LinkHeader.VtepBytesBefore));
        return _network!.IsKnown(new MacAddress(BinaryPrimitives.ReverseEndianness(mac) >> 16), BinaryPrimitives.ReverseEndianness(vtep));
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
