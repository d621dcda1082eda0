using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using FastPathLb.Balancer.Workers;
using FastPathLb.Conntrack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Netfilter;

/// <summary>
/// Network address translation (nf_nat_core.c, nf_nat_proto.c, Linux 6.1): a connection's first packet asks the nat table and
/// binds the connection; all packets are rewritten from the binding. Owned by one worker.
/// </summary>
public sealed class AddressTranslator
{
    private const int SearchAttemptsMax = 128;
    private const int SearchAttemptsMin = 16;
    private const int OwnPortStepsMax = 32;

    private readonly Stack.NetworkNamespace _space;
    private readonly ConnectionTracker _tracker;
    private ulong _random = 0x9E3779B97F4A7C15;

    internal AddressTranslator(Stack.NetworkNamespace space, ConnectionTracker tracker)
    {
        _space = space;
        _tracker = tracker;
    }

    /// <summary>The nat table.</summary>
    public RuleTable Table { get; } = new("nat");

    /// <summary>Which port is taken when the own one is not free.</summary>
    public SourcePortPolicy PortPolicy { get; set; }

    /// <summary>
    /// Ports that a recording shows to have been drawn, by the flow before its source was translated; asked first where the flow's
    /// own port is not free. Null where there is no recording.
    /// </summary>
    public IReadOnlyDictionary<FlowKey, ushort>? RecordedPorts { get; set; }

    /// <summary>
    /// How many workers share the connections: of ports that are searched, only those are taken whose replies come to this one.
    /// </summary>
    public int Workers { get; set; } = 1;

    /// <summary>This worker's number, from 0.</summary>
    public int Worker { get; set; }

    /// <summary>Seed of drawn ports.</summary>
    public ulong Seed
    {
        get => _random;
        set => _random = value | 1;
    }

    /// <summary>Binds and rewrites a packet at a hook (nf_nat_ipv4_fn).</summary>
    /// <returns>Why the packet is dropped, or none.</returns>
    internal DropReason Translate(Packet packet, HookPoint hook)
    {
        if (packet.Track == TrackInfo.Untracked)
        {
            return DropReason.None;
        }

        bool isSource = hook is HookPoint.PostRouting or HookPoint.LocalIn;
        if (packet.Track == TrackInfo.Related && packet.Protocol == IpProtocol.Icmp)
        {
            return TranslateIcmpError(packet, isSource);
        }

        bool isBound = isSource ? packet.IsSourceBound : packet.IsDestinationBound;
        if (packet.IsPending && packet.Track == TrackInfo.New && !isBound)
        {
            if (!Table.TryPass(hook, packet, _space, out PacketRule? rule))
            {
                return DropReason.FilterRule;
            }

            if (rule is not null)
            {
                packet.Recorder?.Bind(isSource, rule);
            }

            Bind(packet, isSource, rule);
        }

        return Rewrite(packet, ref _tracker.EntryOf(packet), isSource);
    }

    /// <summary>Binds a first packet's source or destination as a rule of the nat table says, or as it is where there is none.</summary>
    internal void Bind(Packet packet, bool isSource, PacketRule? rule)
    {
        ref Connection entry = ref packet.Pending;
        if (isSource)
        {
            packet.IsSourceBound = true;
        }
        else
        {
            packet.IsDestinationBound = true;
            if (rule is null)
            {
                // No port is searched for a destination that stays.
                return;
            }
        }

        BindEntry(ref entry, entry.Reply, isSource, rule, packet.Input, packet.Output, packet.Now, out packet.Vacancy);
    }

