namespace FastPathLb.Io.Tests.Captures;

/// <summary>The odd captures of captures/shapes/, as the bytes they are made of.</summary>
internal static class Shapes
{
    private const uint Seconds = 1_700_000_000;
    private const string SllSyn = "0000" + "0001" + "0006" + Frames.ClientMac + "0000" + "0800";
    private const string SllBroadcast = "0001" + "0001" + "0006" + Frames.ClientMac + "0000" + "0806";
    private const string SllOutgoing = "0004" + "0001" + "0006" + Frames.BalancerMac + "0000" + "0800";
    private const string Sll2Syn = "0800" + "0000" + "00000002" + "0001" + "00" + "06" + Frames.ClientMac + "0000";
    private const string Sll2Broadcast = "0806" + "0000" + "00000002" + "0001" + "01" + "06" + Frames.ClientMac + "0000";
    private const string Sll2Outgoing = "0800" + "0000" + "00000003" + "0001" + "04" + "06" + Frames.BalancerMac + "0000";

    private static readonly byte[] s_syn = Frames.Vxlan(Frames.Syn());

    /// <summary>File name, number of records, warning at the end or null.</summary>
    public static (string Name, int Records, string? Warning, byte[] Bytes)[] All { get; } =
    [
        ("empty.pcap", 0, null, Pcap().ToArray()),
        ("empty.pcapng", 0, null, Pcapng().Interface(1, 262144).ToArray()),
        ("big-endian.pcap", 2, null, Two(new CaptureBytes(true).PcapHeader())),
        ("big-endian-nanoseconds.pcap", 2, null, Two(new CaptureBytes(true).PcapHeader(CaptureBytes.Nanoseconds))),
        ("nanoseconds.pcap", 2, null, Two(new CaptureBytes().PcapHeader(CaptureBytes.Nanoseconds))),
        ("modified-records.pcap", 1, null, Modified()),
        ("version-2.2.pcap", 1, null, Version22()),
        ("linux-sll.pcap", 3, null, Cooked(113, SllSyn, SllBroadcast, SllOutgoing)),
        ("linux-sll2.pcap", 3, null, Cooked(276, Sll2Syn, Sll2Broadcast, Sll2Outgoing)),
        ("raw.pcap", 1, null, OfLinkType(101, Frames.SynPacket())),
        ("raw-as-12.pcap", 1, null, OfLinkType(12, Frames.SynPacket())),
        ("ipv4.pcap", 1, null, OfLinkType(228, Frames.SynPacket())),
        ("null.pcap", 1, null, OfLinkType(0, [2, 0, 0, 0, .. Frames.SynPacket()])),
        ("link-type-high-bits.pcap", 1, null, OfLinkType(0x3000_0001, s_syn)),
        ("link-type-with-fcs.pcap", 1, null, OfLinkType(0x2400_0001, [.. s_syn, 0x12, 0x34, 0x56, 0x78])),
        ("snap-length-0.pcap", 2, null, Two(new CaptureBytes().PcapHeader(snapLength: 0))),
        ("snap-length-huge.pcap", 2, null, Two(new CaptureBytes().PcapHeader(snapLength: uint.MaxValue))),
        ("longer-than-snap-length.pcap", 2, null, Two(new CaptureBytes().PcapHeader(snapLength: 38))),
        ("cut-frames.pcap", 2, null, Cut()),
        ("truncated-record.pcap", 1, "truncated in record 2 at offset 144: 120 bytes expected, 50 there", Two(Pcap())[..194]),
        ("truncated-header.pcap", 1, "truncated in record 2 at offset 144: 16 bytes expected, 9 there", Two(Pcap())[..153]),
        ("fraction-over-a-second.pcap", 3, null, Fractions(CaptureBytes.Microseconds, 999_999)),
        ("fraction-over-a-second-nanoseconds.pcap", 3, null, Fractions(CaptureBytes.Nanoseconds, 999_999_999)),
        ("big-tcp.pcap.gz", 2, null, Pcap().PcapRecord(Seconds, 1, Frames.BigTcp(80_116)).PcapRecord(Seconds, 2, s_syn).ToArray()),
        ("vxlan-odd.pcap", 7, null, OddVxlan()),
        ("many-interfaces.pcapng", 4, null, ManyInterfaces()),
        ("resolutions.pcapng", 6, null, Resolutions()),
        ("unknown-blocks.pcapng", 1, null, UnknownBlocks()),
        ("simple-and-obsolete-packets.pcapng", 3, null, Pcapng().Interface(1, 0)
            .SimplePacket(s_syn).ObsoletePacket(0, Seconds * 1_000_000ul, s_syn).SimplePacket(s_syn).ToArray()),
        ("two-byte-orders.pcapng", 2, null,
        [
            .. Pcapng().Interface(1, 262144).EnhancedPacket(0, Seconds * 1_000_000ul, s_syn).ToArray(),
            .. new CaptureBytes(true).Section().Interface(101, 0).EnhancedPacket(0, Seconds * 1_000_000ul, Frames.SynPacket()).ToArray(),
        ]),
        ("truncated-block.pcapng", 1, "truncated in block 4 (after record 1) at offset 184: 136 bytes expected, 100 there",
            Pcapng().Interface(1, 262144).EnhancedPacket(0, 1, s_syn).EnhancedPacket(0, 2, s_syn).ToArray()[..284]),
    ];

