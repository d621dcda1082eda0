using System.Buffers.Binary;
using FastPathLb.Balancer;
using FastPathLb.Balancer.Stack;
using FastPathLb.Conntrack;
using FastPathLb.Io.Captures;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Replaying;

/// <summary>
/// What a recording of both directions tells that a node's dumps cannot: in which order frames reached the load balancer (those of
/// one flow that come in on several processors can overtake one another between the wire and its interface), which server a
/// service's first new connection went to, and which source ports the kernel drew. What went in is matched with what came out by
/// the parts of a packet that translation leaves alone.
/// </summary>
public sealed class RecordingHints
{
    /// <summary>Largest capture that is looked through before it is replayed, in bytes.</summary>
    public const long CaptureBytesMax = 256L * 1024 * 1024;

    private const int EthernetBytes = 14;
    private const int EnvelopeBytes = 50;
    private const int IcmpBytes = 8;
    private const byte HostUnreachable = 1;
    private const int TcpFlagsOffset = 13;
    private const long TimerGrain = 32_000_000;

    private readonly Dictionary<long, long> _overtakers = [];
    private readonly Dictionary<FlowKey, ushort> _sourcePorts = [];
    private readonly Dictionary<FlowKey, Queue<ushort>> _identifications = [];
    private readonly Dictionary<Fingerprint, List<long>> _errors = [];
    private readonly Dictionary<uint, long> _latestQuestions = [];
    private bool _hasOwnFrames;
    private readonly List<ObservedPick> _picks = [];
    private readonly HashSet<FlowKey> _openedFlows = [];
    private readonly List<MidFlow> _midFlows = [];
    private readonly List<OwnershipProof> _ownership = [];
    private readonly Dictionary<uint, long> _latestCalls = [];

    private RecordingHints()
    {
    }

    /// <summary>Nothing is known: the order in which the capture has the frames, and the defaults.</summary>
    public static RecordingHints None { get; } = new();

    /// <summary>Frames that were overtaken: number in the capture → number of the last frame that overtook it.</summary>
    public IReadOnlyDictionary<long, long> Overtakers => _overtakers;

    /// <summary>
    /// Source ports that flows were translated to: the flow as it left IPVS (client to server) → port it was sent from.
    /// </summary>
    public IReadOnlyDictionary<FlowKey, ushort> SourcePorts => _sourcePorts;

    /// <summary>Identifications of the load balancer's own ICMP messages, in order: source, destination, type → identifications.</summary>
    public IReadOnlyDictionary<FlowKey, Queue<ushort>> Identifications => _identifications;

    /// <summary>Where openings of connections went, in order.</summary>
    public IReadOnlyList<ObservedPick> Picks => _picks;

    /// <summary>
    /// Where the kernel's timers of about a second fire, nanoseconds modulo 32 million; null where the recording does not tell.
    /// </summary>
    public long? TimerPhase { get; private set; }

    /// <summary>What shows which addresses the load balancer had, in order of time.</summary>
    public IReadOnlyList<OwnershipProof> Ownership => _ownership;

    /// <summary>TCP connections that are older than the recording.</summary>
    public IReadOnlyList<MidFlow> MidFlows => _midFlows;