    /// <summary>The same with what is asked of the packet.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="reply">Its reply, which is what the packet looks like after what was bound so far, inverted.</param>
    /// <param name="isSource">Whether its source is bound, or else its destination.</param>
    /// <param name="rule">The rule, or null.</param>
    /// <param name="input">The interface that the packet came in by, or null.</param>
    /// <param name="output">The interface that it leaves by, or null.</param>
    /// <param name="now">Time, nanoseconds since the Unix epoch.</param>
    /// <param name="vacancy">What is known of the reply that was chosen.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void BindEntry(
        ref Connection entry, FlowKey reply, bool isSource, PacketRule? rule, Stack.NetworkInterface? input, Stack.NetworkInterface? output,
        long now, out ReplyVacancy vacancy)
    {
        // In the reply, addresses have changed places.
        uint own = isSource ? reply.Destination : reply.Source;
        uint address = own;
        PortRange? ports = null;
        switch (rule?.Target)
        {
            case RuleTarget.SourceNat when isSource:
            case RuleTarget.DestinationNat when !isSource:
                address = rule.NatAddress != 0 ? rule.NatAddress : own;
                ports = rule.NatPorts;
                break;
            case RuleTarget.Masquerade when isSource:
                address = output?.PrimaryAddress ?? own;
                ports = rule.NatPorts;
                break;
            case RuleTarget.Redirect when !isSource:
                address = input?.PrimaryAddress ?? 0x7F000001;
                ports = rule.NatPorts;
                break;
            default:
                break;
        }

        FlowKey chosen = reply;
        if (isSource)
        {
            chosen.Destination = address;
        }
        else
        {
            chosen.Source = address;
        }

        vacancy = default;
        if (ports is not null || _tracker.IsTaken(chosen, now, out vacancy))
        {
            // A variable of its own, so that the other one stays in registers.
            ReplyVacancy other = vacancy;
            chosen = FlowKeyReader.Invert(
                Choose(FlowKeyReader.Invert(reply), FlowKeyReader.Invert(chosen), isSource, ports, now, ref other));
            vacancy = other;
        }

        if (!chosen.Matches(reply))
        {
            entry.Reply = chosen;
            entry.Flags |= isSource ? ConnectionFlags.SourceNat : ConnectionFlags.DestinationNat;
        }
    }

    /// <summary>
    /// A tuple with the wanted address whose reply nobody holds yet (get_unique_tuple), where the own port is taken or ports are told.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private FlowKey Choose(FlowKey current, FlowKey wanted, bool isSource, PortRange? ports, long now, ref ReplyVacancy vacancy)
    {
        ushort port = isSource ? wanted.SourcePort : wanted.DestinationPort;
        if (ports is PortRange range && range.Contains(port) && (range.Low == range.High || !IsUsed(wanted, now, out vacancy)))
        {
            return wanted;
        }

        return isSource && RecordedPorts is { } recorded && TryRecordedPort(recorded, current, ref wanted, now, ref vacancy)
            ? wanted : SearchPort(wanted, isSource, ports, now, ref vacancy);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryRecordedPort(
        IReadOnlyDictionary<FlowKey, ushort> recordedPorts, FlowKey current, ref FlowKey chosen, long now, ref ReplyVacancy vacancy)
    {
        // A recording knows no namespaces.
        current.Network = 0;
        FlowKey recorded = chosen;
        if (!recordedPorts.TryGetValue(current, out ushort port))
        {
            return false;
        }

        recorded.SourcePort = port;
        if (IsUsed(recorded, now, out vacancy))
        {
            return false;
        }

        chosen = recorded;
        return true;
    }

    /// <summary>Whether somebody holds the reply to a key; notes what was found out.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool IsUsed(FlowKey key, long now, out ReplyVacancy vacancy) => _tracker.IsTaken(FlowKeyReader.Invert(key), now, out vacancy);

    /// <summary>Tries ports of the range (nf_nat_l4proto_unique_tuple); the last one tried comes back where none is free.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private FlowKey SearchPort(FlowKey key, bool isSource, PortRange? ports, long now, ref ReplyVacancy vacancy)
    {
        if (key.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp or IpProtocol.UdpLite or IpProtocol.Icmp)
            || (ports is null && !isSource))
        {
            return key;
        }

        ushort port = isSource ? key.SourcePort : key.DestinationPort;
        (int low, int count) = (ports, key.Protocol, port) switch
        {
            ({ } range, _, _) => (range.Low, range.High - range.Low + 1),
            (_, IpProtocol.Icmp, _) => (0, 65536),
            _ => RangeOf(port),
        };

        bool isDrawn = PortPolicy == SourcePortPolicy.Drawn;
        int offset = isDrawn ? Draw() : port >= low && port < low + count ? port - low + 1 : 0;
        int attempts = isDrawn ? Math.Min(count, SearchAttemptsMax) : count;
        while (true)
        {
            int position = offset % count;
            for (int attempt = 0; attempt < attempts; attempt++, position = position + 1 == count ? 0 : position + 1)
            {
                ushort candidate = (ushort)(low + position);
                if (Workers > 1 && FrameSteering.WorkerOfPort(candidate, Workers) != Worker)
                {
                    continue;
                }

                if (isSource)
                {
                    key.SourcePort = candidate;
                }
                else
                {
                    key.DestinationPort = candidate;
                }

                if (!_tracker.IsTaken(FlowKeyReader.Invert(key), now, out vacancy))
                {
                    return key;
                }
            }

            if (attempts >= count || attempts < SearchAttemptsMin)
            {
                return key;
            }

            attempts /= 2;
            offset = Draw();
        }
    }

    /// <summary>The port that will probably be taken where the own one is not free, after so many others were.</summary>
    /// <param name="port">The own port.</param>
    /// <param name="state">What the drawing goes on from; 0 to begin.</param>
    internal ushort Forecast(ushort port, ref ulong state)
    {
        if (PortPolicy != SourcePortPolicy.Drawn)
        {
            return ForecastAfter(port);
        }

        state = Step(state == 0 ? _random : state);
        (int low, int count) = RangeOf(port);
        return FirstOwn((ushort)(low + ((int)(state & 0xFFFF) % count)));
    }

    /// <summary>The port that will probably be tried where one is taken.</summary>
    internal ushort ForecastAfter(ushort port) => FirstOwn((ushort)(port + 1));

    /// <summary>The first port from one on whose replies come to this worker; of many workers, any.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ushort FirstOwn(ushort port) => Workers == 1 ? port : FirstOwnAmong(port);

    private ushort FirstOwnAmong(ushort port)
    {
        for (int steps = 0; steps < OwnPortStepsMax && FrameSteering.WorkerOfPort(port, Workers) != Worker; steps++)
        {
            port++;
        }

        return port;
    }

    private static (int Low, int Count) RangeOf(ushort port) =>
        port < 512 ? (1, 511) : port < 1024 ? (600, 1023 - 600 + 1) : (1024, 65535 - 1024 + 1);

    // Xorshift: good enough to spread ports, and the same in every run with the same seed.
    private int Draw()
    {
        _random = Step(_random);
        return (int)(_random & 0xFFFF);
    }

    private static ulong Step(ulong random)
    {
        random ^= random << 13;
        random ^= random >> 7;
        return random ^ (random << 17);
    }

    /// <summary>nf_nat_packet: what the binding says for this direction and manipulation.</summary>
    private static DropReason Rewrite(Packet packet, ref Connection entry, bool isSource)
    {
        bool isReply = packet.Direction == FlowDirection.Reply;
        ConnectionFlags wanted = isSource != isReply ? ConnectionFlags.SourceNat : ConnectionFlags.DestinationNat;
        if ((entry.Flags & wanted) == 0)
        {
            return DropReason.None;
        }

        // The opposite direction's tuple, turned round, is what this packet must look like.
        FlowKey target = FlowKeyReader.Invert(isReply ? entry.Original : entry.Reply);
        bool isDone = isSource
            ? TransportRewriter.TryReplaceSource(packet, target.Source, target.SourcePort, TransportRewriter.ZeroUdpChecksum.Keep)
            : TransportRewriter.TryReplaceDestination(
                packet, target.Destination, packet.Protocol == IpProtocol.Icmp ? target.SourcePort : target.DestinationPort,
                TransportRewriter.ZeroUdpChecksum.Keep);
        return isDone ? DropReason.None : DropReason.NatIcmpMalformed;
    }

    /// <summary>An ICMP error about a translated connection: the embedded datagram and the outer header (nf_nat_icmp_reply_translation).</summary>
    private DropReason TranslateIcmpError(Packet packet, bool isSource)
    {
        ref Connection entry = ref _tracker.EntryOf(packet);
        Span<byte> message = packet.Transport;
        if (message.Length < Icmp.HeaderBytes + Ipv4.HeaderLengthMinimum)
        {
            return DropReason.NatIcmpMalformed;
        }

        if ((IcmpType)message[0] == IcmpType.Redirect
            && (entry.Flags & (ConnectionFlags.SourceNat | ConnectionFlags.DestinationNat)) != 0)
        {
            return DropReason.NatRedirectOfTranslated;
        }

        bool isReply = packet.Direction == FlowDirection.Reply;
        ConnectionFlags wanted = isSource != isReply ? ConnectionFlags.SourceNat : ConnectionFlags.DestinationNat;
        if ((entry.Flags & wanted) == 0)
        {
            return DropReason.None;
        }

        // The embedded datagram went the other way, so the other end of it is what was translated.
        FlowKey other = isReply ? entry.Original : entry.Reply;
        Span<byte> inner = message[Icmp.HeaderBytes..];
        uint address = isSource ? other.Destination : other.Source;
        ushort port = isSource ? other.DestinationPort : other.SourcePort;
        if (!TransportRewriter.TryReplaceEmbedded(inner, address, port, isSource: !isSource))
        {
            return DropReason.NatIcmpMalformed;
        }

        if (packet.CapturedBytes >= packet.LengthBytes)
        {
            message[Icmp.ChecksumOffset] = 0;
            message[Icmp.ChecksumOffset + 1] = 0;
            BinaryPrimitives.WriteUInt16BigEndian(
                message[Icmp.ChecksumOffset..], InternetChecksum.Compute(message[..packet.TransportLengthBytes]));
        }

        FlowKey target = FlowKeyReader.Invert(other);
        uint outer = isSource ? target.Source : target.Destination;
        Ipv4.ReplaceAddress(packet.Bytes, isSource ? Ipv4.SourceOffset : Ipv4.DestinationOffset, outer);
        packet.ReadHeader();
        return DropReason.None;
    }
}
