namespace FastPathLb.Wire.Tests;

public class InternetChecksumTests
{
    [Fact]
    public void The_example_of_rfc_1071_section_3()
    {
        byte[] bytes = Hex.Bytes("0001f203f4f5f6f7");
        Assert.Equal(0xDDF2, InternetChecksum.Fold(InternetChecksum.Sum(bytes)));
        Assert.Equal(0x220D, InternetChecksum.Compute(bytes));
    }

    [Fact]
    public void Every_length_and_alignment_gives_the_naive_sum()
    {
        byte[] bytes = new byte[2100];
        new Random(1071).NextBytes(bytes);
        for (int length = 0; length <= 2000; length++)
        {
            for (int start = 0; start < 4; start++)
            {
                ReadOnlySpan<byte> span = bytes.AsSpan(start, length);
                Assert.Equal(NaiveChecksum.Sum(span), InternetChecksum.Fold(InternetChecksum.Sum(span)));
            }
        }
    }

    [Theory]
    [InlineData(0x00)]
    [InlineData(0xFF)]
    public void No_carry_is_lost_in_bytes_that_are_all_the_same(byte value)
    {
        byte[] bytes = new byte[512 * 1024 + 1];
        bytes.AsSpan().Fill(value);
        foreach (int length in new[] { 1, 2, 63, 64, 65, 1500, 65535, 65536, bytes.Length })
        {
            ReadOnlySpan<byte> span = bytes.AsSpan(0, length);
            Assert.Equal(NaiveChecksum.Sum(span), InternetChecksum.Fold(InternetChecksum.Sum(span)));
        }
    }

    [Fact]
    public void Pieces_of_even_length_add_up_to_the_whole()
    {
        byte[] bytes = new byte[999];
        new Random(2).NextBytes(bytes);
        uint whole = InternetChecksum.Sum(bytes);
        for (int cut = 0; cut < bytes.Length; cut += 2)
        {
            uint chained = InternetChecksum.Sum(bytes.AsSpan(cut), InternetChecksum.Sum(bytes.AsSpan(0, cut)));
            uint added = InternetChecksum.Sum(bytes.AsSpan(cut)) + InternetChecksum.Sum(bytes.AsSpan(0, cut));
            Assert.Equal(InternetChecksum.Fold(whole), InternetChecksum.Fold(chained));
            Assert.Equal(InternetChecksum.Fold(whole), InternetChecksum.Fold(added));
        }
    }

    [Theory]
    [InlineData(0u, 0)]
    [InlineData(0xFFFFu, 0xFFFF)]
    [InlineData(0x10000u, 1)]
    [InlineData(0xFFFF_FFFFu, 0xFFFF)]
    [InlineData(0xFFFE_0002u, 1)]
    public void Folding_carries_around_the_end(uint sum, ushort folded)
    {
        Assert.Equal(folded, InternetChecksum.Fold(sum));
        Assert.Equal((ushort)~folded, InternetChecksum.Finish(sum));
    }

    [Fact]
    public void The_largest_initial_sum_does_not_overflow()
    {
        byte[] bytes = [0xFF, 0xFF];
        Assert.True(InternetChecksum.Sum(bytes, uint.MaxValue) < 0x30000);
        Assert.Equal(0xFFFF, InternetChecksum.Fold(InternetChecksum.Sum(bytes, uint.MaxValue)));
    }

    [Fact]
    public void Recorded_ipv4_tcp_udp_and_icmp_sums_are_right()
    {
        ReadOnlySpan<byte> outer = SampleFrames.TcpSynInVxlan.AsSpan(14);
        Assert.Equal(0, InternetChecksum.Compute(outer[..20]));

        ReadOnlySpan<byte> udp = outer[20..];
        Ipv4Address outerSource = Ipv4Address.Read(outer[Ipv4Header.SourceOffset..]);
        Ipv4Address outerDestination = Ipv4Address.Read(outer[Ipv4Header.DestinationOffset..]);
        Assert.Equal(0, InternetChecksum.ComputeTransport(outerSource, outerDestination, IpProtocol.Udp, udp));

        ReadOnlySpan<byte> inner = udp[(8 + 8 + 14)..];
        ReadOnlySpan<byte> tcp = inner[20..];
        Assert.Equal(0, InternetChecksum.ComputeTransport(
            Ipv4Address.Parse("10.0.1.8"), Ipv4Address.Parse("10.0.1.2"), IpProtocol.Tcp, tcp));

        Assert.Equal(0, InternetChecksum.Compute(SampleFrames.EchoRequest.AsSpan(34)));
    }

    [Fact]
    public void A_recorded_partial_sum_is_the_pseudo_header_sum()
    {
        ReadOnlySpan<byte> frame = SampleFrames.TcpSynPartialSum;
        uint pseudo = InternetChecksum.PseudoHeaderSum(
            Ipv4Address.Parse("10.0.1.8"), Ipv4Address.Parse("10.0.1.2"), IpProtocol.Tcp, frame.Length - 34);
        Assert.True(TcpHeader.TryParse(frame[34..], out TcpHeader tcp));
        Assert.Equal(tcp.Checksum, InternetChecksum.Fold(pseudo));
    }

    [Fact]
    public void The_ipv6_pseudo_header_is_summed()
    {
        Assert.True(Ipv6Header.TryParse(SampleFrames.Ipv6.AsSpan(14), out Ipv6Header ipv6));
        uint pseudo = InternetChecksum.PseudoHeaderSum(ipv6.Source, ipv6.Destination, ipv6.NextHeader, ipv6.Payload.Length);
        Assert.Equal(0, InternetChecksum.Finish(InternetChecksum.Sum(ipv6.Payload, pseudo)));
    }
}
