using System.Buffers.Binary;
using System.Text;

namespace FastPathLb.Wire.Tests;

/// <summary>Lines as they are printed, next to the frames they are printed of.</summary>
public class FramePrinterTests
{
    private const string ToBalancer = "02:42:0a:00:01:08 > 02:42:0a:00:01:05, IPv4";

    [Fact]
    public void Arp_request_and_reply()
    {
        AssertPrints(
            "02:42:0a:00:01:08 > ff:ff:ff:ff:ff:ff, ARP, length 42: request who-has 10.0.1.2 tell 10.0.1.8 (02:42:0a:00:01:08)",
            SampleFrames.ArpRequest);
        AssertPrints(
            "02:42:0a:00:01:06 > 02:42:0a:00:01:08, ARP, length 42: "
            + "reply 10.0.1.2 is-at 02:42:0a:00:01:06 to 10.0.1.8 (02:42:0a:00:01:08)",
            SampleFrames.ArpReply);
    }

    [Fact]
    public void Vlan_tags() => AssertPrints(
        "02:42:0a:00:01:08 > ff:ff:ff:ff:ff:ff, 802.1ad vlan 10 p 3, 802.1Q vlan 100 p 5 DEI, ARP, length 50: "
        + "request who-has 10.0.1.2 tell 10.0.1.8 (02:42:0a:00:01:08)",
        SampleFrames.QinQArp);

    [Fact]
    public void Tcp_syn_with_options_and_a_partial_sum() => AssertPrints(
        "02:42:0a:00:01:08 > 02:42:0a:00:01:06, IPv4, length 74: (ttl 64, id 22903, DF) 10.0.1.8.60794 > 10.0.1.2.80: "
        + "TCP [S], sum partial, seq 2348007178, win 64860, "
        + "options [mss 1410,sackOK,TS val 1540686753 ecr 0,nop,wscale 7], length 0",
        SampleFrames.TcpSynPartialSum);

    [Fact]
    public void Tcp_with_a_selective_acknowledgment() => AssertPrints(
        $"{ToBalancer}, length 78: (ttl 64, id 50535, DF) 10.0.1.8.42616 > 10.0.1.2.80: "
        + "TCP [.], sum ok, seq 3998779417, ack 3039537752, win 507, "
        + "options [nop,nop,TS val 3631271429 ecr 971532480,nop,nop,sack 3039544742:3039546140], length 0",
        SampleFrames.TcpSack);

    [Fact]
    public void Ip_options() => AssertPrints(
        $"{ToBalancer}, length 58: (ttl 64, id 1, options [RA]) 10.0.1.8.26010 > 10.0.1.2.80: "
        + "TCP [S], sum ok, seq 0, win 8192, length 0",
        SampleFrames.TcpWithIpOptions);

    [Fact]
    public void Vxlan_and_the_frame_in_it() => AssertPrints(
        "02:fc:00:00:00:02 > 02:fc:00:00:00:01, IPv4, length 124: (ttl 64, id 47874) 172.19.188.123.59254 > 172.19.177.14.4789: "
        + $"UDP, sum ok, VXLAN vni 4097 | {ToBalancer}, length 74: (ttl 64, id 44398, DF) 10.0.1.8.36800 > 10.0.1.2.80: "
        + "TCP [S], sum ok, seq 4079845435, win 64860, "
        + "options [mss 1410,sackOK,TS val 1881012572 ecr 0,nop,wscale 7], length 0",
        SampleFrames.TcpSynInVxlan);

    [Fact]
    public void An_icmp_error_and_the_datagram_in_it() => AssertPrints(
        "02:fc:00:00:00:01 > 02:fc:00:00:00:02, IPv4, length 132: (ttl 64, id 51948) 172.19.177.14.60861 > 172.19.188.123.4789: "
        + "UDP, sum ok, VXLAN vni 4097 | 02:42:0a:00:01:05 > 02:42:0a:00:01:08, IPv4, length 82: (tos 0xc0, ttl 64, id 25537) "
        + "10.0.1.2 > 10.0.1.8: ICMP time exceeded in transit, sum ok, length 48 "
        + "{(ttl 1, id 1) 10.0.1.8.26008 > 10.0.1.2.80: TCP [S], sum ok, seq 0, win 8192, length 0}",
        SampleFrames.TimeExceededInVxlan);

