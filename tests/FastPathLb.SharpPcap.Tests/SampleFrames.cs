using FastPathLb.Wire;

namespace FastPathLb.SharpPcap.Tests;

/// <summary>Frames between the two ends of a <see cref="NamespaceLink"/>.</summary>
internal static class SampleFrames
{
    public const ushort EchoIdentifier = 0x4658;

    private const int EchoPayloadBytes = 32;

    public static byte[] ArpRequest() =>
    [
        .. Header(new EthernetFields(MacAddress.Broadcast, NamespaceLink.NearMac, EtherType.Arp)),
        .. Header(new ArpFields(
            ArpOperation.Request, NamespaceLink.NearMac, NamespaceLink.NearAddress, default, NamespaceLink.FarAddress)),
    ];

    public static byte[] EchoRequest(int sequenceNumber)
    {
        byte[] message =
        [
            .. Header(new IcmpFields { Type = IcmpType.Echo, RestOfHeader = ((uint)EchoIdentifier << 16) | (ushort)sequenceNumber }),
            .. new byte[EchoPayloadBytes],
        ];
        IcmpHeader.WriteChecksum(message);
        return [.. Ethernet(EtherType.Ipv4), .. Ipv4(IpProtocol.Icmp, message)];
    }

    public static byte[] TaggedEchoRequest()
    {
        byte[] untagged = EchoRequest(1);
        return [.. untagged[..12], 0x81, 0x00, 0x60, 0x64, .. untagged[12..]];
    }

    public static byte[] TcpSyn()
    {
        byte[] segment =
        [
            .. Header(new TcpFields
            {
                SourcePort = 40000,
                DestinationPort = 80,
                SequenceNumber = 0x0A0B0C0D,
                AcknowledgmentNumber = 0x01020304,
                Flags = TcpFlags.Syn,
                Window = 64800,
                Options = new byte[] { 2, 4, 5, 150, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7 },
            }),
            1, 2, 3,
        ];
        TcpHeader.WriteChecksum(segment, NamespaceLink.NearAddress, NamespaceLink.FarAddress);
        return [.. Ethernet(EtherType.Ipv4), .. Ipv4(IpProtocol.Tcp, segment)];
    }

    public static byte[] Vxlan(byte[] innerFrame)
    {
        _ = Vni.TryCreate(4097, out Vni vni);
        byte[] packet = [.. Header(new VxlanFields(vni)), .. innerFrame];
        byte[] udp =
        [
            .. Header(new UdpFields { SourcePort = 50000, DestinationPort = VxlanHeader.UdpPort, PayloadLengthBytes = packet.Length }),
            .. packet,
        ];
        return [.. Ethernet(EtherType.Ipv4), .. Ipv4(IpProtocol.Udp, udp)];
    }

    public static byte[] Ipv6RouterSolicitation() =>
    [
        .. Ethernet(EtherType.Ipv6),
        .. Convert.FromHexString("6001234500083aff" + "fe80000000000000000000000000000a" + "ff020000000000000000000000000002"),
        .. Convert.FromHexString("8500000000000000"),
    ];

    private static byte[] Ethernet(EtherType etherType) =>
        Header(new EthernetFields(NamespaceLink.FarMac, NamespaceLink.NearMac, etherType));

    private static byte[] Ipv4(IpProtocol protocol, byte[] payload) =>
    [
        .. Header(new Ipv4Fields
        {
            PayloadLengthBytes = payload.Length,
            Identification = 0x1C46,
            DontFragment = true,
            TimeToLive = 64,
            Protocol = protocol,
            Source = NamespaceLink.NearAddress,
            Destination = NamespaceLink.FarAddress,
        }),
        .. payload,
    ];

    private static byte[] Header<T>(T fields)
        where T : IWireFields
    {
        byte[] bytes = new byte[fields.LengthBytes];
        fields.WriteTo(bytes);
        return bytes;
    }
}
