using System.Buffers.Binary;

namespace FastPathLb.Wire.Tests;

public class NetworkHeaderTests
{
    [Fact]
    public void An_ipv4_header_is_read()
    {
        Assert.True(Ipv4Header.TryParse(SampleFrames.TcpSynPartialSum.AsSpan(14), out Ipv4Header ipv4));
        Assert.Equal(4, ipv4.Version);
        Assert.Equal(20, ipv4.HeaderLengthBytes);
        Assert.Equal(0, ipv4.TypeOfService);
        Assert.Equal(60, ipv4.TotalLength);
        Assert.Equal(22903, ipv4.Identification);
        Assert.True(ipv4.DontFragment);
        Assert.False(ipv4.MoreFragments);
        Assert.Equal(0, ipv4.FragmentOffsetBytes);
        Assert.False(ipv4.IsFragment);
        Assert.Equal(64, ipv4.TimeToLive);
        Assert.Equal(IpProtocol.Tcp, ipv4.Protocol);
        Assert.Equal(0xCB3B, ipv4.Checksum);
        Assert.True(ipv4.IsChecksumCorrect);
        Assert.Equal("10.0.1.8", ipv4.Source.ToString());
        Assert.Equal("10.0.1.2", ipv4.Destination.ToString());
        Assert.True(ipv4.Options.IsEmpty);
        Assert.Equal(40, ipv4.Payload.Length);
    }

    [Fact]
    public void Ipv4_options_are_part_of_the_header()
    {
        Assert.True(Ipv4Header.TryParse(SampleFrames.TcpWithIpOptions.AsSpan(14), out Ipv4Header ipv4));
        Assert.Equal(24, ipv4.HeaderLengthBytes);
        Assert.Equal(Hex.Bytes("94040000"), ipv4.Options.ToArray());
        Assert.True(ipv4.IsChecksumCorrect);
        Assert.Equal(20, ipv4.Payload.Length);
    }

    [Fact]
    public void A_fragment_is_told_by_flag_or_offset()
    {
        Assert.True(Ipv4Header.TryParse(SampleFrames.FragmentOf(SampleFrames.UdpWithoutSum, 1480).AsSpan(14), out Ipv4Header later));
        Assert.True(later.IsFragment && later.MoreFragments);
        Assert.Equal(1480, later.FragmentOffsetBytes);
        Assert.True(Ipv4Header.TryParse(SampleFrames.FragmentOf(SampleFrames.UdpWithoutSum, 0).AsSpan(14), out Ipv4Header first));
        Assert.True(first.IsFragment);
        Assert.Equal(0, first.FragmentOffsetBytes);
    }

    [Theory]
    [InlineData(0x44)]
    [InlineData(0x40)]
    [InlineData(0x55)]
    [InlineData(0x65)]
    [InlineData(0x05)]
    [InlineData(0xFF)]
    public void Another_version_or_a_short_header_length_is_refused(byte first)
    {
        byte[] bytes = new byte[60];
        bytes[0] = first;
        Assert.False(Ipv4Header.TryParse(bytes, out _));
    }