    [Fact]
    public void Echo_and_protocols_known_by_name()
    {
        AssertPrints(
            $"{ToBalancer}, length 98: (ttl 64, id 62045, DF) 10.0.1.8 > 10.0.1.2: ICMP echo request, id 861, seq 1, sum ok, length 64",
            SampleFrames.EchoRequest);
        AssertPrints($"{ToBalancer}, length 66: (ttl 64, id 1) 10.0.1.8.258 > 10.0.1.2.80: SCTP, length 32", SampleFrames.Sctp);
    }

    [Theory]
    [InlineData(0, "(ttl 64, id 1, MF) 10.0.1.8.26012 > 10.0.1.2.53: UDP, no sum, length 11")]
    [InlineData(1480, "(ttl 64, id 1, MF, offset 1480) 10.0.1.8 > 10.0.1.2: UDP fragment, length 19")]
    public void Fragments(int offsetBytes, string printed) => AssertPrints(
        $"{ToBalancer}, length 53: {printed}",
        SampleFrames.FragmentOf(SampleFrames.UdpWithoutSum, offsetBytes));

    [Fact]
    public void Ipv6() => AssertPrints(
        "3e:1e:aa:5c:b7:58 > 33:33:00:00:00:02, IPv6, length 70: (hlim 255) fe80::3c1e:aaff:fe5c:b758 > ff02::2: "
        + "ICMPv6 router solicitation, sum ok, length 16",
        SampleFrames.Ipv6);