    /// <summary>Looks through a capture.</summary>
    /// <param name="reader">The capture, from its beginning; it is read to its end.</param>
    /// <param name="balancer">Tells which frames the load balancer sent.</param>
    /// <param name="afterFrame">Called after each frame, for who watches.</param>
    /// <param name="stopping">Ends the look early.</param>
    public static RecordingHints Infer(
        CaptureReader reader, LoadBalancer balancer, Action? afterFrame = null, CancellationToken stopping = default)
    {
        RecordingHints hints = new();
        Dictionary<Fingerprint, Queue<Arrival>> waiting = [];
        Dictionary<Fingerprint, List<Arrival>> waitingOnAnyPort = [];
        Dictionary<(ulong, uint), List<Arrival>> flows = [];
        long departures = 0;
        int skip = balancer.AttachPoint == AttachPoint.Underlay ? EnvelopeBytes : 0;
        while (!stopping.IsCancellationRequested && TryRead(reader, out CapturedFrame captured))
        {
            afterFrame?.Invoke();
            if (captured.LinkType == LinkType.Ethernet && captured.Data.Length >= skip + EthernetBytes)
            {
                hints.Witness(captured.Data[skip..], captured.TimestampNanoseconds, balancer.IsOwn(captured.Data));
            }

            if (captured.LinkType != LinkType.Ethernet || captured.Data.Length < skip + EthernetBytes
                || BinaryPrimitives.ReadUInt16BigEndian(captured.Data[(skip + 12)..]) != (ushort)EtherType.Ipv4
                || !TryFingerprint(captured.Data[(skip + EthernetBytes)..], out Fingerprint fingerprint, out (ulong, uint) flow))
            {
                continue;
            }

            if (balancer.IsOwn(captured.Data))
            {
                departures++;
                hints._hasOwnFrames = true;
                if (FindArrival(waiting, waitingOnAnyPort, fingerprint) is { } arrival)
                {
                    arrival.Departure = departures;
                    hints.Observe(arrival, captured.Data[(skip + EthernetBytes)..], captured.TimestampNanoseconds, balancer);
                }
                else
                {
                    hints.NoteIdentification(captured.Data[(skip + EthernetBytes)..], captured.TimestampNanoseconds);
                }

                continue;
            }

            ReadOnlySpan<byte> packet = captured.Data[(skip + EthernetBytes)..];
            Arrival added = new(captured.RecordNumber, KeyOf(packet), IsOpening(packet));
            Add(waiting, fingerprint).Enqueue(added);
            Add(waitingOnAnyPort, fingerprint with { Ports = 0 }).Add(added);
            if (!flows.TryGetValue(flow, out List<Arrival>? ofFlow))
            {
                flows.Add(flow, ofFlow = []);
            }

            ofFlow.Add(added);
        }


        foreach (List<Arrival> arrivals in flows.Values)
        {
            hints.AddOvertaken(arrivals);
        }

        return hints;
    }

    // Where a capture is damaged its frames end; the replay itself says so.
    private static bool TryRead(CaptureReader reader, out CapturedFrame captured)
    {
        try
        {
            return reader.TryRead(out captured);
        }
        catch (CaptureFormatException)
        {
            captured = default;
            return false;
        }
    }

    /// <summary>An ICMP message of the load balancer's own: nothing that went in is like it.</summary>
    private void NoteIdentification(ReadOnlySpan<byte> packet, long timestamp)
    {
        if (Ipv4Header.TryParse(packet, out Ipv4Header ipv4) && ipv4.Protocol == IpProtocol.Icmp && ipv4.Payload.Length > 0)
        {
            FlowKey key = new()
            {
                Source = ipv4.Source.Value,
                Destination = ipv4.Destination.Value,
                Protocol = ipv4.Protocol,
                DestinationPort = ipv4.Payload[0],
            };
            if (!_identifications.TryGetValue(key, out Queue<ushort>? drawn))
            {
                _identifications.Add(key, drawn = new Queue<ushort>());
            }

            drawn.Enqueue(ipv4.Identification);
            if ((IcmpType)ipv4.Payload[0] == IcmpType.DestinationUnreachable && ipv4.Payload[1] == HostUnreachable)
            {
                // Sent when a next hop was given up.
                NoteTimer(timestamp);
            }

            if (ipv4.Payload.Length > IcmpBytes && TryFingerprint(ipv4.Payload[IcmpBytes..], out Fingerprint quoted, out _))
            {
                Add(_errors, quoted with { Ports = ipv4.Payload[0] }).Add(timestamp);
            }
        }
    }

    /// <summary>Tells of each error of the load balancer's own once; null where the recording has no frames of its own.</summary>
    internal RecordedErrors? TakeErrors()
    {
        if (!_hasOwnFrames)
        {
            return null;
        }

        const long LatenessMax = 100_000_000;
        Dictionary<Fingerprint, List<long>> left = _errors.ToDictionary(error => error.Key, error => new List<long>(error.Value));
        return (quoted, type, now) =>
        {
            if (!TryFingerprint(quoted, out Fingerprint fingerprint, out _)
                || !left.TryGetValue(fingerprint with { Ports = (byte)type }, out List<long>? times))
            {
                return false;
            }

            // A retransmission is like its original: only an error of about this time is meant.
            int index = times.FindIndex(time => Math.Abs(time - now) < LatenessMax);
            if (index >= 0)
            {
                times.RemoveAt(index);
            }

            return index >= 0;
        };
    }

