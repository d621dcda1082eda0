using FastPathLb.Io.Captures;

namespace FastPathLb.Io.Tests.Captures;

public sealed class LinkLayerTests
{
    private const string Ipv4 = "4500001c00000000400100000a0001080a000102";
    private const string Ipv6 = "6000000000003b40";

    // Made by hand after LINKTYPE_LINUX_SLL, _SLL2, _NULL, _RAW.
    private const string SllToUs = "0000" + "0001" + "0006" + "0242ac1300020000" + "0800";
    private const string SllBroadcast = "0001" + "0001" + "0006" + "0242ac1300020000" + "0806";
    private const string SllLoopback = "0000" + "0304" + "0000" + "0000000000000000" + "86dd";
    private const string Sll2Outgoing = "0800" + "0000" + "00000003" + "0001" + "04" + "06" + "0242ac1300020000";
    private const string Sll2Broadcast = "0806" + "0000" + "00000003" + "0001" + "01" + "06" + "0242ac1300020000";

    [Theory]
    [InlineData(LinkType.LinuxSll, SllToUs + Ipv4, 0x0800, "000000000000" + "0242ac130002" + "0800" + Ipv4)]
    [InlineData(LinkType.LinuxSll, SllBroadcast + "0001", 0x0806, "ffffffffffff" + "0242ac130002" + "0806" + "0001")]
    [InlineData(LinkType.LinuxSll, SllLoopback + Ipv6, 0x86dd, "000000000000" + "000000000000" + "86dd" + Ipv6)]
    [InlineData(LinkType.LinuxSll2, Sll2Outgoing + Ipv4, 0x0800, "000000000000" + "0242ac130002" + "0800" + Ipv4)]
    [InlineData(LinkType.LinuxSll2, Sll2Broadcast + "0001", 0x0806, "ffffffffffff" + "0242ac130002" + "0806" + "0001")]
    [InlineData(LinkType.Raw, Ipv4, 0x0800, "000000000000" + "000000000000" + "0800" + Ipv4)]
    [InlineData(LinkType.Raw, Ipv6, 0x86dd, "000000000000" + "000000000000" + "86dd" + Ipv6)]
    [InlineData(LinkType.Ipv4, Ipv4, 0x0800, "000000000000" + "000000000000" + "0800" + Ipv4)]
    [InlineData(LinkType.Ipv6, Ipv6, 0x86dd, "000000000000" + "000000000000" + "86dd" + Ipv6)]
    [InlineData(LinkType.Null, "02000000" + Ipv4, 0x0800, "000000000000" + "000000000000" + "0800" + Ipv4)]
    [InlineData(LinkType.Null, "00000002" + Ipv4, 0x0800, "000000000000" + "000000000000" + "0800" + Ipv4)]
    [InlineData(LinkType.Null, "1e000000" + Ipv6, 0x86dd, "000000000000" + "000000000000" + "86dd" + Ipv6)]
    [InlineData(LinkType.Loop, "00000002" + Ipv4, 0x0800, "000000000000" + "000000000000" + "0800" + Ipv4)]
    [InlineData(LinkType.Ethernet, "0242ac1300010242ac1300020800" + Ipv4, 0x0800, "0242ac1300010242ac1300020800" + Ipv4)]
    [InlineData(LinkType.Ethernet, "0242ac1300010242ac130002810000050800" + Ipv4, 0x8100, "0242ac1300010242ac130002810000050800" + Ipv4)]
    public void The_packet_is_found_and_an_Ethernet_frame_made_of_it(LinkType linkType, string hex, int etherType, string expected)
    {
        byte[] data = Convert.FromHexString(hex);
        byte[] ethernet = new byte[data.Length + LinkLayer.EthernetGrowthBytesMax];
        Array.Fill(ethernet, (byte)0xcc);

        Assert.True(LinkLayer.TryGetNetworkPacket(linkType, data, out ushort foundType, out ReadOnlySpan<byte> packet));
        int count = LinkLayer.ToEthernet(linkType, data, ethernet);

        Assert.Equal(etherType, foundType);
        Assert.EndsWith(Convert.ToHexString(packet), Convert.ToHexString(data), StringComparison.Ordinal);
        Assert.Equal(expected, Convert.ToHexStringLower(ethernet.AsSpan(0, count)));
        Assert.All(ethernet[count..], b => Assert.Equal(0xcc, b));
    }

    [Theory]
    [InlineData(LinkType.LinuxSll, "000000010006024200000000000" + "00004" + "424203")] // An 802.2 LLC frame.
    [InlineData(LinkType.LinuxSll, "0000" + "0338" + "0000" + "0000000000000000" + "0800" + "00")] // Netlink.
    [InlineData(LinkType.LinuxSll2, "0800" + "0000" + "00000003" + "0323" + "04" + "06" + "0242ac1300020000")] // Radiotap.
    [InlineData(LinkType.Raw, "")]
    [InlineData(LinkType.Raw, "ff")]
    [InlineData(LinkType.Null, "07000000" + Ipv4)]
    [InlineData(LinkType.Ethernet, "0242ac1300010242ac1300020026" + "424203")]
    [InlineData((LinkType)127, SllToUs + Ipv4)]
    public void What_carries_no_EtherType_is_left_alone(LinkType linkType, string hex)
    {
        byte[] data = Convert.FromHexString(hex);

        Assert.False(LinkLayer.TryGetNetworkPacket(linkType, data, out ushort etherType, out ReadOnlySpan<byte> packet));
        Assert.Equal(0, etherType);
        Assert.True(packet.IsEmpty);
        if (linkType != LinkType.Ethernet)
        {
            Assert.Equal(0, LinkLayer.ToEthernet(linkType, data, new byte[data.Length + LinkLayer.EthernetGrowthBytesMax]));
        }
    }

    [Fact]
    public void Any_length_of_any_link_type_is_met_calmly()
    {
        var random = new Random(9);
        byte[] ethernet = new byte[100];
        foreach (LinkType linkType in Enum.GetValues<LinkType>())
        {
            for (int length = 0; length < 40; length++)
            {
                byte[] data = new byte[length];
                random.NextBytes(data);
                bool isFound = LinkLayer.TryGetNetworkPacket(linkType, data, out _, out ReadOnlySpan<byte> packet);
                int count = LinkLayer.ToEthernet(linkType, data, ethernet);

                Assert.InRange(packet.Length, 0, length);
                Assert.InRange(count, 0, length + LinkLayer.EthernetGrowthBytesMax);
                Assert.True(isFound == (count > 0) || linkType == LinkType.Ethernet);
            }
        }
    }

    [Fact]
    public void A_destination_without_room_is_the_callers_error() =>
        Assert.Throws<ArgumentException>(() => LinkLayer.ToEthernet(LinkType.Raw, new byte[20], new byte[33]));
}
