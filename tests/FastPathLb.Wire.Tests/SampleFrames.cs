namespace FastPathLb.Wire.Tests;

/// <summary>Frames as they were recorded, from the captures named, and some made from them.</summary>
internal static class SampleFrames
{
    /// <summary>swarm-web/lb-eth0.pcap, frame 1.</summary>
    public static byte[] ArpRequest => Hex.Bytes("""
        ffffffffffff02420a0001080806000108000604000102420a0001080a0001080000000000000a000102
        """);

    /// <summary>swarm-web/lb-eth0.pcap, frame 2.</summary>
    public static byte[] ArpReply => Hex.Bytes("""
        02420a00010802420a0001060806000108000604000202420a0001060a00010202420a0001080a000108
        """);

    /// <summary>swarm-web/lb-eth0.pcap, frame 3.</summary>
    public static byte[] TcpSynPartialSum => Hex.Bytes("""
        02420a00010602420a00010808004500003c597740004006cb3b0a0001080a000102ed7a00508bf3bf0a00000000a002
        fd5c16380000020405820402080a5bd503a10000000001030307
        """);

    /// <summary>rr-basic/underlay.pcap, frame 1.</summary>
    public static byte[] TcpSynInVxlan => Hex.Bytes("""
        02fc0000000102fc0000000208004500006ebb0200004011f9cbac13bc7bac13b10ee77612b5005a29f4080000000010
        010002420a00010502420a00010808004500003cad6e4000400677440a0001080a0001028fc00050f32d803b00000000
        a002fd5cc7d70000020405820402080a701df95c0000000001030307
        """);

    /// <summary>odd-frames/underlay.pcap, frame 17.</summary>
    public static byte[] TimeExceededInVxlan => Hex.Bytes("""
        02fc0000000202fc00000001080045000076caec00004011e9d9ac13b10eac13bc7bedbd12b500620d65080000000010
        010002420a00010802420a000105080045c0004463c100004001002f0a0001020a0001080b000b240000000045000028
        000100000106a3c60a0001080a0001026598005000000000000000005002200013f10000
        """);

    /// <summary>ping-vip/lb-eth0.pcap, frame 1.</summary>
    public static byte[] EchoRequest => Hex.Bytes("""
        02420a00010502420a000108080045000054f25d4000400132420a0001080a0001020800a1fe035d00019d42026b0000
        0000e8220c0000000000101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435
        3637
        """);

    /// <summary>tcp-loss-reorder/lb-eth0.pcap, frame 17.</summary>
    public static byte[] TcpSack => Hex.Bytes("""
        02420a00010502420a000108080045000040c567400040065f470a0001080a000102a6780050ee588819b52baa58b010
        01fb67a800000101080ad870ce0539e868c00101050ab52bc5a6b52bcb1c
        """);

    /// <summary>odd-frames/lb-eth0.pcap, frame 24.</summary>
    public static byte[] TcpWithIpOptions => Hex.Bytes("""
        02420a00010502420a00010808004600002c000100004006cfbd0a0001080a00010294040000659a0050000000000000
        00005002200013ef0000
        """);

    /// <summary>odd-frames/lb-eth0.pcap, frame 36.</summary>
    public static byte[] UdpWithoutSum => Hex.Bytes("""
        02420a00010502420a00010808004500002700010000401164bc0a0001080a000102659c0035001300006e6f20636865
        636b73756d
        """);

    /// <summary>odd-frames/lb-eth0.pcap, frame 62.</summary>
    public static byte[] Sctp => Hex.Bytes("""
        02420a00010502420a000108080045000034000100004084643c0a0001080a0001020102005000000000000000000000
        000000000000000000000000000000000000
        """);

    /// <summary>swarm-web/ingress-eth1.pcap, frame 1.</summary>
    public static byte[] Ipv6 => Hex.Bytes("""
        3333000000023e1eaa5cb75886dd6000000000103afffe800000000000003c1eaafffe5cb758ff020000000000000000
        00000000000285003f870000000001013e1eaa5cb758
        """);

    /// <summary>icmp-unreachable/lb-eth0.pcap, frame 3.</summary>
    public static byte[] PortUnreachable => Hex.Bytes("""
        02420a00010502420a000104080045c00046ed7c0000400176720a0001040a0001050303132d000000004500002ac89b
        40003f115d1f0a0001050a00010483e9270f00169cb06e6f626f6479206c697374656e73
        """);

    /// <summary>An 802.1ad service tag and an 802.1Q tag in front of <see cref="ArpRequest"/>.</summary>
    public static byte[] QinQArp
    {
        get
        {
            byte[] arp = ArpRequest;
            return [.. arp.AsSpan(0, 12), .. Hex.Bytes("88a8600a8100b064"), .. arp.AsSpan(12)];
        }
    }

    /// <summary>Any two frames of this array differ in what they make a parser do.</summary>
    public static byte[][] All =>
    [
        ArpRequest, ArpReply, TcpSynPartialSum, TcpSynInVxlan, TimeExceededInVxlan, EchoRequest, TcpSack,
        TcpWithIpOptions, UdpWithoutSum, Sctp, Ipv6, PortUnreachable, QinQArp, FragmentOf(UdpWithoutSum, 1480),
    ];

    /// <summary>The same frame with the more-fragments flag, at an offset, with a correct header checksum.</summary>
    public static byte[] FragmentOf(byte[] frame, int offsetBytes)
    {
        byte[] fragment = [.. frame];
        Span<byte> header = fragment.AsSpan(EthernetHeader.MinimumLengthBytes, Ipv4Header.MinimumLengthBytes);
        int field = Ipv4Header.MoreFragmentsMask | (offsetBytes / 8);
        header[Ipv4Header.FragmentOffset] = (byte)(field >> 8);
        header[Ipv4Header.FragmentOffset + 1] = (byte)field;
        Ipv4Header.WriteChecksum(header);
        return fragment;
    }
}
