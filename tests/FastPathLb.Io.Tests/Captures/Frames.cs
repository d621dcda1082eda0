using System.Buffers.Binary;

namespace FastPathLb.Io.Tests.Captures;

/// <summary>Frames of a client that asks a Swarm VIP, as node 1 of the recordings gets them: bytes of our own for odd captures.</summary>
internal static class Frames
{
    public const string Node1Mac = "02fc00000001";
    public const string Node2Mac = "02fc00000002";
    public const string ClientMac = "02420a000108";
    public const string BalancerMac = "02420a000105";
    public const string Node1 = "ac13b10e";
    public const string Node2 = "ac13bc7b";
    public const string Client = "0a000108";
    public const string Vip = "0a000102";

    private const int Vni = 4097;

    /// <summary>10.0.1.8 to 10.0.1.2:80, SYN; the whole frame on the overlay.</summary>
    public static byte[] Syn(ushort sourcePort = 40_000) =>
        Ethernet(BalancerMac, ClientMac, 0x0800, SynPacket(sourcePort));

    /// <summary>The same from its IPv4 header on.</summary>
    public static byte[] SynPacket(ushort sourcePort = 40_000) => Ipv4(Client, Vip, 6, Tcp(Client, Vip, sourcePort, 80, 0x02, []));

    /// <summary>Who has 10.0.1.5, from its operation's header on.</summary>
    public static byte[] ArpRequest() =>
        Convert.FromHexString("0001080006040001" + ClientMac + Client + "000000000000" + "0a000105");

    /// <summary>A frame of the overlay in VXLAN, node 2 to node 1.</summary>
    public static byte[] Vxlan(byte[] inner, uint firstWord = 0x0800_0000, uint secondWord = Vni << 8, int targetPort = 4789) =>
        Ethernet(
            Node1Mac,
            Node2Mac,
            0x0800,
            Ipv4(Node2, Node1, 17, Udp(50_000, targetPort, [.. Words(firstWord, secondWord), .. inner])));

    /// <summary>One frame of more than 64 KiB, as BIG TCP hands it to a veth: every length field that is too small for it is 0.</summary>
    public static byte[] BigTcp(int lengthBytes)
    {
        byte[] segment = Tcp(Client, Vip, 40_000, 80, 0x18, new byte[lengthBytes - 104]);
        byte[] inner = Ethernet(BalancerMac, ClientMac, 0x0800, Ipv4(Client, Vip, 6, segment));
        byte[] udp = [0xc3, 0x50, 0x12, 0xb5, 0, 0, 0, 0, .. Words(0x0800_0000, Vni << 8), .. inner];
        return Ethernet(Node1Mac, Node2Mac, 0x0800, Ipv4(Node2, Node1, 17, udp));
    }

    public static byte[] Ethernet(string target, string source, int etherType, byte[] payload) =>
        [.. Convert.FromHexString(target), .. Convert.FromHexString(source), (byte)(etherType >> 8), (byte)etherType, .. payload];

    public static byte[] Ipv4(string source, string target, byte protocol, byte[] payload)
    {
        int total = 20 + payload.Length <= ushort.MaxValue ? 20 + payload.Length : 0;
        byte[] header =
        [
            0x45, 0, (byte)(total >> 8), (byte)total, 0, 1, 0x40, 0, 64, protocol, 0, 0,
            .. Convert.FromHexString(source), .. Convert.FromHexString(target),
        ];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), Checksum(header));
        return [.. header, .. payload];
    }

    public static byte[] Udp(int sourcePort, int targetPort, byte[] payload)
    {
        int length = 8 + payload.Length;
        return
        [
            (byte)(sourcePort >> 8), (byte)sourcePort, (byte)(targetPort >> 8), (byte)targetPort,
            (byte)(length >> 8), (byte)length, 0, 0, .. payload,
        ];
    }

    public static byte[] Tcp(string source, string target, int sourcePort, int targetPort, byte flags, byte[] payload)
    {
        byte[] segment =
        [
            (byte)(sourcePort >> 8), (byte)sourcePort, (byte)(targetPort >> 8), (byte)targetPort,
            0, 0, 0x10, 0, 0, 0, 0, 0, 0x50, flags, 0xfa, 0xf0, 0, 0, 0, 0, .. payload,
        ];
        byte[] pseudo = [.. Convert.FromHexString(source + target), 0, 6, (byte)(segment.Length >> 8), (byte)segment.Length];
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(16), Checksum([.. pseudo, .. segment]));
        return segment;
    }

    private static byte[] Words(uint first, uint second)
    {
        byte[] words = new byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(words, first);
        BinaryPrimitives.WriteUInt32BigEndian(words.AsSpan(4), second);
        return words;
    }

    // RFC 1071.
    private static ushort Checksum(byte[] bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            sum += i % 2 == 0 ? (uint)bytes[i] << 8 : bytes[i];
            sum = (sum & 0xffff) + (sum >> 16);
        }

        return (ushort)~sum;
    }
}