    [Fact]
    public void Ipv6_extension_headers_are_walked_over()
    {
        // Hop-by-hop options, then a first fragment of a UDP datagram.
        byte[] frame =
        [
            .. SampleFrames.Ipv6.AsSpan(0, 54),
            .. Hex.Bytes("2c00050200000100"), .. Hex.Bytes("11000001deadbeef"), .. Hex.Bytes("0035003500181234"),
        ];
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(18), 24);
        frame[20] = 0;
        AssertPrints(
            "3e:1e:aa:5c:b7:58 > 33:33:00:00:00:02, IPv6, length 78: "
            + "(hlim 255, hop-by-hop, fragment id 0xdeadbeef offset 0 MF) fe80::3c1e:aaff:fe5c:b758.53 > ff02::2.53: UDP, length 16",
            frame);
    }

    [Theory]
    [InlineData(0, "[Ethernet header truncated: 0 of 14 bytes]")]
    [InlineData(13, "[Ethernet header truncated: 13 of 14 bytes]")]
    [InlineData(14, "02:42:0a:00:01:08 > 02:42:0a:00:01:06, IPv4, length 14: [IPv4 header truncated: 0 of 20 bytes]")]
    [InlineData(33, "02:42:0a:00:01:08 > 02:42:0a:00:01:06, IPv4, length 33: [IPv4 header truncated: 19 of 20 bytes]")]
    [InlineData(37, "02:42:0a:00:01:08 > 02:42:0a:00:01:06, IPv4, length 37: (ttl 64, id 22903, DF, truncated: 23 of 60 bytes) "
        + "10.0.1.8 > 10.0.1.2: [TCP header truncated: 3 of 20 bytes]")]
    [InlineData(42, "02:42:0a:00:01:08 > 02:42:0a:00:01:06, IPv4, length 42: (ttl 64, id 22903, DF, truncated: 28 of 60 bytes) "
        + "10.0.1.8.60794 > 10.0.1.2.80: [TCP header truncated: 8 of 20 bytes]")]
    [InlineData(60, "02:42:0a:00:01:08 > 02:42:0a:00:01:06, IPv4, length 60: (ttl 64, id 22903, DF, truncated: 46 of 60 bytes) "
        + "10.0.1.8.60794 > 10.0.1.2.80: TCP [S], seq 2348007178, win 64860, [TCP options truncated: 26 of 40 bytes]")]
    public void Truncation_is_said_plainly(int lengthBytes, string printed) =>
        AssertPrints(printed, SampleFrames.TcpSynPartialSum.AsSpan(0, lengthBytes).ToArray());

    [Theory]
    [InlineData(14, "55", "[IPv4 header says version 5]")]
    [InlineData(14, "44", "[IPv4 header says its length is 16 bytes]")]
    [InlineData(22, "3f", "(ttl 63, id 1, sum bad (0x64bc, should be 0x65bc)) 10.0.1.8.26012 > 10.0.1.2.53: UDP, no sum, length 11")]
    [InlineData(38, "0007", "(ttl 64, id 1) 10.0.1.8.26012 > 10.0.1.2.53: UDP, no sum, [length field says 7 of 19 bytes], length 0")]
    [InlineData(40, "1234", "(ttl 64, id 1) 10.0.1.8.26012 > 10.0.1.2.53: UDP, sum bad (0x1234, should be 0x48d4), length 11")]
    [InlineData(16, "0013f9d0", "(ttl 64, id 63952, sum bad (0x64bc, should be 0x6b00)) "
        + "10.0.1.8 > 10.0.1.2: [total length 19 is less than the header]")]
    public void Contradictions_are_said_plainly(int offset, string hex, string printed)
    {
        byte[] frame = SampleFrames.UdpWithoutSum;
        Hex.Bytes(hex).CopyTo(frame.AsSpan(offset));
        AssertPrints($"{ToBalancer}, length 53: {printed}", frame);
    }

    [Fact]
    public void Padding_and_oversize_frames()
    {
        AssertPrints(
            $"{ToBalancer}, length 60: (ttl 64, id 1) 10.0.1.8.26012 > 10.0.1.2.53: UDP, no sum, length 11, padding 7",
            [.. SampleFrames.UdpWithoutSum, .. new byte[7]]);

        byte[] oversize = SampleFrames.UdpWithoutSum;
        oversize.AsSpan(16, 2).Clear();
        Ipv4Header.WriteChecksum(oversize.AsSpan(14, 20));
        AssertPrints($"{ToBalancer}, length 53: (ttl 64, id 1) 10.0.1.8.26012 > 10.0.1.2.53: UDP, no sum, length 11", oversize);
    }

    [Fact]
    public void Odd_vxlan_headers()
    {
        byte[] frame = SampleFrames.TcpSynInVxlan;
        Hex.Bytes("80000001").CopyTo(frame.AsSpan(42));
        Assert.Contains("VXLAN vni 4097 without the I flag, reserved bits 0x8000000100000000 | 02:42", FramePrinter.Print(frame));
    }

    [Theory]
    [InlineData("88cc", "LLDP")]
    [InlineData("0026", "802.3 (38 bytes)")]
    [InlineData("1234", "ethertype 0x1234")]
    public void Other_ether_types_are_named(string hex, string name)
    {
        byte[] frame = SampleFrames.ArpRequest;
        Hex.Bytes(hex).CopyTo(frame.AsSpan(12));
        AssertPrints($"02:42:0a:00:01:08 > ff:ff:ff:ff:ff:ff, {name}, length 42", frame);
    }

    [Fact]
    public void Frames_without_ethernet_are_printed_from_their_payload()
    {
        var line = new StringBuilder("> ");
        FramePrinter.PrintPayload(EtherType.Ipv4, SampleFrames.Sctp.AsSpan(14), line);
        Assert.Equal("> IPv4, length 52: (ttl 64, id 1) 10.0.1.8.258 > 10.0.1.2.80: SCTP, length 32", line.ToString());
    }

    private static void AssertPrints(string expected, byte[] frame) => Assert.Equal(expected, FramePrinter.Print(frame));
}