    /// <summary>Notes what a frame says about whose an address is.</summary>
    private void Witness(ReadOnlySpan<byte> frame, long timestamp, bool isOwn)
    {
        EtherType type = (EtherType)BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
        if (type == EtherType.Arp && ArpHeader.TryParse(frame[EthernetBytes..], out ArpHeader arp))
        {
            if (!isOwn)
            {
                _latestCalls[arp.TargetAddress.Value] = timestamp;
            }
            else if (arp.Operation == ArpOperation.Request)
            {
                NoteQuestion(arp.TargetAddress.Value, timestamp);
                AddProof(arp.TargetAddress.Value, isOwned: false, timestamp);
            }
            else
            {
                AddProof(arp.SenderAddress.Value, isOwned: true, timestamp);
            }
        }
        else if (type == EtherType.Ipv4 && Ipv4Header.TryParse(frame[EthernetBytes..], out Ipv4Header ipv4) && !isOwn)
        {
            _latestCalls[ipv4.Destination.Value] = timestamp;
        }
    }

    /// <summary>A repeated question shows when the kernel's timers of about a second fire.</summary>
    private void NoteQuestion(uint address, long timestamp)
    {
        const long Second = 1_000_000_000;
        const long LatenessMax = 60_000_000;
        if (_latestQuestions.TryGetValue(address, out long before) && timestamp - before is > Second and < Second + LatenessMax)
        {
            NoteTimer(timestamp);
        }

        _latestQuestions[address] = timestamp;
    }

    // The earliest of those that fire together is the closest to the moment itself.
    private void NoteTimer(long timestamp)
    {
        long phase = timestamp % TimerGrain;
        TimerPhase = TimerPhase is not { } known ? phase
            : (phase - known + TimerGrain) % TimerGrain > TimerGrain / 2 ? phase : known;
    }

    private void AddProof(uint address, bool isOwned, long timestamp)
    {
        if (_latestCalls.TryGetValue(address, out long cause))
        {
            _ownership.Add(new OwnershipProof(address, isOwned, timestamp, cause));
        }
    }

    /// <summary>
    /// The frame that went in for one that came out: with the same ports, or, where translation changed one, the only one that is
    /// alike otherwise.
    /// </summary>
    private static Arrival? FindArrival(
        Dictionary<Fingerprint, Queue<Arrival>> waiting, Dictionary<Fingerprint, List<Arrival>> waitingOnAnyPort,
        in Fingerprint fingerprint)
    {
        if (waiting.TryGetValue(fingerprint, out Queue<Arrival>? same))
        {
            while (same.TryDequeue(out Arrival? arrival))
            {
                if (arrival.Departure == 0)
                {
                    return arrival;
                }
            }
        }

        if (!waitingOnAnyPort.TryGetValue(fingerprint with { Ports = 0 }, out List<Arrival>? alike))
        {
            return null;
        }

        alike.RemoveAll(arrival => arrival.Departure != 0);
        return alike.Count == 1 ? alike[0] : null;
    }

    private static TValue Add<TValue>(Dictionary<Fingerprint, TValue> dictionary, in Fingerprint key)
        where TValue : new()
    {
        if (!dictionary.TryGetValue(key, out TValue? value))
        {
            value = new TValue();
            dictionary.Add(key, value);
        }

        return value;
    }

    /// <summary>A packet that was translated: from a client to a server, or back.</summary>
    private void Observe(Arrival arrival, ReadOnlySpan<byte> sent, long timestamp, LoadBalancer balancer)
    {
        FlowKey came = arrival.Key;
        FlowKey left = KeyOf(sent);
        if (came.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp) || left.Protocol != came.Protocol
            || !balancer.Namespace.IsLocalAddress(left.Source) || came.Source == left.Source)
        {
            return;
        }

