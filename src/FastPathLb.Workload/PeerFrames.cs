using System.Buffers.Binary;
using FastPathLb.Wire;

namespace FastPathLb.Workload;

/// <summary>
/// The frames of the peers' workload (frames.h): Eth/IPv4/UDP 4789/VXLAN 4097 around an inner Ethernet frame. Written and checked
/// here byte by byte, so that what is measured does not also make the measure.
/// </summary>
public static class PeerFrames
{
    /// <summary>Outer Ethernet, IPv4, UDP and VXLAN.</summary>
    public const int EnvelopeBytes = 50;

    /// <summary>Inner Ethernet, IPv4 and TCP headers.</summary>
    public const int InnerHeaderBytes = 54;

    /// <summary>The peers' inner frame.</summary>
    public const int InnerBytes = 64;

    /// <summary>The peers' frame.</summary>
    public const int FrameBytes = EnvelopeBytes + InnerBytes;

    /// <summary>Most flows of the peers' workload: 64 k ports, two servers, 16 service ports. More take more service ports.</summary>
    public const int FlowCountMax = 1 << 20;

    /// <summary>Address of the clients' node.</summary>
    public const uint ClientNode = 0xC0A86401;
    /// <summary>Address of the load balancer's node.</summary>
    public const uint BalancerNode = 0xC0A86402;
    /// <summary>The virtual address that clients call.</summary>
    public const uint VirtualAddress = 0x0A000102;
    /// <summary>The load balancer's own address: what servers see.</summary>
    public const uint BalancerAddress = 0x0A000105;

    private const int Ipv4Bytes = 20;
    private const int InnerIpv4Offset = EnvelopeBytes + 14;
    private const int TransportOffset = InnerIpv4Offset + Ipv4Bytes;
    private const int UdpHeaderBytes = 8;
    private const uint Vni = 4097;

    /// <summary>MAC of the clients' node.</summary>
    public static ReadOnlySpan<byte> ClientNodeMac => [2, 0, 0, 0, 0, 1];

    /// <summary>MAC of the load balancer's node.</summary>
    public static ReadOnlySpan<byte> BalancerNodeMac => [2, 0, 0, 0, 0, 2];

    /// <summary>MAC of all clients.</summary>
    public static ReadOnlySpan<byte> ClientMac => [2, 0x42, 10, 0, 1, 0x10];

    /// <summary>MAC of the load balancer's own interface.</summary>
    public static ReadOnlySpan<byte> BalancerMac => [2, 0x42, 10, 0, 1, 5];

    /// <summary>MAC of a server's node.</summary>
    public static ReadOnlySpan<byte> ServerNodeMac(int server) => server == 0 ? [2, 0, 0, 0, 0, 3] : [2, 0, 0, 0, 0, 4];

    /// <summary>MAC of a server.</summary>
    public static ReadOnlySpan<byte> ServerMac(int server) => server == 0 ? [2, 0x42, 10, 0, 1, 3] : [2, 0x42, 10, 0, 1, 4];

    /// <summary>Address of a server's node.</summary>
    public static uint ServerNode(int server) => 0xC0A86403 + (uint)server;

    /// <summary>Address of a server.</summary>
    public static uint ServerAddress(int server) => 0x0A000103 + (uint)server;

    /// <summary>Address of a flow's client.</summary>
    public static uint ClientAddress(uint flow) => 0x0A000110 + ((flow >> 14) & 3);

    /// <summary>Port of a flow's client.</summary>
    public static ushort ClientPort(uint flow) => (ushort)(0x4000 | (flow & 0x3FFF));

    /// <summary>Port that a flow calls.</summary>
    public static ushort ServicePort(uint flow) => (ushort)(8000 + (flow >> 16));

    /// <summary>A frame of a flow from its client to the virtual address.</summary>
    public static void WriteForward(Span<byte> frame, uint flow, IpProtocol protocol, TcpFlags flags) =>
        Write(
            frame, ClientNodeMac, ClientNode, ClientMac, ClientAddress(flow), VirtualAddress, ClientPort(flow), ServicePort(flow),
            protocol, flags);

    /// <summary>The server's answer in a flow whose client was translated to a port.</summary>
    public static void WriteReply(Span<byte> frame, int server, ushort servicePort, ushort natPort, IpProtocol protocol, TcpFlags flags) =>
        Write(
            frame, ServerNodeMac(server), ServerNode(server), ServerMac(server), ServerAddress(server), BalancerAddress, servicePort,
            natPort, protocol, flags);

