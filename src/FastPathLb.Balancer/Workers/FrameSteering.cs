using System.Buffers.Binary;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Conntrack;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Workers;

/// <summary>
/// Which worker a frame is for, as a card's receive-side scaling chooses a queue, but so that both directions of a translated
/// connection come to one: by the client's port, which the load balancer keeps, or replaces by one of the same worker's.
/// </summary>
/// <remarks>
/// <code>
/// to the address that sources are translated to   a reply: its destination port is the client's
/// to another address of the namespace's own       a request: its source port is
/// to somebody else                                forwarded: both ports and addresses, alike in both directions
/// ICMP error                                      as the packet it quotes, turned round
/// fragment, ARP, no IPv4                          <see cref="Alone"/>: no worker may be busy with what it changes
/// anything, where a service is persistent         the first worker: templates tie connections together
/// </code>
/// A hint, not a rule: a frame that comes to another worker than its connection's is processed alone as well.
/// </remarks>
public sealed class FrameSteering
{
    /// <summary>The frame is processed while all other workers rest.</summary>
    public const int Alone = -1;

    /// <summary>What a port is multiplied by, whose result's upper half then tells the worker: 2^32 divided by the golden ratio.</summary>
    public const uint PortMultiplier = 0x9E3779B1;

    private const int EthernetBytes = 14;
    private const int UdpBytes = 8;
    private const int FragmentBits = 0x3FFF;

    private readonly int _workers;
    private readonly NetworkNamespace _space;
    private readonly Uplink? _uplink;
    private readonly HashSet<uint> _translated = [];
    private long _version = long.MinValue;
    private bool _isWhole;

    /// <summary>Makes the steering of a namespace's frames, at the underlay where an uplink is given.</summary>
    public FrameSteering(int workers, NetworkNamespace space, Uplink? uplink)
    {
        _workers = workers;
        _space = space;
        _uplink = uplink;
        Refresh();
    }

    /// <summary>Whether all frames are the first worker's.</summary>
    public bool IsWhole => _isWhole;

    /// <summary>Addresses that sources are translated to. While all workers rest.</summary>
    public IReadOnlyCollection<uint> TranslatedAddresses => _translated;

    /// <summary>The worker of a client's port, or of an ICMP identifier: clients' ports in use are mixed well first.</summary>
    public static int WorkerOfPort(ushort port, int workers) => (int)((((port * PortMultiplier) >> 16) * (uint)workers) >> 16);

    /// <summary>Looks which addresses sources are translated to. While all workers rest.</summary>
    public void Refresh()
    {
        _isWhole = _space.Ipvs.NeedsWholeTable;
        if (_version == _space.ConfigurationVersion)
        {
            return;
        }

        _version = _space.ConfigurationVersion;
        _translated.Clear();
        foreach (NetworkInterface device in _space.Interfaces)
        {
            _translated.Add(device.PrimaryAddress);
        }

        foreach (RuleChain chain in _space.Translator.Table.Chains.Values)
        {
            foreach (PacketRule rule in chain.Rules)
            {
                if (rule.Target == RuleTarget.SourceNat && rule.NatAddress != 0)
                {
                    _translated.Add(rule.NatAddress);
                }
            }
        }
    }

    /// <summary>The worker of a frame, or <see cref="Alone"/>.</summary>
    public int WorkerOf(ReadOnlySpan<byte> frame) =>
        _isWhole ? 0
        : TryFindPacket(frame, out ReadOnlySpan<byte> packet, out int worker) ? WorkerOfPacket(packet) : worker;

    /// <summary>
    /// Whether a frame may open a connection: a SYN, or a packet of a flow that nobody knows, or whose time is over by then. Rather
    /// once too often: frames that are still under way may prolong the flow. From any thread.
    /// </summary>
    /// <param name="frame">The frame.</param>
    /// <param name="now">Its time, nanoseconds since the Unix epoch.</param>
    public bool MayOpen(ReadOnlySpan<byte> frame, long now)
    {
        if (!TryFindPacket(frame, out ReadOnlySpan<byte> packet, out _) || IsFragment(packet))
        {
            return false;
        }

        IpProtocol protocol = (IpProtocol)packet[Ipv4.ProtocolOffset];
        if (protocol == IpProtocol.Tcp && !_space.Ipvs.Settings.IsSloppyTcp)
        {
            const int FlagsOffset = 13;
            int offset = HeaderBytes(packet) + FlagsOffset;
            TcpFlags flags = offset < packet.Length ? (TcpFlags)packet[offset] : TcpFlags.None;
            if ((flags & (TcpFlags.Syn | TcpFlags.Ack)) != (TcpFlags.Syn | TcpFlags.Ack))
            {
                return (flags & TcpFlags.Syn) != 0;
            }
        }

        return protocol != IpProtocol.Icmp && FlowKeyReader.TryRead(packet, _space.Number, out FlowKey key) && !IsKnown(key, now);
    }

