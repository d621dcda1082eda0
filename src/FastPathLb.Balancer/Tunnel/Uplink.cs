using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FastPathLb.Balancer.Stack;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tunnel;

/// <summary>
/// The node's interface on the underlay: takes VXLAN apart on the way in (udp_queue_rcv, vxlan_rcv) and puts it together on the
/// way out (vxlan_xmit_one). Owned by one worker.
/// </summary>
/// <remarks>
/// <code>
/// | Ethernet 14 | IPv4 20 | UDP 8 | VXLAN 8 | inner Ethernet ...
/// </code>
/// </remarks>
public sealed class Uplink
{
    /// <summary>Bytes in front of the inner frame, outer Ethernet header included.</summary>
    public const int EnvelopeBytes = 50;

    private const int EthernetBytes = 14;
    private const int UdpBytes = 8;
    internal const int VxlanBytes = 8;
    private const byte VniFlag = 0x08;
    private const byte EcnMask = 3;
    private const byte EcnCongestion = 3;
    private const byte EcnCapable0 = 2;
    private const byte EcnCapable1 = 1;

    private readonly NeighborTable _neighbors = new();
    private readonly Dictionary<uint, OverlayNetwork> _networks = [];
    private readonly UplinkArp _arp;
    private ushort _identification;

    /// <summary>Makes an uplink.</summary>
    /// <param name="mac">The interface's hardware address.</param>
    /// <param name="address">The node's address, its VTEP.</param>
    /// <param name="port">UDP port of VXLAN, 4789 unless the swarm has its own.</param>
    public Uplink(MacAddress mac, uint address, ushort port)
    {
        Mac = mac;
        Address = address;
        Port = port;
        _arp = new UplinkArp(this);
    }

    /// <summary>Hardware address.</summary>
    public MacAddress Mac { get; }

    /// <summary>Address.</summary>
    public uint Address { get; }

    /// <summary>UDP port of VXLAN.</summary>
    public ushort Port { get; }

    /// <summary>Lowest outer source port.</summary>
    public ushort SourcePortLow { get; set; } = 32768;

    /// <summary>Highest outer source port.</summary>
    public ushort SourcePortHigh { get; set; } = 60999;

    /// <summary>Whether outer UDP checksums are computed.</summary>
    public bool ComputesChecksums { get; set; } = true;

    /// <summary>
    /// Whether the node itself speaks ARP on the underlay: answers for its address and asks for next hops. Off in a replay, where the
    /// recording's node did.
    /// </summary>
    public bool SpeaksArp { get; set; }

    /// <summary>Next hops on the underlay: VTEP, or the gateway towards it, → MAC. What is unknown is learned from frames that come in.</summary>
    public NeighborTable Neighbors => _neighbors;

    /// <summary>Next hop of VTEPs that are not on the link, or 0.</summary>
    public uint Gateway { get; set; }

    /// <summary>The underlay's prefix, to tell VTEPs on the link.</summary>
    public Ipv4Prefix Link { get; set; }

    /// <summary>The network of an interface, or null.</summary>
    internal OverlayNetwork? NetworkOf(NetworkInterface device)
    {
        foreach (OverlayNetwork network in _networks.Values)
        {
            if (ReferenceEquals(network.Device, device))
            {
                return network;
            }
        }

        return null;
    }

    /// <summary>Adds a network by its VNI.</summary>
    public void Add(OverlayNetwork network) => _networks.Add(network.Vni, network);