    [Fact]
    public void Options_must_be_there()
    {
        byte[] bytes = new byte[60];
        bytes[0] = 0x4F;
        Assert.True(Ipv4Header.TryParse(bytes, out Ipv4Header ipv4));
        Assert.Equal(40, ipv4.Options.Length);
        Assert.False(Ipv4Header.TryParse(bytes.AsSpan(0, 59), out _));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(19, 0)]
    [InlineData(20, 0)]
    [InlineData(21, 1)]
    [InlineData(60, 40)]
    [InlineData(61, 40)]
    [InlineData(65535, 40)]
    public void The_payload_ends_at_the_total_length_or_where_the_bytes_end(ushort totalLength, int payloadLength)
    {
        byte[] bytes = SampleFrames.TcpSynPartialSum.AsSpan(14).ToArray();
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), totalLength);
        Assert.True(Ipv4Header.TryParse(bytes, out Ipv4Header ipv4));
        Assert.Equal(payloadLength, ipv4.Payload.Length);
    }

    [Fact]
    public void Setters_keep_the_checksum_right()
    {
        byte[] header = SampleFrames.TcpWithIpOptions.AsSpan(14, 24).ToArray();
        Ipv4Header.ReplaceSource(header, Ipv4Address.Parse("10.0.1.5"));
        Ipv4Header.ReplaceDestination(header, Ipv4Address.Parse("255.255.255.254"));
        Ipv4Header.DecrementTimeToLive(header);
        Assert.True(Ipv4Header.TryParse(header, out Ipv4Header ipv4));
        Assert.Equal("10.0.1.5", ipv4.Source.ToString());
        Assert.Equal("255.255.255.254", ipv4.Destination.ToString());
        Assert.Equal(63, ipv4.TimeToLive);
        Assert.True(ipv4.IsChecksumCorrect);
    }

    [Fact]
    public void A_wrong_checksum_stays_as_wrong_as_it_was()
    {
        byte[] right = SampleFrames.UdpWithoutSum.AsSpan(14, 20).ToArray();
        byte[] wrong = [.. right];
        wrong[Ipv4Header.ChecksumOffset] ^= 0x10;
        Ipv4Header.ReplaceSource(right, Ipv4Address.Parse("10.0.1.5"));
        Ipv4Header.ReplaceSource(wrong, Ipv4Address.Parse("10.0.1.5"));
        Assert.Equal(right[Ipv4Header.ChecksumOffset] ^ 0x10, wrong[Ipv4Header.ChecksumOffset]);
        Assert.Equal(right[Ipv4Header.ChecksumOffset + 1], wrong[Ipv4Header.ChecksumOffset + 1]);
    }

    [Fact]
    public void The_time_to_live_goes_down_as_in_the_kernel_for_every_checksum()
    {
        byte[] header = new byte[20];
        for (int checksum = 0; checksum <= 0xFFFF; checksum++)
        {
            header[Ipv4Header.TimeToLiveOffset] = 64;
            BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(Ipv4Header.ChecksumOffset), (ushort)checksum);
            Ipv4Header.DecrementTimeToLive(header);

            // ip_decrease_ttl on a little-endian machine: htons(0x0100) is 1, and the field is read as it lies in memory.
            uint native = (uint)BinaryPrimitives.ReverseEndianness((ushort)checksum) + 1;
            ushort expected = BinaryPrimitives.ReverseEndianness((ushort)(native + (native >= 0xFFFF ? 1u : 0u)));
            Assert.Equal(expected, BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(Ipv4Header.ChecksumOffset)));
            Assert.Equal(63, header[Ipv4Header.TimeToLiveOffset]);
        }
    }

    [Fact]
    public void An_ipv6_header_is_read()
    {
        Assert.True(Ipv6Header.TryParse(SampleFrames.Ipv6.AsSpan(14), out Ipv6Header ipv6));
        Assert.Equal(6, ipv6.Version);
        Assert.Equal(0, ipv6.TrafficClass);
        Assert.Equal(0u, ipv6.FlowLabel);
        Assert.Equal(16, ipv6.PayloadLength);
        Assert.Equal(IpProtocol.Icmpv6, ipv6.NextHeader);
        Assert.Equal(255, ipv6.HopLimit);
        Assert.Equal("fe80::3c1e:aaff:fe5c:b758", ipv6.Source.ToString());
        Assert.Equal("ff02::2", ipv6.Destination.ToString());
        Assert.True(ipv6.Destination.IsMulticast);
        Assert.Equal(16, ipv6.Payload.Length);
    }

    [Fact]
    public void Ipv6_traffic_class_and_flow_label_are_read()
    {
        byte[] bytes = SampleFrames.Ipv6.AsSpan(14).ToArray();
        BinaryPrimitives.WriteUInt32BigEndian(bytes, 0x6AB5_4321);
        Assert.True(Ipv6Header.TryParse(bytes, out Ipv6Header ipv6));
        Assert.Equal(0xAB, ipv6.TrafficClass);
        Assert.Equal(0x54321u, ipv6.FlowLabel);
        bytes[0] = 0x45;
        Assert.False(Ipv6Header.TryParse(bytes, out _));
    }
}
