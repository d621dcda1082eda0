using System.Buffers.Binary;

namespace FastPathLb.Wire.Tests;

public class TransportHeaderTests
{
    [Fact]
    public void A_udp_header_is_read()
    {
        Assert.True(UdpHeader.TryParse(SampleFrames.TcpSynInVxlan.AsSpan(34), out UdpHeader udp));
        Assert.Equal(59254, udp.SourcePort);
        Assert.Equal(4789, udp.DestinationPort);
        Assert.Equal(90, udp.Length);
        Assert.Equal(0x29F4, udp.Checksum);
        Assert.True(udp.HasChecksum);
        Assert.Equal(82, udp.Payload.Length);

        Assert.True(UdpHeader.TryParse(SampleFrames.UdpWithoutSum.AsSpan(34), out UdpHeader bare));
        Assert.False(bare.HasChecksum);
        Assert.Equal("no checksum", System.Text.Encoding.ASCII.GetString(bare.Payload));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(7, 0)]
    [InlineData(8, 0)]
    [InlineData(9, 1)]
    [InlineData(19, 11)]
    [InlineData(20, 11)]
    [InlineData(65535, 11)]
    public void The_udp_payload_ends_at_the_length_or_where_the_bytes_end(ushort length, int payloadLength)
    {
        byte[] bytes = SampleFrames.UdpWithoutSum.AsSpan(34).ToArray();
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(UdpHeader.LengthOffset), length);
        Assert.True(UdpHeader.TryParse(bytes, out UdpHeader udp));
        Assert.Equal(payloadLength, udp.Payload.Length);
    }

    [Fact]
    public void A_tcp_header_is_read()
    {
        Assert.True(TcpHeader.TryParse(SampleFrames.TcpSynPartialSum.AsSpan(34), out TcpHeader tcp));
        Assert.Equal(60794, tcp.SourcePort);
        Assert.Equal(80, tcp.DestinationPort);
        Assert.Equal(2348007178u, tcp.SequenceNumber);
        Assert.Equal(0u, tcp.AcknowledgmentNumber);
        Assert.Equal(40, tcp.DataOffsetBytes);
        Assert.True(tcp.IsDataOffsetValid);
        Assert.Equal(TcpFlags.Syn, tcp.Flags);
        Assert.Equal(64860, tcp.Window);
        Assert.Equal(0x1638, tcp.Checksum);
        Assert.Equal(0, tcp.UrgentPointer);
        Assert.Equal(20, tcp.Options.Length);
        Assert.True(tcp.Payload.IsEmpty);
    }

    [Fact]
    public void Tcp_options_are_walked()
    {
        Assert.True(TcpHeader.TryParse(SampleFrames.TcpSynPartialSum.AsSpan(34), out TcpHeader tcp));
        var reader = new TcpOptionReader(tcp.Options);
        Assert.True(reader.MoveNext());
        Assert.True(reader.TryGetMaximumSegmentSize(out ushort sizeBytes));
        Assert.Equal(1410, sizeBytes);
        Assert.True(reader.MoveNext());
        Assert.Equal(TcpOptionKind.SackPermitted, reader.Kind);
        Assert.False(reader.TryGetMaximumSegmentSize(out _));
        Assert.True(reader.MoveNext());
        Assert.True(reader.TryGetTimestamps(out uint value, out uint echo));
        Assert.Equal(1540686753u, value);
        Assert.Equal(0u, echo);
        Assert.True(reader.MoveNext());
        Assert.Equal(TcpOptionKind.NoOperation, reader.Kind);
        Assert.True(reader.MoveNext());
        Assert.True(reader.TryGetWindowScale(out byte shift));
        Assert.Equal(7, shift);
        Assert.False(reader.MoveNext());
        Assert.False(reader.IsMalformed);
    }

    [Fact]
    public void Selective_acknowledgments_are_read()
    {
        Assert.True(TcpHeader.TryParse(SampleFrames.TcpSack.AsSpan(34), out TcpHeader tcp));
        var reader = new TcpOptionReader(tcp.Options);
        while (reader.MoveNext() && reader.Kind != TcpOptionKind.Sack)
        {
        }

        Assert.Equal(1, reader.SackBlockCount);
        Assert.True(reader.TryGetSackBlock(0, out uint left, out uint right));
        Assert.Equal(1398u, right - left);
        Assert.False(reader.TryGetSackBlock(1, out _, out _));
        Assert.False(reader.TryGetSackBlock(-1, out _, out _));
    }

    [Theory]
    [InlineData("", 0, false)]
    [InlineData("0101", 2, false)]
    [InlineData("0100020405b4", 2, false)]
    [InlineData("02", 0, true)]
    [InlineData("0200", 0, true)]
    [InlineData("0201", 0, true)]
    [InlineData("0204", 0, true)]
    [InlineData("010204ff", 1, true)]
    [InlineData("fe02fd03aa", 2, false)]
    [InlineData("0203aa0302", 2, false)]
    public void Odd_options_end_the_walk_or_are_walked_over(string hex, int count, bool isMalformed)
    {
        var reader = new TcpOptionReader(Hex.Bytes(hex));
        int seen = 0;
        while (reader.MoveNext())
        {
            Assert.False(reader.TryGetMaximumSegmentSize(out _));
            Assert.False(reader.TryGetWindowScale(out _));
            seen++;
        }

        Assert.Equal(count, seen);
        Assert.Equal(isMalformed, reader.IsMalformed);
        Assert.False(reader.MoveNext());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(11)]
    [InlineData(15)]
    public void A_false_data_offset_leaves_the_fixed_part_readable(int words)
    {
        byte[] bytes = SampleFrames.TcpSynPartialSum.AsSpan(34).ToArray();
        bytes[TcpHeader.DataOffsetOffset] = (byte)(words << 4);
        Assert.True(TcpHeader.TryParse(bytes, out TcpHeader tcp));
        Assert.False(tcp.IsDataOffsetValid);
        Assert.Equal(80, tcp.DestinationPort);
        Assert.True(tcp.Options.IsEmpty && tcp.Payload.IsEmpty);
    }

    [Fact]
    public void An_icmp_echo_is_read()
    {
        Assert.True(IcmpHeader.TryParse(SampleFrames.EchoRequest.AsSpan(34), out IcmpHeader icmp));
        Assert.Equal(IcmpType.Echo, icmp.Type);
        Assert.Equal(0, icmp.Code);
        Assert.Equal(0xA1FE, icmp.Checksum);
        Assert.Equal(0x035D0001u, icmp.RestOfHeader);
        Assert.Equal(0x035D, icmp.Identifier);
        Assert.Equal(1, icmp.SequenceNumber);
        Assert.False(icmp.IsError);
        Assert.False(icmp.TryGetEmbedded(out _));
        Assert.Equal(56, icmp.Payload.Length);
    }

    [Fact]
    public void An_icmp_error_embeds_the_datagram()
    {
        Assert.True(IcmpHeader.TryParse(SampleFrames.PortUnreachable.AsSpan(34), out IcmpHeader icmp));
        Assert.Equal(IcmpType.DestinationUnreachable, icmp.Type);
        Assert.Equal(3, icmp.Code);
        Assert.True(icmp.TryGetEmbedded(out ReadOnlySpan<byte> embedded));
        Assert.True(Ipv4Header.TryParse(embedded, out Ipv4Header ipv4));
        Assert.Equal("10.0.1.5", ipv4.Source.ToString());
        Assert.True(UdpHeader.TryParse(ipv4.Payload, out UdpHeader udp));
        Assert.Equal(9999, udp.DestinationPort);
    }
}
