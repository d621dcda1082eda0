using System.Buffers.Binary;

namespace FastPathLb.Wire.Tests;

/// <summary>What the views read from a recorded frame, emitted again, is the recorded frame.</summary>
public class FieldsTests
{
    [Fact]
    public void A_recorded_syn_in_vxlan_is_emitted_byte_for_byte()
    {
        byte[] recorded = SampleFrames.TcpSynInVxlan;
        byte[] emitted = new byte[recorded.Length];
        Ipv4Address outerSource = Ipv4Address.Parse("172.19.188.123");
        Ipv4Address outerDestination = Ipv4Address.Parse("172.19.177.14");
        Ipv4Address source = Ipv4Address.Parse("10.0.1.8");
        Ipv4Address destination = Ipv4Address.Parse("10.0.1.2");
        Assert.True(Vni.TryCreate(4097, out Vni vni));

        int at = 0;
        at += Emit(emitted, at, new EthernetFields(
            MacAddress.Parse("02:fc:00:00:00:01"), MacAddress.Parse("02:fc:00:00:00:02"), EtherType.Ipv4));
        at += Emit(emitted, at, new Ipv4Fields
        {
            PayloadLengthBytes = 90,
            Identification = 47874,
            TimeToLive = 64,
            Protocol = IpProtocol.Udp,
            Source = outerSource,
            Destination = outerDestination,
        });
        int udpAt = at;
        at += Emit(emitted, at, new UdpFields { SourcePort = 59254, DestinationPort = 4789, PayloadLengthBytes = 82 });
        at += Emit(emitted, at, new VxlanFields(vni));
        at += Emit(emitted, at, new EthernetFields(MacAddress.Parse("02:42:0a:00:01:05"), MacAddress.FromDocker(source), EtherType.Ipv4));
        at += Emit(emitted, at, new Ipv4Fields
        {
            PayloadLengthBytes = 40,
            Identification = 44398,
            DontFragment = true,
            TimeToLive = 64,
            Protocol = IpProtocol.Tcp,
            Source = source,
            Destination = destination,
        });
        int tcpAt = at;
        at += Emit(emitted, at, new TcpFields
        {
            SourcePort = 36800,
            DestinationPort = 80,
            SequenceNumber = 4079845435,
            Flags = TcpFlags.Syn,
            Window = 64860,
            Options = Hex.Bytes("020405820402080a701df95c0000000001030307"),
        });
        TcpHeader.WriteChecksum(emitted.AsSpan(tcpAt), source, destination);
        UdpHeader.WriteChecksum(emitted.AsSpan(udpAt), outerSource, outerDestination);

        Assert.Equal(recorded.Length, at);
        Assert.Equal(FramePrinter.Print(recorded), FramePrinter.Print(emitted));
        Assert.Equal(recorded, emitted);
    }

    [Fact]
    public void A_recorded_arp_reply_is_emitted_byte_for_byte()
    {
        byte[] recorded = SampleFrames.ArpReply;
        byte[] emitted = new byte[recorded.Length];
        MacAddress balancer = MacAddress.Parse("02:42:0a:00:01:06");
        MacAddress client = MacAddress.Parse("02:42:0a:00:01:08");
        int at = Emit(emitted, 0, new EthernetFields(client, balancer, EtherType.Arp));
        at += Emit(emitted, at, new ArpFields(
            ArpOperation.Reply, balancer, Ipv4Address.Parse("10.0.1.2"), client, Ipv4Address.Parse("10.0.1.8")));
        Assert.Equal(recorded.Length, at);
        Assert.Equal(recorded, emitted);
    }

    [Fact]
    public void A_recorded_echo_is_emitted_byte_for_byte()
    {
        byte[] recorded = SampleFrames.EchoRequest;
        byte[] emitted = [.. recorded];
        emitted.AsSpan(34, 8).Fill(0xEE);
        Emit(emitted, 34, new IcmpFields { Type = IcmpType.Echo, RestOfHeader = 0x035D0001 });
        IcmpHeader.WriteChecksum(emitted.AsSpan(34));
        Assert.Equal(recorded, emitted);
    }

    [Fact]
    public void Fragments_and_options_are_emitted()
    {
        var fields = new Ipv4Fields
        {
            TypeOfService = 0xC0,
            PayloadLengthBytes = 100,
            MoreFragments = true,
            FragmentOffsetBytes = 65528,
            TimeToLive = 1,
            Protocol = IpProtocol.Sctp,
            Options = Hex.Bytes("94040000"),
        };
        byte[] bytes = new byte[fields.LengthBytes];
        fields.WriteTo(bytes);
        Assert.True(Ipv4Header.TryParse(bytes, out Ipv4Header ipv4));
        Assert.Equal(24, ipv4.HeaderLengthBytes);
        Assert.Equal(124, ipv4.TotalLength);
        Assert.Equal(65528, ipv4.FragmentOffsetBytes);
        Assert.True(ipv4.MoreFragments);
        Assert.False(ipv4.DontFragment);
        Assert.True(ipv4.IsChecksumCorrect);
        Assert.Equal(fields.Options.ToArray(), ipv4.Options.ToArray());
    }

    [Fact]
    public void A_udp_sum_of_zero_is_written_as_ffff()
    {
        // The port makes the sum 0xFFFF, whose complement is 0.
        byte[] datagram = new byte[8];
        Ipv4Address any = Ipv4Address.Any;
        new UdpFields { SourcePort = 0xFFFF - 17 - 8 - 8 }.WriteTo(datagram);
        UdpHeader.WriteChecksum(datagram, any, any);
        Assert.Equal(0xFFFF, BinaryPrimitives.ReadUInt16BigEndian(datagram.AsSpan(UdpHeader.ChecksumOffset)));
    }

    private static int Emit<TFields>(byte[] frame, int offset, TFields fields)
        where TFields : IWireFields
    {
        fields.WriteTo(frame.AsSpan(offset));
        return fields.LengthBytes;
    }
}
