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

    private const int LinksMax = 1 << 14;
    private const int DecisionsMax = ushort.MaxValue;
    private const int EthernetBytes = 14;
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
    private readonly LinkHeader[] _links = new LinkHeader[LinksMax];
    private readonly Dictionary<uint, int> _linkOf = new(LinksMax);
    private readonly Dictionary<int, int> _decisionOf = new(1024);
    private readonly List<FlowDecision> _unsettled = new(FrameBatch.CountMax);
    private FlowDecision[] _decisions = new FlowDecision[1024];
    private int _decisionCount = 1;
    private int _linkCount = 1;
    private ushort _generation;
    private long _configuration = long.MinValue;
    private long _learned = long.MinValue;
    private int _forwarded;
    private long _forwardedBytes;

    /// <summary>Makes the established path of an interface, at the underlay where an uplink is given.</summary>
    public EstablishedPath(NetworkNamespace space, NetworkInterface device, Uplink? uplink)
    {
        _space = space;
        _device = device;
        _table = space.Connections;
        _ipvs = space.Ipvs;
        _uplink = uplink;
        _network = uplink?.NetworkOf(device);
        _openings = new OpeningForecast(_table, space.Translator);
        _reader = new FrameReader(space, device, uplink, _network, _openings);
        _space.IcmpErrors.Settle = SettleRedirects;
        _generation = FirstGeneration;
    }

    /// <summary>Whether it can be used at all: words are read as they lie on the wire.</summary>
    public bool IsUsable => BitConverter.IsLittleEndian && (_uplink is null || _network is not null);

    /// <summary>Frames that were sent on by the short way.</summary>
    public long FramesForwarded { get; private set; }

    /// <summary>
    /// Generations of workers that share a table are never the same: that of another's connection does not fit, without a look at
    /// whose it is.
    /// </summary>
    private ushort FirstGeneration => (ushort)(_table.Worker + 1);

    private bool IsTunnelled => _network is not null;

    /// <summary>Begins a batch: forgets what was decided under another configuration.</summary>
    public void Begin()
    {
        long configuration = _space.ConfigurationVersion;
        if (configuration != _configuration)
        {
            _configuration = configuration;
            Forget();
        }

        CheckLearned();
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
    /// <param name="due">When something else has to be done first, nanoseconds since the Unix epoch.</param>
    /// <param name="latest">Time of the latest frame, nanoseconds since the Unix epoch.</param>
    /// <returns>The first frame that was not sent on; nothing was changed by it.</returns>
    public int Forward(FrameBatch batch, int first, int end, long due, ref long latest)
    {
        ref byte arena = ref MemoryMarshal.GetReference(batch.Arena);
        ref FrameDescriptor frames = ref MemoryMarshal.GetReference(batch.Frames);
        ref FrameShape shapes = ref MemoryMarshal.GetArrayDataReference(_shapes);
        ref LinkHeader links = ref MemoryMarshal.GetArrayDataReference(_links);
        FlowDecision[] decisions = _decisions;
        ConnectionTable table = _table;
        ConntrackTimeouts timeouts = _space.Tracker.Timeouts;
        IpvsCore ipvs = _ipvs;
        Uplink? uplink = _uplink;
        ushort generation = _generation;
        int index = first;
        for (; index < end; index++)
        {
            ref FrameShape shape = ref Unsafe.Add(ref shapes, index);
            ref FrameDescriptor frame = ref Unsafe.Add(ref frames, index);
            long now = Math.Max(frame.TimestampNanoseconds, latest);
            if (shape.Kind < FrameKind.Segment || now >= due)
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
                    break;
                }
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
                || (uplink is not null && !IsSourceKnown(ref packet, shape, connection, isReply)))
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
            if (decision.HasRedirect)
            {
                CountRedirect(decision, now);
            }

            Count(decision, shape.LengthBytes, now);
            int headerBytes = Write(
                ref packet, shape, ref isReply ? ref connection.Original : ref connection.Reply, ref Unsafe.Add(ref links, linkNumber), uplink);
            if (uplink is not null && uplink.ComputesChecksums)
            {
                Uplink.WriteChecksum(batch.Slice(
                    shape.Start - LinkHeader.SizeBytes + EthernetBytes, shape.LengthBytes + LinkHeader.SizeBytes - EthernetBytes));
            }

            batch.Emit(shape.Start - headerBytes, shape.LengthBytes + headerBytes, now, index);
            _forwardedBytes += frame.LengthBytes;
            frame.Connection = number;
            frame.Verdict = Verdict.Forwarded;
            latest = now;
        }

        _forwarded += index - first;
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

        int link = LinkTo(packet, batch, shape.Start);
        bool isReply = packet.Direction == FlowDirection.Reply;
        int decision = link == 0 ? 0 : DecisionFor(_ipvs.Servers[connection.Server], isReply, recorder, isReply ? 0 : link, packet.Output);
        if (decision == 0)
        {
            return;
        }

        if (connection.DecisionGeneration != _generation)
        {
            connection.DecisionGeneration = _generation;
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
    public void CheckLearned()
    {
        long learned = _space.Neighbors.Version + _space.PathMtus.Version + (_network is null ? 0 : _network.Fdb.Version + _uplink!.Neighbors.Version);
        if (learned != _learned)
        {
            _learned = learned;
            Forget();
        }
    }

    /// <summary>Ends a batch: brings counters up to date.</summary>
    public void Settle(FrameCounters counters)
    {
        SettleRedirects();
        foreach (FlowDecision decision in _unsettled)
        {
            decision.Settle();
        }

        _unsettled.Clear();
        if (_forwarded > 0)
        {
            counters.CountForwarded(_forwarded, _forwardedBytes);
            FramesForwarded += _forwarded;
            _forwarded = 0;
            _forwardedBytes = 0;
        }
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

    /// <summary>
    /// Whether bridge and VXLAN device let the frame in and learn nothing from it: it comes from where the other direction's go.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsSourceKnown(ref byte packet, in FrameShape shape, in Connection connection, bool isReply)
    {
        ulong mac = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref packet, -8)) & MacMask;
        int opposite = isReply ? connection.DecisionOriginal == 0 ? 0 : _decisions[connection.DecisionOriginal].Link : connection.ClientLink;
        ref LinkHeader link = ref _links[opposite];
        return (link.IsKnownSource && link.Mac == mac && link.Vtep == shape.Vtep)
            || _network!.IsKnown(new MacAddress(BinaryPrimitives.ReverseEndianness(mac) >> 16), BinaryPrimitives.ReverseEndianness(shape.Vtep));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Count(FlowDecision decision, int lengthBytes, long now)
    {
        if (decision.Packets == 0)
        {
            _unsettled.Add(decision);
        }

        decision.Packets++;
        decision.Bytes += lengthBytes;
        decision.Latest = now;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CountRedirect(FlowDecision decision, long now)
    {
        IcmpErrors errors = _space.IcmpErrors;
        if (now >= decision.RedirectDue || decision.RedirectVersion != errors.PeersVersion)
        {
            decision.RedirectDue = errors.CountRedirect(decision.Redirected, now, out _);
            decision.RedirectVersion = errors.PeersVersion;
        }
    }

    private void SettleRedirects()
    {
        foreach (FlowDecision decision in _unsettled)
        {
            if (decision.HasRedirect)
            {
                _space.IcmpErrors.HearRedirected(decision.Redirected, decision.Latest);
            }
        }
    }

    /// <summary>Rewrites a packet to what the other direction's key says, and puts the headers in front of it.</summary>
    /// <returns>Length of those headers in bytes.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Write(ref byte packet, in FrameShape shape, ref FlowKey other, ref LinkHeader link, Uplink? uplink)
    {
        // The other direction's source is this one's new destination: its words are the new addresses and ports, source first.
        ulong addresses = other.Addresses;
        uint ports = (uint)other.Rest;

        // RFC 1624, equation 3, over all words that change at once. The result's class is that of one change after the other, and
        // so is its form: none of them gives 0xFFFF.
        ulong gone = ~shape.Addresses;
        ulong delta = (uint)addresses + (addresses >> 32) + (uint)gone + (gone >> 32);
        ulong second = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref packet, 8));
        const uint OneLessTimeToLive = 0xFEFF;
        uint headerSum = BinaryPrimitives.ReverseEndianness((ushort)(second >> 16));
        ushort headerChecksum = (ushort)~InternetChecksum.FoldWide(delta + (headerSum ^ 0xFFFF) + OneLessTimeToLive);
        ulong swapped = BinaryPrimitives.ReverseEndianness(addresses);
        Unsafe.WriteUnaligned(
            ref Unsafe.Add(ref packet, 8),
            ((second - 1) & 0xFFFF) | ((ulong)BinaryPrimitives.ReverseEndianness(headerChecksum) << 16) | (swapped << 32));
        Unsafe.WriteUnaligned(
            ref Unsafe.Add(ref packet, 16), (swapped >> 32) | ((ulong)BinaryPrimitives.ReverseEndianness(ports) << 32));

        bool isSegment = shape.Kind == FrameKind.Segment;
        ref byte field = ref Unsafe.Add(ref packet, isSegment ? 36 : 26);
        uint transportSum = BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ushort>(ref field));
        ushort transportChecksum = (ushort)~InternetChecksum.FoldWide(delta + ports + ~(uint)shape.Rest + (transportSum ^ 0xFFFF));
        if (transportChecksum == 0 && !isSegment)
        {
            transportChecksum = ushort.MaxValue;
        }

        Unsafe.WriteUnaligned(ref field, BinaryPrimitives.ReverseEndianness(transportChecksum));
        if (uplink is null)
        {
            link.WriteEthernet(ref packet);
            return EthernetBytes;
        }

        link.WriteTunnel(
            ref packet, shape.LengthBytes, Uplink.OuterEcn(shape.Ecn), uplink.NextIdentification(),
            uplink.SourcePort(addresses, ports, (byte)(shape.Rest >> 32)));
        return LinkHeader.SizeBytes;
    }

    /// <summary>Whether the frame's one consequence was itself, in place.</summary>
    private bool IsSentWhole(FrameBatch batch, in FrameShape shape, int index, int emittedBefore)
    {
        int headerBytes = IsTunnelled ? LinkHeader.SizeBytes : EthernetBytes;
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

    /// <summary>The headers towards a packet's next hop, noted where they are new.</summary>
    private int LinkTo(Packet packet, FrameBatch batch, int start)
    {
        if (!ReferenceEquals(packet.Output, _device))
        {
            return 0;
        }

        if (_linkOf.TryGetValue(packet.NextHop, out int known))
        {
            return known;
        }

        if (_linkCount == LinksMax)
        {
            return 0;
        }

        int number = _linkCount++;
        _linkOf.Add(packet.NextHop, number);
        ref LinkHeader link = ref _links[number];
        int available = IsTunnelled ? LinkHeader.SizeBytes : EthernetBytes;
        Span<byte> headers = stackalloc byte[LinkHeader.SizeBytes];
        headers.Clear();
        batch.Slice(start - available, available).CopyTo(headers[(LinkHeader.SizeBytes - available)..]);
        link.Take(headers, IsTunnelled);
        link.IsKnownSource = IsTunnelled
            && _network!.IsKnown(MacAddress.Read(headers[50..]), BinaryPrimitives.ReverseEndianness(link.Vtep));
        return number;
    }

    private int DecisionFor(RealServer server, bool isReply, DecisionRecorder recorder, int link, NetworkInterface output)
    {
        int lengthMax = Math.Min(Math.Min(_device.MtuBytes, output.MtuBytes), ushort.MaxValue - LinkHeader.SizeBytes);
        if (!_space.PathMtus.IsEmpty)
        {
            // What may be too long for some path goes the general way.
            lengthMax = Math.Min(lengthMax, PathMtuTable.BytesMin);
        }

        int key = (server.Number << 1) | (isReply ? 1 : 0);
        _decisionOf.TryGetValue(key, out int first);
        for (int number = first; number != 0; number = _decisions[number].Next)
        {
            if (_decisions[number].IsFor(recorder, link, lengthMax))
            {
                return number;
            }
        }

        if (_decisionCount > DecisionsMax)
        {
            return 0;
        }

        if (_decisionCount == _decisions.Length)
        {
            Array.Resize(ref _decisions, _decisions.Length * 2);
        }

        // Number 0 means none.
        _decisions[_decisionCount] = new FlowDecision(server, isReply, recorder.Counters)
        {
            Link = link,
            LengthMaxBytes = lengthMax,
            HasRedirect = recorder.HasRedirect,
            Redirected = recorder.Redirected,
            Next = first,
        };
        _decisionOf[key] = _decisionCount;
        return _decisionCount++;
    }

    private void Forget()
    {
        SettleRedirects();
        foreach (FlowDecision decision in _unsettled)
        {
            decision.Settle();
        }

        _unsettled.Clear();
        Array.Clear(_decisions, 1, _decisionCount - 1);
        _decisionCount = 1;
        _decisionOf.Clear();
        _linkOf.Clear();
        _linkCount = 1;
        int next = _generation + _table.Store.Workers;
        if (next > ushort.MaxValue)
        {
            // Once in 65,535 changes, less with several workers: numbers of the first generation must not come back.
            for (int number = 0; number < _table.NumbersUsed; number++)
            {
                if (!_table.IsForeign(number))
                {
                    _table[number].DecisionGeneration = 0;
                }
            }

            next = FirstGeneration;
        }

        _generation = (ushort)next;
    }
}
