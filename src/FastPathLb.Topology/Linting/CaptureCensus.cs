using FastPathLb.Io.Captures;
using FastPathLb.Wire;

namespace FastPathLb.Topology;

/// <summary>What a capture shows beyond what a load balancer makes of it: who claims which address, which calls fall silent.</summary>
internal sealed class CaptureCensus
{
    // A flow is some 100 bytes here; captures with more are looked at as far as that.
    private const int FlowsMax = 1_000_000;

    private readonly Dictionary<CensusFlow, FlowRecord> _flows = [];
    private readonly HashSet<int> _vxlanPorts;

    private CaptureCensus(string name, HashSet<int> vxlanPorts)
    {
        Name = name;
        _vxlanPorts = vxlanPorts;
    }

    /// <summary>The capture's name.</summary>
    public string Name { get; }

    /// <summary>Who said in ARP to have which address, and in which frame first.</summary>
    public Dictionary<(Ipv4Address Address, MacAddress Mac), long> Claims { get; } = [];

    /// <summary>TCP and UDP flows without VXLAN around them, by their original direction.</summary>
    public IReadOnlyDictionary<CensusFlow, FlowRecord> Flows => _flows;

    /// <summary>Destinations inside of VXLAN, by network: the first frame of each.</summary>
    public Dictionary<(uint Vni, Ipv4Address Destination), long> TunnelDestinations { get; } = [];

    /// <summary>VXLAN identifiers by the node sent to: the first frame of each.</summary>
    public Dictionary<(uint Vni, Ipv4Address Node), long> Vnis { get; } = [];

    /// <summary>Fragments of UDP between two nodes: how many, and the first frame.</summary>
    public Dictionary<(Ipv4Address From, Ipv4Address To), (long Count, long First)> UdpFragments { get; } = [];

    /// <summary>Whole packets of VXLAN from one node to another: how many, of how many the inner checksum is wrong, and the first frames.</summary>
    public Dictionary<(Ipv4Address From, Ipv4Address To), TunnelRecord> Tunnels { get; } = [];

    /// <summary>Reads a capture to its end.</summary>
    /// <param name="reader">The capture.</param>
    /// <param name="vxlanPorts">UDP ports of the node's tunnels.</param>
    public static CaptureCensus Take(CaptureReader reader, IEnumerable<int> vxlanPorts)
    {
        CaptureCensus census = new(reader.Name, [.. vxlanPorts]);
        byte[] ethernet = [];
        while (reader.TryRead(out CapturedFrame frame))
        {
            if (frame.LinkType == LinkType.Ethernet)
            {
                census.Count(frame.Data, frame.RecordNumber, frame.TimestampNanoseconds);
                continue;
            }

            int size = frame.Data.Length + LinkLayer.EthernetGrowthBytesMax;
            ethernet = ethernet.Length < size ? new byte[size] : ethernet;
            int length = LinkLayer.ToEthernet(frame.LinkType, frame.Data, ethernet);
            if (length > 0)
            {
                census.Count(ethernet.AsSpan(0, length), frame.RecordNumber, frame.TimestampNanoseconds);
            }
        }

        return census;
    }

    private void Count(ReadOnlySpan<byte> frame, long number, long time)
    {
        if (!EthernetHeader.TryParse(frame, out EthernetHeader ethernet))
        {
            return;
        }

        if (ethernet.EtherType == EtherType.Arp && ArpHeader.TryParse(ethernet.Payload, out ArpHeader arp))
        {
            if (!arp.SenderAddress.IsZero)
            {
                Claims.TryAdd((arp.SenderAddress, arp.SenderMac), number);
            }
        }
        else if (ethernet.EtherType == EtherType.Ipv4 && Ipv4Header.TryParse(ethernet.Payload, out Ipv4Header packet))
        {
            Count(packet, number, time);
        }
    }

    private void Count(Ipv4Header packet, long number, long time)
    {
        if (packet.IsFragment)
        {
            if (packet.Protocol == IpProtocol.Udp)
            {
                (long count, long first) = UdpFragments.GetValueOrDefault((packet.Source, packet.Destination), (0, number));
                UdpFragments[(packet.Source, packet.Destination)] = (count + 1, first);
            }

            return;
        }

        if (packet.Protocol == IpProtocol.Udp && UdpHeader.TryParse(packet.Payload, out UdpHeader udp))
        {
            if (_vxlanPorts.Contains(udp.DestinationPort) && VxlanHeader.TryParse(udp.Payload, out VxlanHeader vxlan) && vxlan.HasVni)
            {
                CountTunnel(vxlan, packet.Source, packet.Destination, number);
                return;
            }

            Count(new CensusFlow(IpProtocol.Udp, packet.Source, udp.SourcePort, packet.Destination, udp.DestinationPort), default,
                number, time);
        }
        else if (packet.Protocol == IpProtocol.Tcp && TcpHeader.TryParse(packet.Payload, out TcpHeader tcp))
        {
            Count(new CensusFlow(IpProtocol.Tcp, packet.Source, tcp.SourcePort, packet.Destination, tcp.DestinationPort), tcp.Flags,
                number, time);
        }
    }

    private void CountTunnel(VxlanHeader vxlan, Ipv4Address from, Ipv4Address node, long number)
    {
        Vnis.TryAdd((vxlan.Vni.Value, node), number);
        if (!Tunnels.TryGetValue((from, node), out TunnelRecord? tunnel))
        {
            tunnel = new TunnelRecord { FirstFrame = number };
            Tunnels.Add((from, node), tunnel);
        }

        if (EthernetHeader.TryParse(vxlan.Payload, out EthernetHeader ethernet)
            && ethernet.EtherType == EtherType.Ipv4
            && Ipv4Header.TryParse(ethernet.Payload, out Ipv4Header inner))
        {
            tunnel.Count++;
            TunnelDestinations.TryAdd((vxlan.Vni.Value, inner.Destination), number);
            if (HasWrongChecksum(inner))
            {
                tunnel.WrongFrame = tunnel.WrongCount == 0 ? number : tunnel.WrongFrame;
                tunnel.WrongCount++;
            }
        }
    }

