using System.Buffers.Binary;
using FastPathLb.Wire;

namespace FastPathLb.TestKit;

/// <summary>
/// A frame in words: everything has a value, <c>with</c> changes one, <see cref="Build"/> gives the bytes. All checksums are computed
/// from nothing, so a frame built as expectation checks what the data path carried along.
/// </summary>
public sealed record PacketBuilder
{
    private const int EthernetBytes = 14;
    private const int VlanBytes = 4;

    /// <summary>Destination MAC address.</summary>
    public MacAddress DestinationMac { get; init; }

    /// <summary>Source MAC address.</summary>
    public MacAddress SourceMac { get; init; }

    /// <summary>What the frame says it carries.</summary>
    public EtherType EtherType { get; init; } = EtherType.Ipv4;

    /// <summary>802.1Q tag control words, the outermost first.</summary>
    public IReadOnlyList<ushort> VlanTags { get; init; } = [];

    /// <summary>Source address and port.</summary>
    public Endpoint Source { get; init; }

    /// <summary>Destination address and port.</summary>
    public Endpoint Destination { get; init; }

    /// <summary>What the packet carries.</summary>
    public IpProtocol Protocol { get; init; }

    /// <summary>DSCP and ECN.</summary>
    public byte TypeOfService { get; init; }

    /// <summary>Hops that are left.</summary>
    public byte TimeToLive { get; init; } = 64;

    /// <summary>IPv4 identification.</summary>
    public ushort Identification { get; init; } = 0x1234;

    /// <summary>The DF bit.</summary>
    public bool DontFragment { get; init; } = true;

    /// <summary>The MF bit.</summary>
    public bool MoreFragments { get; init; }

    /// <summary>Place in the whole datagram, in bytes.</summary>
    public int FragmentOffsetBytes { get; init; }

    /// <summary>IPv4 options.</summary>
    public ReadOnlyMemory<byte> Ipv4Options { get; init; }

    /// <summary>TCP sequence number.</summary>
    public uint Sequence { get; init; }

    /// <summary>TCP acknowledgement number.</summary>
    public uint Acknowledgement { get; init; }

    /// <summary>TCP flags.</summary>
    public TcpFlags Flags { get; init; }

    /// <summary>TCP window.</summary>
    public ushort Window { get; init; } = 64240;

    /// <summary>TCP options, a multiple of 4 bytes.</summary>
    public ReadOnlyMemory<byte> TcpOptions { get; init; }

    /// <summary>ICMP type.</summary>
    public IcmpType IcmpType { get; init; }

    /// <summary>ICMP code.</summary>
    public byte IcmpCode { get; init; }

    /// <summary>The last four bytes of an ICMP header.</summary>
    public uint IcmpRest { get; init; }

    /// <summary>What the transport header carries; what follows the IPv4 header where the protocol has no ports.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Whether the payload follows the IPv4 header as it is, whatever the protocol: fragments, broken packets.</summary>
    public bool IsRawPayload { get; init; }

    /// <summary>Bytes after the packet: the link's padding.</summary>
    public ReadOnlyMemory<byte> Trailer { get; init; }

    /// <summary>What the transport checksum is.</summary>
    public ChecksumKind Checksum { get; init; }

    /// <summary>How far a wrong checksum is off.</summary>
    public ushort ChecksumError { get; init; } = 1;

    /// <summary>A TCP segment.</summary>
    public static PacketBuilder Tcp(Endpoint source, Endpoint destination, TcpFlags flags, uint sequence = 0, uint acknowledgement = 0) =>
        Between(source, destination) with
        {
            Protocol = IpProtocol.Tcp,
            Flags = flags,
            Sequence = sequence,
            Acknowledgement = acknowledgement,
        };

    /// <summary>A UDP datagram.</summary>
    public static PacketBuilder Udp(Endpoint source, Endpoint destination, ReadOnlyMemory<byte> payload = default) =>
        Between(source, destination) with { Protocol = IpProtocol.Udp, Payload = payload };

    /// <summary>An ICMP message.</summary>
    public static PacketBuilder Icmp(
        Endpoint source, Endpoint destination, IcmpType type, byte code = 0, uint rest = 0, ReadOnlyMemory<byte> payload = default) =>
        Between(source, destination) with
        {
            Protocol = IpProtocol.Icmp,
            IcmpType = type,
            IcmpCode = code,
            IcmpRest = rest,
            Payload = payload,
        };

    /// <summary>A packet of any protocol: what follows the IPv4 header as it is.</summary>
    public static PacketBuilder Other(Endpoint source, Endpoint destination, IpProtocol protocol, ReadOnlyMemory<byte> payload) =>
        Between(source, destination) with { Protocol = protocol, Payload = payload, IsRawPayload = true };

    /// <summary>An ARP packet in a frame of its sender's.</summary>
    public static byte[] Arp(MacAddress destinationMac, in ArpFields fields)
    {
        byte[] frame = new byte[EthernetBytes + fields.LengthBytes];
        new EthernetFields(destinationMac, fields.SenderMac, EtherType.Arp).WriteTo(frame);
        fields.WriteTo(frame.AsSpan(EthernetBytes));
        return frame;
    }

