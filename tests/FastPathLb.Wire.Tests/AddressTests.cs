namespace FastPathLb.Wire.Tests;

public class AddressTests
{
    [Theory]
    [InlineData("02:42:0a:00:01:05", 0x02420A000105)]
    [InlineData("FF:ff:fF:Ff:FF:ff", 0xFFFFFFFFFFFF)]
    [InlineData("00:00:00:00:00:00", 0)]
    public void A_mac_is_read_and_printed(string text, long value)
    {
        Assert.True(MacAddress.TryParse(text, out MacAddress mac));
        Assert.Equal((ulong)value, mac.Value);
        Assert.Equal(text.ToLowerInvariant(), mac.ToString());

        byte[] bytes = new byte[MacAddress.LengthBytes];
        mac.WriteTo(bytes);
        Assert.Equal(text.ToUpperInvariant().Replace(":", ""), Convert.ToHexString(bytes));
        Assert.Equal(mac, MacAddress.Read(bytes));
    }

    [Theory]
    [InlineData("")]
    [InlineData("02:42:0a:00:01")]
    [InlineData("02:42:0a:00:01:5")]
    [InlineData("02:42:0a:00:01:05:")]
    [InlineData("02-42-0a-00-01-05")]
    [InlineData("02:42:0a:00:01:0g")]
    [InlineData("2:42:0a:00:01:05 ")]
    [InlineData("02:42:0a:00:010:5")]
    public void What_is_no_mac_is_refused(string text)
    {
        Assert.False(MacAddress.TryParse(text, out MacAddress mac));
        Assert.True(mac.IsZero);
        Assert.Throws<FormatException>(() => MacAddress.Parse(text));
    }

    [Fact]
    public void Mac_kinds_are_told_apart()
    {
        Assert.True(MacAddress.Broadcast.IsBroadcast);
        Assert.True(MacAddress.Broadcast.IsMulticast);
        Assert.True(MacAddress.Parse("01:00:5e:00:00:01").IsMulticast);
        Assert.False(MacAddress.Parse("02:42:0a:00:01:05").IsMulticast);
        Assert.True(default(MacAddress).IsZero);
        Assert.Equal(new MacAddress(5), new MacAddress(0xABCD_0000_0000_0005));
        Assert.Equal(MacAddress.Parse("02:42:0a:00:01:05"), MacAddress.FromDocker(Ipv4Address.Parse("10.0.1.5")));
    }

    [Theory]
    [InlineData("10.0.1.2", 0x0A000102)]
    [InlineData("0.0.0.0", 0)]
    [InlineData("255.255.255.255", 0xFFFFFFFF)]
    [InlineData("172.19.188.123", 0xAC13BC7B)]
    public void An_ipv4_address_is_read_and_printed(string text, uint value)
    {
        Assert.True(Ipv4Address.TryParse(text, out Ipv4Address address));
        Assert.Equal(value, address.Value);
        Assert.Equal(text, address.ToString());

        byte[] bytes = new byte[Ipv4Address.LengthBytes];
        address.WriteTo(bytes);
        Assert.Equal((byte)(value >> 24), bytes[0]);
        Assert.Equal(address, Ipv4Address.Read(bytes));
    }

    [Theory]
    [InlineData("")]
    [InlineData("10.0.1")]
    [InlineData("10.0.1.")]
    [InlineData(".10.0.1")]
    [InlineData("10..0.1")]
    [InlineData("10.0.1.2.3")]
    [InlineData("10.0.1.256")]
    [InlineData("10.0.1.99999999999")]
    [InlineData("10.0.1.02")]
    [InlineData("10.0.1.00")]
    [InlineData("10.0.1.-2")]
    [InlineData("10.0.1.2 ")]
    [InlineData("0x0a.0.1.2")]
    [InlineData("167772418")]
    public void What_is_no_ipv4_address_is_refused(string text)
    {
        Assert.False(Ipv4Address.TryParse(text, out _));
        Assert.Throws<FormatException>(() => Ipv4Address.Parse(text));
    }

    [Fact]
    public void Ipv4_kinds_and_order()
    {
        Ipv4Address low = Ipv4Address.Parse("10.0.1.2");
        Ipv4Address high = Ipv4Address.Parse("192.168.0.1");
        Assert.True(low < high && high > low && low <= high && high >= low);
        Assert.True(low.CompareTo(high) < 0);
        Assert.True(Ipv4Address.Parse("224.0.0.1").IsMulticast);
        Assert.True(Ipv4Address.Parse("239.255.255.255").IsMulticast);
        Assert.False(Ipv4Address.Parse("240.0.0.1").IsMulticast);
        Assert.True(Ipv4Address.Parse("127.1.2.3").IsLoopback);
        Assert.True(new Ipv4Address(uint.MaxValue).IsLimitedBroadcast);
        Assert.True(Ipv4Address.Any.IsZero);
    }