    private static CaptureBytes Pcap() => new CaptureBytes().PcapHeader();

    private static CaptureBytes Pcapng() => new CaptureBytes().Section();

    private static byte[] Two(CaptureBytes capture) => capture
        .PcapRecord(Seconds, 123_456, s_syn).PcapRecord(Seconds + 1, 7, Frames.Vxlan(Frames.Syn(40_001))).ToArray();

    private static byte[] OfLinkType(uint word, byte[] data) =>
        new CaptureBytes().PcapHeader(linkTypeWord: word).PcapRecord(Seconds, 5, data).ToArray();

    private static byte[] Cooked(uint linkType, string syn, string broadcast, string outgoing) =>
        new CaptureBytes().PcapHeader(linkTypeWord: linkType)
            .PcapRecord(Seconds, 1, [.. Convert.FromHexString(broadcast), .. Frames.ArpRequest()])
            .PcapRecord(Seconds, 2, [.. Convert.FromHexString(syn), .. Frames.SynPacket()])
            .PcapRecord(Seconds, 3, [.. Convert.FromHexString(outgoing), .. Frames.SynPacket()])
            .ToArray();

    private static byte[] Modified() => new CaptureBytes().PcapHeader(CaptureBytes.Modified)
        .UInt32(Seconds).UInt32(1).UInt32((uint)s_syn.Length).UInt32((uint)s_syn.Length)
        .UInt32(2).UInt16(0x0800).Append(0, 0).Append(s_syn).ToArray();

    private static byte[] Version22() => new CaptureBytes().PcapHeader(major: 2, minor: 2)
        .UInt32(Seconds).UInt32(1).UInt32(1514).UInt32((uint)s_syn.Length).Append(s_syn).ToArray();

    private static byte[] Cut() => new CaptureBytes().PcapHeader(snapLength: 68)
        .PcapRecord(Seconds, 1, s_syn[..68], (uint)s_syn.Length)
        .PcapRecord(Seconds, 2, s_syn[..40], (uint)s_syn.Length).ToArray();

    private static byte[] Fractions(uint magic, uint last) => new CaptureBytes().PcapHeader(magic)
        .PcapRecord(Seconds, last, s_syn).PcapRecord(Seconds, last + 1, s_syn).PcapRecord(Seconds, 0x8000_0000, s_syn).ToArray();