    /// <summary>A frame that carries something else.</summary>
    public static byte[] Raw(MacAddress destinationMac, MacAddress sourceMac, EtherType etherType, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[EthernetBytes + payload.Length];
        new EthernetFields(destinationMac, sourceMac, etherType).WriteTo(frame);
        payload.CopyTo(frame.AsSpan(EthernetBytes));
        return frame;
    }

    /// <summary>The packet without its Ethernet header: what an ICMP error quotes.</summary>
    public byte[] BuildPacket()
    {
        int header = TransportHeaderBytes;
        Ipv4Fields ipv4 = new()
        {
            TypeOfService = TypeOfService,
            PayloadLengthBytes = header + Payload.Length,
            Identification = Identification,
            DontFragment = DontFragment,
            MoreFragments = MoreFragments,
            FragmentOffsetBytes = FragmentOffsetBytes,
            TimeToLive = TimeToLive,
            Protocol = Protocol,
            Source = Source.Address,
            Destination = Destination.Address,
            Options = Ipv4Options,
        };
        byte[] packet = new byte[ipv4.LengthBytes + header + Payload.Length];
        ipv4.WriteTo(packet);
        WriteTransport(packet.AsSpan(ipv4.LengthBytes), header);
        return packet;
    }

    /// <summary>The whole frame.</summary>
    public byte[] Build()
    {
        byte[] packet = BuildPacket();
        int link = EthernetBytes + (VlanTags.Count * VlanBytes);
        byte[] frame = new byte[link + packet.Length + Trailer.Length];
        new EthernetFields(DestinationMac, SourceMac, VlanTags.Count > 0 ? EtherType.Vlan : EtherType).WriteTo(frame);
        for (int index = 0; index < VlanTags.Count; index++)
        {
            Span<byte> tag = frame.AsSpan(EthernetBytes + (index * VlanBytes));
            BinaryPrimitives.WriteUInt16BigEndian(tag, VlanTags[index]);
            bool isLast = index == VlanTags.Count - 1;
            BinaryPrimitives.WriteUInt16BigEndian(tag[2..], (ushort)(isLast ? EtherType : EtherType.Vlan));
        }

        packet.CopyTo(frame.AsSpan(link));
        Trailer.Span.CopyTo(frame.AsSpan(link + packet.Length));
        return frame;
    }

    private static PacketBuilder Between(Endpoint source, Endpoint destination) => new()
    {
        Source = source,
        Destination = destination,
        SourceMac = MacAddress.FromDocker(source.Address),
        DestinationMac = MacAddress.FromDocker(destination.Address),
    };

    private int TransportHeaderBytes => IsRawPayload || FragmentOffsetBytes > 0 ? 0 : Protocol switch
    {
        IpProtocol.Tcp => TcpHeader.MinimumLengthBytes + TcpOptions.Length,
        IpProtocol.Udp => UdpHeader.MinimumLengthBytes,
        IpProtocol.Icmp => IcmpHeader.MinimumLengthBytes,
        _ => 0,
    };

    private void WriteTransport(Span<byte> transport, int header)
    {
        Payload.Span.CopyTo(transport[header..]);
        if (header == 0 || IsRawPayload)
        {
            return;
        }

        switch (Protocol)
        {
            case IpProtocol.Tcp:
                new TcpFields
                {
                    SourcePort = Source.Port,
                    DestinationPort = Destination.Port,
                    SequenceNumber = Sequence,
                    AcknowledgmentNumber = Acknowledgement,
                    Flags = Flags,
                    Window = Window,
                    Options = TcpOptions,
                }.WriteTo(transport);
                WriteChecksum(transport, TcpHeader.ChecksumOffset, PseudoSum(transport.Length));
                break;
            case IpProtocol.Udp:
                new UdpFields { SourcePort = Source.Port, DestinationPort = Destination.Port, PayloadLengthBytes = Payload.Length }
                    .WriteTo(transport);
                WriteChecksum(transport, UdpHeader.ChecksumOffset, PseudoSum(transport.Length));
                break;
            default:
                new IcmpFields { Type = IcmpType, Code = IcmpCode, RestOfHeader = IcmpRest }.WriteTo(transport);
                WriteChecksum(transport, IcmpHeader.ChecksumOffset, 0);
                break;
        }
    }

    private uint PseudoSum(int lengthBytes) =>
        InternetChecksum.PseudoHeaderSum(Source.Address, Destination.Address, Protocol, lengthBytes);

    private void WriteChecksum(Span<byte> transport, int offset, uint pseudo)
    {
        ushort right = InternetChecksum.Finish(InternetChecksum.Sum(transport, pseudo));
        ushort value = Checksum switch
        {
            ChecksumKind.Zero => 0,
            ChecksumKind.Partial => InternetChecksum.Fold(pseudo),
            ChecksumKind.Wrong => InternetChecksum.Fold((uint)right + ChecksumError),
            _ => right == 0 && Protocol == IpProtocol.Udp ? ushort.MaxValue : right,
        };
        BinaryPrimitives.WriteUInt16BigEndian(transport[offset..], value);
    }
}