    /// <summary>Fills a frame of any length; the outer UDP checksum is 0, as in the peers' workload.</summary>
    public static void Write(
        Span<byte> frame, ReadOnlySpan<byte> outerSource, uint node, ReadOnlySpan<byte> innerSource, uint source, uint destination,
        ushort sourcePort, ushort destinationPort, IpProtocol protocol, TcpFlags flags)
    {
        frame.Clear();
        BalancerNodeMac.CopyTo(frame);
        outerSource.CopyTo(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], 0x0800);
        WriteIpv4(frame.Slice(14, Ipv4Bytes), frame.Length - 14, IpProtocol.Udp, node, BalancerNode);
        Span<byte> udp = frame[34..];
        BinaryPrimitives.WriteUInt16BigEndian(udp, (ushort)(0xC000 | (sourcePort & 0x3FFF)));
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], VxlanHeader.UdpPort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udp.Length);
        BinaryPrimitives.WriteUInt32BigEndian(frame[42..], 0x08000000);
        BinaryPrimitives.WriteUInt32BigEndian(frame[46..], Vni << 8);

        BalancerMac.CopyTo(frame[EnvelopeBytes..]);
        innerSource.CopyTo(frame[(EnvelopeBytes + 6)..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[(EnvelopeBytes + 12)..], 0x0800);
        WriteIpv4(frame.Slice(InnerIpv4Offset, Ipv4Bytes), frame.Length - InnerIpv4Offset, protocol, source, destination);
        Span<byte> transport = frame[TransportOffset..];
        BinaryPrimitives.WriteUInt16BigEndian(transport, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(transport[2..], destinationPort);
        for (int index = 20; index < transport.Length; index++)
        {
            transport[index] = (byte)('a' + ((index - 20) % 26));
        }

        int checksumOffset = 6;
        if (protocol == IpProtocol.Tcp)
        {
            // SYN and ten bytes are eleven numbers.
            BinaryPrimitives.WriteUInt32BigEndian(transport[4..], (flags & TcpFlags.Syn) != 0 ? 1000u : 1011u);
            BinaryPrimitives.WriteUInt32BigEndian(transport[8..], (flags & TcpFlags.Ack) != 0 ? 1011u : 0u);
            transport[12] = 0x50;
            transport[13] = (byte)flags;
            BinaryPrimitives.WriteUInt16BigEndian(transport[14..], 64240);
            checksumOffset = 16;
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(transport[4..], (ushort)transport.Length);
        }

        ushort checksum = (ushort)~Sum(transport, PseudoHeader(frame));
        BinaryPrimitives.WriteUInt16BigEndian(
            transport[checksumOffset..], checksum == 0 && protocol == IpProtocol.Udp ? (ushort)0xFFFF : checksum);
    }

    /// <summary>What is wrong with a frame's checksums, or null.</summary>
    public static string? FindBadChecksum(ReadOnlySpan<byte> frame)
    {
        ushort udpSum = BinaryPrimitives.ReadUInt16BigEndian(frame[40..]);
        if (Sum(frame.Slice(14, Ipv4Bytes), 0) != 0xFFFF)
        {
            return "outer IPv4 checksum";
        }

        if (udpSum != 0 && Sum(frame[34..], Sum(frame.Slice(26, 8), 0) + 17u + (uint)(frame.Length - 34)) != 0xFFFF)
        {
            return "outer UDP checksum";
        }

        if (Sum(frame.Slice(InnerIpv4Offset, Ipv4Bytes), 0) != 0xFFFF)
        {
            return "inner IPv4 checksum";
        }

        bool hasNone = frame[InnerIpv4Offset + 9] == (byte)IpProtocol.Udp
            && BinaryPrimitives.ReadUInt16BigEndian(frame[(TransportOffset + 6)..]) == 0;
        return hasNone || Sum(frame[TransportOffset..], PseudoHeader(frame)) == 0xFFFF ? null : "inner transport checksum";
    }

    /// <summary>The sum of 16-bit words, two bytes at a time.</summary>
    public static ushort Sum(ReadOnlySpan<byte> bytes, uint sum)
    {
        for (int index = 0; index < bytes.Length; index += 2)
        {
            sum += (uint)(bytes[index] << 8);
            sum += index + 1 < bytes.Length ? bytes[index + 1] : 0u;
        }

        while (sum >> 16 != 0)
        {
            sum = (sum & 0xFFFF) + (sum >> 16);
        }

        return (ushort)sum;
    }

    private static uint PseudoHeader(ReadOnlySpan<byte> frame) =>
        Sum(frame.Slice(InnerIpv4Offset + 12, 8), 0) + (uint)frame[InnerIpv4Offset + 9] + (uint)(frame.Length - TransportOffset);

    private static void WriteIpv4(Span<byte> header, int totalLength, IpProtocol protocol, uint source, uint destination)
    {
        header[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)totalLength);
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], 0x4000);
        header[8] = 64;
        header[9] = (byte)protocol;
        BinaryPrimitives.WriteUInt32BigEndian(header[12..], source);
        BinaryPrimitives.WriteUInt32BigEndian(header[16..], destination);
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], (ushort)~Sum(header, 0));
    }
}