    private static byte[] OddVxlan()
    {
        byte[] badSum = Frames.Syn();
        badSum[^4] ^= 0xff;
        byte[] nested = Frames.Vxlan(Frames.Vxlan(Frames.Vxlan(Frames.Syn())));
        return Pcap()
            .PcapRecord(Seconds, 1, Frames.Vxlan(Frames.Syn(), targetPort: 8472)) // Linux's port before RFC 7348.
            .PcapRecord(Seconds, 2, Frames.Vxlan(Frames.Syn(), firstWord: 0x8848_0123)) // Group policy.
            .PcapRecord(Seconds, 3, Frames.Vxlan(Frames.Syn(), firstWord: 0x0c00_0003)) // GPE with next protocol Ethernet.
            .PcapRecord(Seconds, 4, Frames.Vxlan(Frames.Syn(), secondWord: 0x0010_01ff)) // Reserved byte not 0.
            .PcapRecord(Seconds, 5, Frames.Vxlan(Frames.Syn(), firstWord: 0)) // No VNI flag.
            .PcapRecord(Seconds, 6, nested)
            .PcapRecord(Seconds, 7, Frames.Vxlan(badSum))
            .ToArray();
    }

    private static byte[] ManyInterfaces() => Pcapng()
        .Interface(1, 262144, b => b.Option(2, "eth0").Option(9, 9).EndOfOptions())
        .Interface(113, 262144, b => b.Option(2, "any").Option(3, "all interfaces").EndOfOptions())
        .EnhancedPacket(1, Seconds * 1_000_000ul, [.. Convert.FromHexString(SllSyn), .. Frames.SynPacket()])
        .Interface(101, 96, b => b.Option(2, "tun0").EndOfOptions())
        .EnhancedPacket(0, (Seconds * 1_000_000_000ul) + 1, s_syn)
        .EnhancedPacket(2, Seconds * 1_000_000ul, Frames.SynPacket())
        .Interface(0, 0)
        .EnhancedPacket(3, Seconds * 1_000_000ul, [2, 0, 0, 0, .. Frames.SynPacket()])
        .ToArray();

    // The same instant, half a second past Seconds, counted in six ways.
    private static byte[] Resolutions() => Pcapng()
        .Interface(1, 0, b => b.Option(9, 3))
        .Interface(1, 0, b => b.Option(9, 9))
        .Interface(1, 0, b => b.Option(9, 12).Option(14, BitConverter.GetBytes((long)Seconds)))
        .Interface(1, 0, b => b.Option(9, 0x80 | 10))
        .Interface(1, 0, b => b.Option(9, 0x80 | 32))
        .Interface(1, 0, b => b.Option(14, BitConverter.GetBytes(-10L)))
        .EnhancedPacket(0, (Seconds * 1_000ul) + 500, s_syn)
        .EnhancedPacket(1, (Seconds * 1_000_000_000ul) + 500_000_000, s_syn)
        .EnhancedPacket(2, 500_000_000_000, s_syn)
        .EnhancedPacket(3, (Seconds * 1_024ul) + 512, s_syn)
        .EnhancedPacket(4, ((ulong)Seconds << 32) + 0x8000_0000, s_syn)
        .EnhancedPacket(5, ((Seconds + 10) * 1_000_000ul) + 500_000, s_syn)
        .ToArray();

    private static byte[] UnknownBlocks() => new CaptureBytes()
        .Block(0x0a0d0d0a, b => b.UInt32(0x1a2b3c4d).UInt16(1).UInt16(0).UInt64(ulong.MaxValue).Option(1, "made by hand").EndOfOptions())
        .Block(0x0000_0bad, b => b.UInt32(32473).Append(1, 2, 3))
        .Block(0x4000_1234, b => b.Append(1, 2, 3, 4, 5))
        .Interface(1, 0, b => b.Option(61_000, 1, 2, 3).Option(2, "eth0").EndOfOptions())
        .Block(4, b => b.UInt16(0).UInt16(0))
        .Block(10, b => b.UInt32(0x544c534b).UInt32(0))
        .EnhancedPacket(
            0,
            Seconds * 1_000_000ul,
            s_syn,
            options: b => b.Option(1, "a comment").Option(2, 1, 0, 0, 0).Option(32_000, 9).EndOfOptions())
        .Block(5, b => b.UInt32(0).UInt64(0).Option(4, 1, 0, 0, 0, 0, 0, 0, 0).EndOfOptions())
        .ToArray();
}