    [Theory]
    [InlineData("10.0.1.5/24", 0xFFFFFF00, "10.0.1.0", "10.0.1.255", "10.0.1.5/24")]
    [InlineData("10.0.1.5", 0xFFFFFFFF, "10.0.1.5", "10.0.1.5", "10.0.1.5/32")]
    [InlineData("0.0.0.0/0", 0x00000000, "0.0.0.0", "255.255.255.255", "0.0.0.0/0")]
    [InlineData("172.19.177.14/20", 0xFFFFF000, "172.19.176.0", "172.19.191.255", "172.19.177.14/20")]
    [InlineData("10.9.8.7/1", 0x80000000, "0.0.0.0", "127.255.255.255", "10.9.8.7/1")]
    public void A_prefix_is_read_and_bounded(string text, uint mask, string network, string broadcast, string printed)
    {
        Ipv4Prefix prefix = Ipv4Prefix.Parse(text);
        Assert.Equal(mask, prefix.Mask);
        Assert.Equal(network, prefix.Network.ToString());
        Assert.Equal(broadcast, prefix.Broadcast.ToString());
        Assert.Equal(printed, prefix.ToString());
        Assert.True(prefix.Contains(prefix.Network));
        Assert.True(prefix.Contains(prefix.Broadcast));
        if (prefix.Length > 0)
        {
            Assert.False(prefix.Contains(new Ipv4Address(prefix.Broadcast.Value + 1)));
            Assert.False(prefix.Contains(new Ipv4Address(prefix.Network.Value - 1)));
        }
    }

    [Theory]
    [InlineData("10.0.1.0/33")]
    [InlineData("10.0.1.0/")]
    [InlineData("10.0.1.0/-1")]
    [InlineData("10.0.1.0/+8")]
    [InlineData("10.0.1.0/ 8")]
    [InlineData("10.0.1.0/024")]
    [InlineData("10.0.1/24")]
    [InlineData("10.0.1.0/24/8")]
    public void What_is_no_prefix_is_refused(string text)
    {
        Assert.False(Ipv4Prefix.TryParse(text, out _));
        Assert.Throws<FormatException>(() => Ipv4Prefix.Parse(text));
    }

    // RFC 5952, sections 4 and 5, and RFC 4291, section 2.2.
    [Theory]
    [InlineData("::", "::")]
    [InlineData("::1", "::1")]
    [InlineData("1::", "1::")]
    [InlineData("2001:0db8::0001", "2001:db8::1")]
    [InlineData("2001:db8:0:0:0:0:2:1", "2001:db8::2:1")]
    [InlineData("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1")]
    [InlineData("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1")]
    [InlineData("2001:0:0:1:0:0:0:1", "2001:0:0:1::1")]
    [InlineData("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1")]
    [InlineData("2001:DB8::A", "2001:db8::a")]
    [InlineData("::ffff:192.0.2.1", "::ffff:192.0.2.1")]
    [InlineData("64:ff9b::192.0.2.33", "64:ff9b::c000:221")]
    [InlineData("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0")]
    [InlineData("fe80::3c1e:aaff:fe5c:b758", "fe80::3c1e:aaff:fe5c:b758")]
    [InlineData("ff02:0:0:0:0:0:0:2", "ff02::2")]
    public void An_ipv6_address_is_read_and_printed_in_its_one_form(string text, string printed)
    {
        Assert.True(Ipv6Address.TryParse(text, out Ipv6Address address));
        Assert.Equal(printed, address.ToString());
        Assert.True(Ipv6Address.TryParse(printed, out Ipv6Address again));
        Assert.Equal(address, again);

        byte[] bytes = new byte[Ipv6Address.LengthBytes];
        address.WriteTo(bytes);
        Assert.Equal(System.Net.IPAddress.Parse(text).GetAddressBytes(), bytes);
        Assert.Equal(address, Ipv6Address.Read(bytes));
    }

    [Theory]
    [InlineData("")]
    [InlineData(":")]
    [InlineData(":::")]
    [InlineData("1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7:8:9")]
    [InlineData("1:2:3:4:5:6:7:8::")]
    [InlineData("1::2::3")]
    [InlineData("12345::")]
    [InlineData("1:2:3:4:5:6:7:")]
    [InlineData(":1:2:3:4:5:6:7")]
    [InlineData("fe80::1%eth0")]
    [InlineData("::1.2.3")]
    [InlineData("1.2.3.4::")]
    [InlineData("g::")]
    public void What_is_no_ipv6_address_is_refused(string text) => Assert.False(Ipv6Address.TryParse(text, out _));

    [Fact]
    public void A_vni_has_24_bits()
    {
        Assert.True(Vni.TryCreate(0xFFFFFF, out Vni vni));
        Assert.Equal(0xFFFFFFu, vni.Value);
        Assert.Equal("16777215", vni.ToString());
        Assert.False(Vni.TryCreate(0x1000000, out _));
    }
}
