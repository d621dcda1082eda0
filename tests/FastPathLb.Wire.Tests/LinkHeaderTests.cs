namespace FastPathLb.Wire.Tests;

public class LinkHeaderTests
{
    [Fact]
    public void An_ethernet_header_is_read()
    {
        byte[] frame = SampleFrames.ArpRequest;
        Assert.True(EthernetHeader.TryParse(frame, out EthernetHeader header));
        Assert.True(header.Destination.IsBroadcast);
        Assert.Equal("02:42:0a:00:01:08", header.Source.ToString());
        Assert.Equal(EtherType.Arp, header.EtherType);
        Assert.True(header.Payload.SequenceEqual(frame.AsSpan(14)));
        Assert.False(EthernetHeader.TryParse(frame.AsSpan(0, 13), out _));
    }

    [Fact]
    public void Vlan_tags_are_read_one_by_one()
    {
        Assert.True(EthernetHeader.TryParse(SampleFrames.QinQArp, out EthernetHeader ethernet));
        Assert.Equal(EtherType.QinQ, ethernet.EtherType);

        Assert.True(VlanTag.TryParse(ethernet.Payload, out VlanTag service));
        Assert.Equal(0x600A, service.Control);
        Assert.Equal(10, service.VlanId);
        Assert.Equal(3, service.Priority);
        Assert.False(service.DropEligible);
        Assert.Equal(EtherType.Vlan, service.EtherType);

        Assert.True(VlanTag.TryParse(service.Payload, out VlanTag customer));
        Assert.Equal(100, customer.VlanId);
        Assert.Equal(5, customer.Priority);
        Assert.True(customer.DropEligible);
        Assert.Equal(EtherType.Arp, customer.EtherType);
        Assert.True(ArpHeader.TryParse(customer.Payload, out _));
    }

    [Fact]
    public void An_arp_packet_is_read()
    {
        Assert.True(ArpHeader.TryParse(SampleFrames.ArpReply.AsSpan(14), out ArpHeader arp));
        Assert.Equal(ArpOperation.Reply, arp.Operation);
        Assert.Equal("02:42:0a:00:01:06", arp.SenderMac.ToString());
        Assert.Equal("10.0.1.2", arp.SenderAddress.ToString());
        Assert.Equal("02:42:0a:00:01:08", arp.TargetMac.ToString());
        Assert.Equal("10.0.1.8", arp.TargetAddress.ToString());
        Assert.True(arp.Payload.IsEmpty);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(5)]
    public void Arp_for_anything_but_ipv4_over_ethernet_is_refused(int offset)
    {
        byte[] frame = SampleFrames.ArpReply;
        frame[14 + offset] ^= 0x40;
        Assert.False(ArpHeader.TryParse(frame.AsSpan(14), out _));
    }

    [Fact]
    public void A_vxlan_header_is_read()
    {
        Assert.True(VxlanHeader.TryParse(SampleFrames.TcpSynInVxlan.AsSpan(42), out VxlanHeader vxlan));
        Assert.Equal(0x0800_0000_0010_0100ul, vxlan.Value);
        Assert.Equal(0x08, vxlan.Flags);
        Assert.True(vxlan.HasVni);
        Assert.Equal(0ul, vxlan.ReservedBits);
        Assert.Equal(4097u, vxlan.Vni.Value);
        Assert.Equal(74, vxlan.Payload.Length);
    }

    [Theory]
    [InlineData("0800000000100100", 0ul)]
    [InlineData("0000000000100100", 0ul)]
    [InlineData("8800000000100100", 0x8000_0000_0000_0000ul)]
    [InlineData("0800000100100100", 0x0000_0001_0000_0000ul)]
    [InlineData("08000000001001ff", 0xFFul)]
    [InlineData("ffffffffffffffff", 0xF7FF_FFFF_0000_00FFul)]
    public void Reserved_vxlan_bits_are_all_but_the_flag_and_the_identifier(string hex, ulong reserved)
    {
        byte[] bytes = Hex.Bytes(hex);
        Assert.True(VxlanHeader.TryParse(bytes, out VxlanHeader vxlan));
        Assert.Equal(reserved, vxlan.ReservedBits);
        Assert.Equal((bytes[0] & 8) != 0, vxlan.HasVni);
    }
}