    /// <summary>
    /// Whether a flow lives, as far as can be seen from outside: another thread may write the times, or give the record back; then the
    /// answer is a moment old, and a connection is opened out of turn.
    /// </summary>
    private bool IsKnown(FlowKey key, long now)
    {
        if (!_space.Connections.TryFind(key, out int number, out _))
        {
            return false;
        }

        ref Connection connection = ref _space.Connections[number];
        return Volatile.Read(ref connection.IpvsExpires) > now && Volatile.Read(ref connection.TrackExpires) > now;
    }

    /// <summary>Finds the IPv4 packet that connections are about.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="packet">The packet, its header whole.</param>
    /// <param name="worker">Where there is none: who takes the frame.</param>
    private bool TryFindPacket(ReadOnlySpan<byte> frame, out ReadOnlySpan<byte> packet, out int worker)
    {
        packet = default;
        worker = Alone;
        if (frame.Length < EthernetBytes + Ipv4.HeaderLengthMinimum || !IsIpv4(frame))
        {
            return false;
        }

        packet = frame[EthernetBytes..];
        if (_uplink is null)
        {
            return true;
        }

        if (IsFragment(packet))
        {
            return false;
        }

        int header = HeaderBytes(packet);
        int inner = header + UdpBytes + Uplink.VxlanBytes;
        if (packet[Ipv4.ProtocolOffset] != (byte)IpProtocol.Udp || packet.Length < inner + EthernetBytes + Ipv4.HeaderLengthMinimum
            || BinaryPrimitives.ReadUInt16BigEndian(packet[(header + 2)..]) != _uplink.Port)
        {
            // The node's own, which has no connections here.
            worker = 0;
            return false;
        }

        bool isIpv4 = IsIpv4(packet[inner..]);
        packet = packet[(inner + EthernetBytes)..];
        return isIpv4;
    }

    private static bool IsIpv4(ReadOnlySpan<byte> frame) => frame[12] == 8 && frame[13] == 0;

    private static bool IsFragment(ReadOnlySpan<byte> packet) =>
        (BinaryPrimitives.ReadUInt16BigEndian(packet[Ipv4.FragmentOffset..]) & FragmentBits) != 0;

    private static int HeaderBytes(ReadOnlySpan<byte> packet) => Math.Max((packet[0] & 15) * 4, Ipv4.HeaderLengthMinimum);

    private int WorkerOfPacket(ReadOnlySpan<byte> packet)
    {
        if (IsFragment(packet))
        {
            return Alone;
        }

        int header = HeaderBytes(packet);
        IpProtocol protocol = (IpProtocol)packet[Ipv4.ProtocolOffset];
        if (protocol != IpProtocol.Icmp)
        {
            return WorkerOfFlow(packet, header, protocol, isQuoted: false);
        }

        ReadOnlySpan<byte> message = packet[Math.Min(header, packet.Length)..];
        if (message.Length < Icmp.HeaderBytes)
        {
            return 0;
        }

        if (!Icmp.IsError((IcmpType)message[0]))
        {
            return WorkerOfPort(BinaryPrimitives.ReadUInt16BigEndian(message[4..]), _workers);
        }

        ReadOnlySpan<byte> quoted = message[Icmp.HeaderBytes..];
        if (quoted.Length < Ipv4.HeaderLengthMinimum || IsFragment(quoted))
        {
            return Alone;
        }

        header = HeaderBytes(quoted);
        protocol = (IpProtocol)quoted[Ipv4.ProtocolOffset];
        return protocol != IpProtocol.Icmp ? WorkerOfFlow(quoted, header, protocol, isQuoted: true)
            : quoted.Length < header + Icmp.HeaderBytes ? 0
            : WorkerOfPort(BinaryPrimitives.ReadUInt16BigEndian(quoted[(header + 4)..]), _workers);
    }

    private int WorkerOfFlow(ReadOnlySpan<byte> packet, int header, IpProtocol protocol, bool isQuoted)
    {
        if (protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp or IpProtocol.UdpLite) || packet.Length < header + 4)
        {
            return 0;
        }

        ushort sourcePort = BinaryPrimitives.ReadUInt16BigEndian(packet[header..]);
        ushort destinationPort = BinaryPrimitives.ReadUInt16BigEndian(packet[(header + 2)..]);
        uint source = BinaryPrimitives.ReadUInt32BigEndian(packet[Ipv4.SourceOffset..]);
        uint destination = BinaryPrimitives.ReadUInt32BigEndian(packet[Ipv4.DestinationOffset..]);
        if (isQuoted)
        {
            (sourcePort, destinationPort) = (destinationPort, sourcePort);
            (source, destination) = (destination, source);
        }

        if (_translated.Contains(destination))
        {
            return WorkerOfPort(destinationPort, _workers);
        }

        if (_space.IsLocalAddress(destination))
        {
            return WorkerOfPort(sourcePort, _workers);
        }

        uint both = (source ^ destination) * 0x85EBCA6Bu;
        return WorkerOfPort((ushort)(sourcePort ^ destinationPort ^ (both >> 16)), _workers);
    }
}
