using System.Buffers.Binary;
using FastPathLb.Balancer.Stack;
using FastPathLb.Conntrack;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Replaying;

/// <summary>Collects what the frames of a recording tell, as they are shown to it in the order of their times.</summary>
internal sealed class HintCollector
{
    private const int EthernetBytes = EthernetHeader.MinimumLengthBytes;
    private const int IcmpBytes = 8;
    private const byte HostUnreachable = 1;
    private const int TcpFlagsOffset = 13;
    private const long TimerGrain = 32_000_000;

    private readonly NetworkNamespace _space;
    private readonly RecordingHints _hints = new();
    private readonly Dictionary<Fingerprint, Queue<Arrival>> _waiting = [];
    private readonly Dictionary<Fingerprint, List<Arrival>> _waitingOnAnyPort = [];
    private readonly Dictionary<(ulong, uint), List<Arrival>> _flows = [];
    private readonly HashSet<FlowKey> _openedFlows = [];
    private readonly Dictionary<uint, long> _latestQuestions = [];
    private readonly Dictionary<uint, long> _latestCalls = [];
    private long _departures;

    /// <summary>Makes one for the load balancer of a namespace.</summary>
    public HintCollector(NetworkNamespace space) => _space = space;

    /// <summary>Looks at a frame that came to the namespace, or left it.</summary>
    /// <param name="frame">The frame, without a tunnel's header.</param>
    /// <param name="timestamp">When, nanoseconds since the Unix epoch.</param>
    /// <param name="number">Number in the capture, from 1.</param>
    /// <param name="isOwn">Whether the namespace sent it.</param>
    public void Add(ReadOnlySpan<byte> frame, long timestamp, long number, bool isOwn)
    {
        if (frame.Length < EthernetBytes)
        {
            return;
        }

        Witness(frame, timestamp, isOwn);
        ReadOnlySpan<byte> packet = frame[EthernetBytes..];
        if (BinaryPrimitives.ReadUInt16BigEndian(frame[EthernetHeader.EtherTypeOffset..]) != (ushort)EtherType.Ipv4
            || !Fingerprint.TryRead(packet, out Fingerprint fingerprint, out (ulong, uint) flow))
        {
            return;
        }

        if (isOwn)
        {
            _departures++;
            _hints.HasOwnFrames = true;
            if (FindArrival(fingerprint) is { } arrival)
            {
                arrival.Departure = _departures;
                Observe(arrival, packet, timestamp);
            }
            else
            {
                NoteIdentification(packet, timestamp);
            }

            return;
        }

        Arrival added = new(number, KeyOf(packet), IsOpening(packet));
        Add(_waiting, fingerprint).Enqueue(added);
        Add(_waitingOnAnyPort, fingerprint with { Ports = 0 }).Add(added);
        if (!_flows.TryGetValue(flow, out List<Arrival>? ofFlow))
        {
            _flows.Add(flow, ofFlow = []);
        }

        ofFlow.Add(added);
    }

    /// <summary>What all frames told.</summary>
    public RecordingHints ToHints()
    {
        foreach (List<Arrival> arrivals in _flows.Values)
        {
            AddOvertaken(arrivals);
        }

        return _hints;
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
            if (!_hints.DrawnIdentifications.TryGetValue(key, out Queue<ushort>? drawn))
            {
                _hints.DrawnIdentifications.Add(key, drawn = new Queue<ushort>());
            }

            drawn.Enqueue(ipv4.Identification);
            if ((IcmpType)ipv4.Payload[0] == IcmpType.DestinationUnreachable && ipv4.Payload[1] == HostUnreachable)
            {
                // Sent when a next hop was given up.
                NoteTimer(timestamp);
            }

            if (ipv4.Payload.Length > IcmpBytes && Fingerprint.TryRead(ipv4.Payload[IcmpBytes..], out Fingerprint quoted, out _))
            {
                Add(_hints.Errors, quoted with { Ports = ipv4.Payload[0] }).Add(timestamp);
            }
        }
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
        _hints.TimerPhase = _hints.TimerPhase is not { } known ? phase
            : (phase - known + TimerGrain) % TimerGrain > TimerGrain / 2 ? phase : known;
    }

    private void AddProof(uint address, bool isOwned, long timestamp)
    {
        if (_latestCalls.TryGetValue(address, out long cause))
        {
            _hints.OwnershipProofs.Add(new OwnershipProof(address, isOwned, timestamp, cause));
        }
    }

    /// <summary>
    /// The frame that went in for one that came out: with the same ports, or, where translation changed one, the only one that is
    /// alike otherwise.
    /// </summary>
    private Arrival? FindArrival(in Fingerprint fingerprint)
    {
        if (_waiting.TryGetValue(fingerprint, out Queue<Arrival>? same))
        {
            while (same.TryDequeue(out Arrival? arrival))
            {
                if (arrival.Departure == 0)
                {
                    return arrival;
                }
            }
        }

        if (!_waitingOnAnyPort.TryGetValue(fingerprint with { Ports = 0 }, out List<Arrival>? alike))
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
    private void Observe(Arrival arrival, ReadOnlySpan<byte> sent, long timestamp)
    {
        FlowKey came = arrival.Key;
        FlowKey left = KeyOf(sent);
        if (came.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp) || left.Protocol != came.Protocol
            || !_space.IsLocalAddress(left.Source) || came.Source == left.Source)
        {
            return;
        }

        bool isOpening = came.Protocol == IpProtocol.Udp || arrival.IsOpening;
        if (_space.FindServiceOf(came) is not null)
        {
            FlowKey balanced = left;
            balanced.Source = came.Source;
            balanced.SourcePort = came.SourcePort;
            _hints.DrawnPorts[balanced] = left.SourcePort;
            if (isOpening && _openedFlows.Add(came))
            {
                _hints.ObservedPicks.Add(new ObservedPick(came, left.Destination, left.DestinationPort));
            }
            else if (!isOpening && _openedFlows.Add(came))
            {
                _hints.OlderFlows.Add(new MidFlow(came, left.Destination, left.DestinationPort, left.Source, left.SourcePort, timestamp));
            }
        }
        else if (!isOpening && _space.FindServiceOf(left.Reverse()) is not null && _openedFlows.Add(left.Reverse()))
        {
            _hints.OlderFlows.Add(new MidFlow(
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
                    _hints.OvertakenFrames[arrival.Number] = arrivals[later].Number;
                    break;
                }
            }
        }
    }

    private sealed class Arrival(long number, FlowKey key, bool isOpening)
    {
        public bool IsOpening { get; } = isOpening;

        public FlowKey Key { get; } = key;

        public long Number { get; } = number;

        /// <summary>Position among the load balancer's own frames, from 1; 0 where nothing came out.</summary>
        public long Departure { get; set; }
    }
}