    // Of a packet that was captured whole. UDP may have no checksum.
    private static bool HasWrongChecksum(Ipv4Header packet)
    {
        ReadOnlySpan<byte> payload = packet.Payload;
        return !packet.IsFragment && payload.Length == packet.TotalLength - packet.HeaderLengthBytes
            && packet.Protocol is IpProtocol.Tcp or IpProtocol.Udp
            && (packet.Protocol == IpProtocol.Tcp ? TcpHeader.TryParse(payload, out _) : UdpHeader.TryParse(payload, out UdpHeader udp) && udp.HasChecksum)
            && !InternetChecksum.IsRight(InternetChecksum.Sum(
                payload, InternetChecksum.PseudoHeaderSum(packet.Source, packet.Destination, packet.Protocol, payload.Length)));
    }

    private void Count(CensusFlow flow, TcpFlags flags, long number, long time)
    {
        bool isReply = !_flows.ContainsKey(flow) && _flows.ContainsKey(flow.Reverse);
        CensusFlow key = isReply ? flow.Reverse : flow;
        if (!_flows.TryGetValue(key, out FlowRecord? record))
        {
            if (_flows.Count == FlowsMax)
            {
                return;
            }

            record = new FlowRecord { FirstFrame = number };
            _flows.Add(key, record);
        }

        record.Count(flags, isReply, number, time);
    }
}

/// <summary>A flow's addresses and ports in one direction.</summary>
/// <param name="Protocol">Protocol.</param>
/// <param name="Source">Source address.</param>
/// <param name="SourcePort">Source port.</param>
/// <param name="Destination">Destination address.</param>
/// <param name="DestinationPort">Destination port.</param>
internal readonly record struct CensusFlow(
    IpProtocol Protocol, Ipv4Address Source, ushort SourcePort, Ipv4Address Destination, ushort DestinationPort)
{
    /// <summary>The other direction.</summary>
    public CensusFlow Reverse => new(Protocol, Destination, DestinationPort, Source, SourcePort);
}

/// <summary>What one node sent another in VXLAN.</summary>
internal sealed class TunnelRecord
{
    /// <summary>The first frame.</summary>
    public required long FirstFrame { get; init; }

    /// <summary>IPv4 packets: who only asks by ARP may well be left without an answer.</summary>
    public long Count { get; set; }

    /// <summary>Packets whose inner TCP or UDP checksum is wrong.</summary>
    public long WrongCount { get; set; }

    /// <summary>The first of these.</summary>
    public long WrongFrame { get; set; }
}

/// <summary>What was seen of a flow.</summary>
internal sealed class FlowRecord
{
    private long _last = long.MinValue;
    private bool _isEnding;
    private bool _hasClientEnded;
    private bool _hasServerEnded;
    private bool _isReset;

    /// <summary>Its first frame.</summary>
    public required long FirstFrame { get; init; }

    /// <summary>Frames that asked for a connection.</summary>
    public int Requests { get; private set; }

    /// <summary>Frames the other way.</summary>
    public long Replies { get; private set; }

    /// <summary>The longest silence that data of an established connection ended, in nanoseconds.</summary>
    public long IdleNanoseconds { get; private set; }

    /// <summary>The frame that ended it.</summary>
    public long IdleFrame { get; private set; }

    /// <summary>The longest silence that ended while one side had closed and the other had not, in nanoseconds.</summary>
    public long HalfClosedNanoseconds { get; private set; }

    /// <summary>The frame that ended it.</summary>
    public long HalfClosedFrame { get; private set; }

    /// <summary>Whether it was the client that had closed.</summary>
    public bool IsHalfClosedByClient { get; private set; }

    /// <summary>Takes a frame into account.</summary>
    public void Count(TcpFlags flags, bool isReply, long number, long time)
    {
        bool isRequest = (flags & (TcpFlags.Syn | TcpFlags.Ack)) == TcpFlags.Syn;
        Requests += isRequest && !isReply ? 1 : 0;
        Replies += isReply ? 1 : 0;
        if (!isRequest && !_isEnding && _last != long.MinValue && time - _last > IdleNanoseconds && Replies > 0)
        {
            IdleNanoseconds = time - _last;
            IdleFrame = number;
        }

        CountHalfClosed(flags, isRequest, isReply, number, time);
        _isEnding = !isRequest && (_isEnding || (flags & (TcpFlags.Fin | TcpFlags.Rst)) != 0);
        _last = time;
    }

    private void CountHalfClosed(TcpFlags flags, bool isRequest, bool isReply, long number, long time)
    {
        bool isHalfClosed = _hasClientEnded != _hasServerEnded && !_isReset;
        if (isHalfClosed && !isRequest && time - _last > HalfClosedNanoseconds)
        {
            HalfClosedNanoseconds = time - _last;
            HalfClosedFrame = number;
            IsHalfClosedByClient = _hasClientEnded;
        }

        bool isEnd = (flags & TcpFlags.Fin) != 0;
        _hasClientEnded = !isRequest && (_hasClientEnded || (isEnd && !isReply));
        _hasServerEnded = !isRequest && (_hasServerEnded || (isEnd && isReply));
        _isReset = !isRequest && (_isReset || (flags & TcpFlags.Rst) != 0);
    }
}