        bool isOpening = came.Protocol == IpProtocol.Udp || arrival.IsOpening;
        if (balancer.Namespace.FindServiceOf(came) is not null)
        {
            FlowKey balanced = left;
            balanced.Source = came.Source;
            balanced.SourcePort = came.SourcePort;
            _sourcePorts[balanced] = left.SourcePort;
            if (isOpening && _openedFlows.Add(came))
            {
                _picks.Add(new ObservedPick(came, left.Destination, left.DestinationPort));
            }
            else if (!isOpening && _openedFlows.Add(came))
            {
                _midFlows.Add(new MidFlow(came, left.Destination, left.DestinationPort, left.Source, left.SourcePort, timestamp));
            }
        }
        else if (!isOpening && balancer.Namespace.FindServiceOf(left.Reverse()) is not null && _openedFlows.Add(left.Reverse()))
        {
            _midFlows.Add(new MidFlow(
                left.Reverse(), came.Source, came.SourcePort, came.Destination, came.DestinationPort, timestamp));
        }
    }

    private static bool IsOpening(ReadOnlySpan<byte> packet) =>
        Ipv4Header.TryParse(packet, out Ipv4Header ipv4) && ipv4.Protocol == IpProtocol.Tcp && ipv4.Payload.Length > TcpFlagsOffset
        && ((TcpFlags)ipv4.Payload[TcpFlagsOffset] & TcpFlags.Syn) != 0;

    private static FlowKey KeyOf(ReadOnlySpan<byte> packet)
    {
        FlowKey key = default;
        if (Ipv4Header.TryParse(packet, out Ipv4Header ipv4))
        {
            key.Source = ipv4.Source.Value;
            key.Destination = ipv4.Destination.Value;
            key.Protocol = ipv4.Protocol;
            if (ipv4.Payload.Length >= 4)
            {
                key.SourcePort = BinaryPrimitives.ReadUInt16BigEndian(ipv4.Payload);
                key.DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(ipv4.Payload[2..]);
            }
        }

        return key;
    }

    private void AddOvertaken(List<Arrival> arrivals)
    {
        // From the end: the earliest departure among those that arrived later, and which of them is the last to have overtaken.
        for (int index = 0; index < arrivals.Count; index++)
        {
            Arrival arrival = arrivals[index];
            if (arrival.Departure == 0)
            {
                continue;
            }

            const int WindowFrames = 256;
            for (int later = Math.Min(index + WindowFrames, arrivals.Count - 1); later > index; later--)
            {
                if (arrivals[later].Departure != 0 && arrivals[later].Departure < arrival.Departure)
                {
                    _overtakers[arrival.Number] = arrivals[later].Number;
                    break;
                }
            }
        }
    }

    /// <summary>What translation leaves alone in an IPv4 packet, and the flow it belongs to before translation.</summary>
    private static bool TryFingerprint(ReadOnlySpan<byte> packet, out Fingerprint fingerprint, out (ulong, uint) flow)
    {
        fingerprint = default;
        flow = default;
        if (!Ipv4Header.TryParse(packet, out Ipv4Header ipv4))
        {
            return false;
        }

        ReadOnlySpan<byte> payload = ipv4.Payload;
        if (payload.Length < 8)
        {
            return false;
        }

        ulong detail = ipv4.Protocol switch
        {
            // Sequence and acknowledgement number.
            IpProtocol.Tcp when payload.Length >= 20 => BinaryPrimitives.ReadUInt64BigEndian(payload[4..])
                ^ ((ulong)BinaryPrimitives.ReadUInt32BigEndian(payload[12..]) << 20),
            _ => BinaryPrimitives.ReadUInt16BigEndian(payload[4..]),
        };
        int ports = BinaryPrimitives.ReadUInt16BigEndian(payload) ^ BinaryPrimitives.ReadUInt16BigEndian(payload[2..]);
        uint header = ((uint)ipv4.Identification << 16) | ipv4.TotalLength;
        fingerprint = new Fingerprint(header, (byte)ipv4.Protocol | ((uint)ipv4.FragmentOffsetBytes << 8), detail, ports);
        flow = (((ulong)ipv4.Source.Value << 32) | ipv4.Destination.Value, BinaryPrimitives.ReadUInt32BigEndian(payload));
        return true;
    }

    private readonly record struct Fingerprint(uint Header, uint Protocol, ulong Detail, int Ports);

    private sealed class Arrival(long number, FlowKey key, bool isOpening)
    {
        public bool IsOpening { get; } = isOpening;

        public FlowKey Key { get; } = key;

        public long Number { get; } = number;

        /// <summary>Position among the load balancer's own frames, from 1; 0 where nothing came out.</summary>
        public long Departure { get; set; }
    }
}