    /// <summary>Whether the node itself sent a frame: a recording of both directions has those too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsOwn(ReadOnlySpan<byte> frame) =>
        frame.Length >= EthernetBytes + Ipv4.HeaderLengthMinimum
        && BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) == (ushort)EtherType.Ipv4
            ? BinaryPrimitives.ReadUInt32BigEndian(frame[(EthernetBytes + Ipv4.SourceOffset)..]) == Address
            : frame.Length >= EthernetBytes && MacAddress.Read(frame[6..]) == Mac;

    /// <summary>Asks for the MAC of a VTEP's next hop, whether it is known or not; at most once a second.</summary>
    public void Ask(uint vtep, FrameBatch batch, long now) => _arp.Ask(NextHopOf(vtep), batch, -1, now);

    /// <summary>Whether ARP about the node's own address is learned from without an answer.</summary>
    internal bool IsMute
    {
        get => _arp.IsMute;
        set => _arp.IsMute = value;
    }

    /// <summary>Lets neighbours age from now on, as on a live network.</summary>
    /// <param name="seed">What reachable times are drawn by.</param>
    public void AgeNeighbors(ulong seed) => _neighbors.Aging = new NeighborAging(_neighbors, _arp.Probe, seed);

    /// <summary>Takes a frame from the wire.</summary>
    internal Outcome Receive(
        FrameBatch batch, int offset, int capturedBytes, int wireBytes, int inputIndex, long now, out int connection)
    {
        connection = -1;
        if (capturedBytes < EthernetBytes)
        {
            return Outcome.Dropped(DropReason.FrameTooShort);
        }

        Span<byte> frame = batch.Slice(offset, capturedBytes);
        MacAddress destination = MacAddress.Read(frame);
        if (destination != Mac && !destination.IsBroadcast && !destination.IsMulticast)
        {
            return Outcome.Dropped(DropReason.OuterNotForNode);
        }

        switch ((EtherType)BinaryPrimitives.ReadUInt16BigEndian(frame[12..]))
        {
            case EtherType.Ipv4:
                break;
            case EtherType.Arp when SpeaksArp:
                return _arp.Receive(batch, offset, capturedBytes, inputIndex, now);
            case EtherType.Ipv6:
                return Outcome.Dropped(DropReason.OuterIpv6Unserved);
            case EtherType.Vlan or EtherType.QinQ:
                return Outcome.Dropped(DropReason.VlanTagged);
            default:
                return Outcome.Dropped(DropReason.OuterNotVxlan);
        }

        DropReason invalid = Open(
            frame[EthernetBytes..], wireBytes - EthernetBytes, out int innerOffset, out int innerWireBytes, out OverlayNetwork? network);
        if (invalid != DropReason.None)
        {
            return Outcome.Dropped(invalid);
        }

        Span<byte> outer = frame[EthernetBytes..];
        uint vtep = BinaryPrimitives.ReadUInt32BigEndian(outer[Ipv4.SourceOffset..]);
        if (!IsKnown(vtep))
        {
            _neighbors.Learn(vtep, MacAddress.Read(frame[6..]), isAnswer: false, now);
        }

        int inner = EthernetBytes + innerOffset;
        int innerCaptured = Math.Min(capturedBytes - inner, innerWireBytes);
        return network!.ReceiveFromTunnel(
            batch, offset + inner, innerCaptured, innerWireBytes, vtep, (byte)(outer[1] & EcnMask), inputIndex, now, out connection);
    }

    /// <summary>Sends an inner frame to a VTEP.</summary>
    internal DropReason Send(
        FrameBatch batch, int offset, int lengthBytes, uint vni, uint vtep, int inputIndex, long now)
    {
        uint nextHop = NextHopOf(vtep);
        if (!_neighbors.TryGet(nextHop, out MacAddress mac))
        {
            if (SpeaksArp)
            {
                _arp.Ask(nextHop, batch, inputIndex, now);
            }

            return DropReason.NeighborUnresolved;
        }

        Span<byte> inner = batch.Slice(offset, lengthBytes);
        Span<byte> envelope = batch.Slice(offset - EnvelopeBytes, EnvelopeBytes);
        mac.WriteTo(envelope);
        Mac.WriteTo(envelope[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(envelope[12..], (ushort)EtherType.Ipv4);

        int wireBytes = LinkInput.WireLength(inner);
        int udpLength = UdpBytes + VxlanBytes + wireBytes;
        Span<byte> ipv4 = envelope[EthernetBytes..];
        IcmpErrors.WriteHeader(
            ipv4, OuterEcn(inner), (ushort)Math.Min(Ipv4.HeaderLengthMinimum + udpLength, ushort.MaxValue), NextIdentification(),
            IpProtocol.Udp, Address, vtep);

        Span<byte> udp = ipv4[Ipv4.HeaderLengthMinimum..];
        BinaryPrimitives.WriteUInt16BigEndian(udp, SourcePort(inner));
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], Port);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)Math.Min(udpLength, ushort.MaxValue));
        BinaryPrimitives.WriteUInt16BigEndian(udp[6..], 0);
        Span<byte> vxlan = udp[UdpBytes..];
        BinaryPrimitives.WriteUInt32BigEndian(vxlan, (uint)VniFlag << 24);
        BinaryPrimitives.WriteUInt32BigEndian(vxlan[4..], vni << 8);
        if (ComputesChecksums)
        {
            WriteChecksum(batch.Slice(offset - EnvelopeBytes + EthernetBytes, EnvelopeBytes - EthernetBytes + lengthBytes));
        }

        batch.Emit(
            offset - EnvelopeBytes, EnvelopeBytes + lengthBytes, now, inputIndex, wireLengthBytes: EnvelopeBytes + wireBytes);
        return DropReason.None;
    }

    /// <summary>Computes the UDP checksum of an outer packet, which is 0 so far.</summary>
    /// <param name="packet">From the outer IPv4 header on.</param>
    internal static void WriteChecksum(Span<byte> packet)
    {
        Span<byte> udp = packet[Ipv4.HeaderLengthMinimum..];
        uint sum = InternetChecksum.PseudoHeaderSum(
            Ipv4Address.Read(packet[Ipv4.SourceOffset..]), Ipv4Address.Read(packet[Ipv4.DestinationOffset..]), IpProtocol.Udp,
            BinaryPrimitives.ReadUInt16BigEndian(packet[Ipv4.TotalLengthOffset..]) - Ipv4.HeaderLengthMinimum);
        ushort checksum = InternetChecksum.Finish(InternetChecksum.Sum(udp, sum));
        BinaryPrimitives.WriteUInt16BigEndian(udp[6..], checksum == 0 ? (ushort)0xFFFF : checksum);
    }

    private uint NextHopOf(uint vtep) => Gateway != 0 && !Link.Contains(new Ipv4Address(vtep)) ? Gateway : vtep;

    private DropReason Open(
        ReadOnlySpan<byte> packet, int wireBytes, out int innerOffset, out int innerWireBytes, out OverlayNetwork? network)
    {
        innerOffset = 0;
        innerWireBytes = 0;
        network = null;
        if (packet.Length < Ipv4.HeaderLengthMinimum || packet[0] >> 4 != 4)
        {
            return DropReason.OuterIpv4Malformed;
        }

        int header = (packet[0] & 15) * 4;
        int total = BinaryPrimitives.ReadUInt16BigEndian(packet[Ipv4.TotalLengthOffset..]);
        if (header < Ipv4.HeaderLengthMinimum || packet.Length < header)
        {
            return DropReason.OuterIpv4Malformed;
        }

        if (InternetChecksum.Compute(packet[..header]) != 0)
        {
            return DropReason.OuterIpv4ChecksumWrong;
        }

        if (total < header || total > wireBytes)
        {
            return DropReason.OuterIpv4Malformed;
        }

        if (BinaryPrimitives.ReadUInt32BigEndian(packet[Ipv4.DestinationOffset..]) != Address)
        {
            return DropReason.OuterNotForNode;
        }

        if ((BinaryPrimitives.ReadUInt16BigEndian(packet[Ipv4.FragmentOffset..]) & 0x3FFF) != 0)
        {
            return DropReason.OuterFragment;
        }

        if ((IpProtocol)packet[Ipv4.ProtocolOffset] != IpProtocol.Udp)
        {
            return DropReason.OuterNotVxlan;
        }

        return OpenUdp(packet, header, total, out innerOffset, out innerWireBytes, out network);
    }

    private DropReason OpenUdp(
        ReadOnlySpan<byte> packet, int header, int total, out int innerOffset, out int innerWireBytes, out OverlayNetwork? network)
    {
        innerOffset = header + UdpBytes + VxlanBytes;
        innerWireBytes = 0;
        network = null;
        ReadOnlySpan<byte> udp = packet[header..];
        int available = total - header;
        if (udp.Length < UdpBytes || available < UdpBytes)
        {
            return DropReason.OuterUdpMalformed;
        }

        if (BinaryPrimitives.ReadUInt16BigEndian(udp[2..]) != Port)
        {
            return DropReason.OuterNotVxlan;
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(udp[4..]);
        if (length < UdpBytes || length > available)
        {
            return DropReason.OuterUdpMalformed;
        }

        if (BinaryPrimitives.ReadUInt16BigEndian(udp[6..]) != 0 && udp.Length >= length && !IsSumRight(packet, udp[..length]))
        {
            return DropReason.OuterUdpChecksumWrong;
        }

        if (length < UdpBytes + VxlanBytes || udp.Length < UdpBytes + VxlanBytes)
        {
            return DropReason.VxlanInnerTooShort;
        }

        ulong vxlan = BinaryPrimitives.ReadUInt64BigEndian(udp[UdpBytes..]);
        const ulong Flag = (ulong)VniFlag << 56;
        const ulong VniMask = 0xFFFFFF00;
        if ((vxlan & Flag) == 0)
        {
            return DropReason.VxlanFlagsInvalid;
        }

        if (!_networks.TryGetValue((uint)(vxlan & VniMask) >> 8, out network))
        {
            return DropReason.VxlanUnknownVni;
        }

        if ((vxlan & ~(Flag | VniMask)) != 0)
        {
            return DropReason.VxlanReservedBitsSet;
        }

        innerWireBytes = length - UdpBytes - VxlanBytes;
        return innerWireBytes < EthernetBytes ? DropReason.VxlanInnerTooShort : DropReason.None;
    }

    internal static bool IsSumRight(ReadOnlySpan<byte> packet, ReadOnlySpan<byte> udp) => IsSumRight(packet, udp, out _);

    /// <summary>Whether an outer UDP checksum is right, or still to be finished.</summary>
    internal static bool IsSumRight(ReadOnlySpan<byte> packet, ReadOnlySpan<byte> udp, out bool isFinished)
    {
        uint pseudo = InternetChecksum.PseudoHeaderSum(
            Ipv4Address.Read(packet[Ipv4.SourceOffset..]), Ipv4Address.Read(packet[Ipv4.DestinationOffset..]), IpProtocol.Udp,
            udp.Length);
        ushort field = BinaryPrimitives.ReadUInt16BigEndian(udp[6..]);
        isFinished = InternetChecksum.Finish(InternetChecksum.Sum(udp, pseudo)) == 0;

        // Unfinished in the sending node's own capture: its network card did that.
        return isFinished || field == InternetChecksum.Fold(pseudo);
    }

    /// <summary>The inner packet's ECN, but for CE, which becomes ECT(0) (INET_ECN_encapsulate).</summary>
    private static byte OuterEcn(ReadOnlySpan<byte> inner)
    {
        if (inner.Length < EthernetBytes + 2 || BinaryPrimitives.ReadUInt16BigEndian(inner[12..]) != (ushort)EtherType.Ipv4)
        {
            return 0;
        }

        return (byte)OuterEcn(inner[EthernetBytes + 1]);
    }

    /// <summary>The ECN of an outer packet around one with this type of service.</summary>
    internal static uint OuterEcn(uint typeOfService) => OuterEcn(Vector256.CreateScalar(typeOfService)).ToScalar();

    /// <summary>
    /// The ECN of outer packets around eight with these types of service: of CE's two bits the upper one, which is ECT(0). Bits above those
    /// two do not matter.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<uint> OuterEcn(Vector256<uint> typesOfService)
    {
        Vector256<uint> ecn = typesOfService & Vector256.Create((uint)EcnMask);
        return ecn & ~(ecn >>> 1);
    }

    /// <summary>Merges the outer ECN into the inner packet (INET_ECN_decapsulate).</summary>
    /// <returns><see langword="false"/> where congestion was marked on a packet that cannot carry it.</returns>
    internal static bool TryMergeEcn(Span<byte> inner, byte outer)
    {
        if (outer == 0 || inner.Length < EthernetBytes + Ipv4.HeaderLengthMinimum
            || BinaryPrimitives.ReadUInt16BigEndian(inner[12..]) != (ushort)EtherType.Ipv4)
        {
            return true;
        }

        Span<byte> header = inner[EthernetBytes..];
        byte ecn = (byte)(header[1] & EcnMask);
        if (ecn == 0)
        {
            return outer != EcnCongestion;
        }

        byte merged = outer == EcnCongestion ? EcnCongestion : outer == EcnCapable1 && ecn == EcnCapable0 ? EcnCapable1 : ecn;
        if (merged != ecn)
        {
            ChecksumDelta delta = default;
            ushort old = BinaryPrimitives.ReadUInt16BigEndian(header);
            header[1] = (byte)((header[1] & ~EcnMask) | merged);
            delta.Replace(old, BinaryPrimitives.ReadUInt16BigEndian(header));
            ushort checksum = BinaryPrimitives.ReadUInt16BigEndian(header[Ipv4.ChecksumOffset..]);
            BinaryPrimitives.WriteUInt16BigEndian(header[Ipv4.ChecksumOffset..], delta.ApplyTo(checksum));
        }

        return true;
    }

    /// <summary>
    /// Spreads flows over source ports, so that underlay paths and receive queues differ (udp_flow_src_port). The kernel's hash is
    /// seeded at boot; ours is the same in every run.
    /// </summary>
    private ushort SourcePort(ReadOnlySpan<byte> inner)
    {
        if (inner.Length < EthernetBytes + Ipv4.HeaderLengthMinimum + 4
            || BinaryPrimitives.ReadUInt16BigEndian(inner[12..]) != (ushort)EtherType.Ipv4)
        {
            return ScalePort(MacAddress.Read(inner).Value * 0x9E3779B97F4A7C15);
        }

        ReadOnlySpan<byte> packet = inner[EthernetBytes..];
        int header = (packet[0] & 15) * 4;
        uint ports = packet.Length >= header + 4 && (packet[6] & 0x3F) == 0 && packet[7] == 0
            ? MemoryMarshal.Read<uint>(packet[header..]) : 0;
        Vector256<uint> sourcePorts = SourcePorts(
            Vector256.CreateScalar(MemoryMarshal.Read<uint>(packet[Ipv4.SourceOffset..])),
            Vector256.CreateScalar(MemoryMarshal.Read<uint>(packet[Ipv4.DestinationOffset..])),
            Vector256.CreateScalar(ports), Vector256.CreateScalar((uint)packet[Ipv4.ProtocolOffset]));
        return (ushort)sourcePorts.ToScalar();
    }

    /// <summary>The same for flows of eight packets: a hash of 32 bits, scaled to the range. Chance decides in the kernel.</summary>
    /// <param name="sources">Source addresses, as they lie on the wire.</param>
    /// <param name="destinations">Destination addresses, as they lie on the wire.</param>
    /// <param name="ports">Ports, as they lie on the wire.</param>
    /// <param name="protocols">IP protocols.</param>
    /// <returns>Ports, as numbers.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Vector256<uint> SourcePorts(
        Vector256<uint> sources, Vector256<uint> destinations, Vector256<uint> ports, Vector256<uint> protocols)
    {
        Vector256<uint> hash = (sources * 0x9E3779B1u) + (destinations * 0x85EBCA77u) + ((ports + protocols) * 0xC2B2AE3Du);
        hash = (hash ^ (hash >>> 15)) * 0x27D4EB2Fu;
        hash ^= hash >>> 13;
        return Vector256.Create((uint)SourcePortLow) + (((hash >>> 16) * (uint)(SourcePortHigh - SourcePortLow)) >>> 16);
    }

    private ushort ScalePort(ulong hash)
    {
        uint range = (uint)(SourcePortHigh - SourcePortLow);
        return (ushort)(SourcePortLow + (uint)(((hash >> 32) * range) >> 32));
    }

    /// <summary>The identification of the next outer packet.</summary>
    internal ushort NextIdentification() => ++_identification;

    /// <summary>Takes the identifications of the next outer packets.</summary>
    /// <returns>That before the first.</returns>
    internal ushort TakeIdentifications(int count)
    {
        ushort before = _identification;
        _identification += (ushort)count;
        return before;
    }

    /// <summary>Whether a frame from a VTEP teaches nothing about the underlay that is not known.</summary>
    internal bool IsKnown(uint vtep) => _neighbors.Entries.TryGetValue(vtep, out _) || !Link.Contains(new Ipv4Address(vtep));
}
