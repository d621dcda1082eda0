using FastPathLb.Io.Captures;

namespace FastPathLb.Io.Tests.Captures;

public sealed class PcapngReaderTests
{
    private const ulong Units = 1_418_145_369_123_456;

    private static readonly byte[] s_frame = [.. Enumerable.Range(0, 61).Select(i => (byte)i)];
    private static readonly string s_hex = Convert.ToHexString(s_frame);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void All_three_packet_blocks_are_read_in_both_byte_orders(bool isBigEndian)
    {
        byte[] capture = new CaptureBytes(isBigEndian).Section().Interface()
            .EnhancedPacket(0, Units, s_frame, originalLength: 1500, b => b.Option(2, 1, 0, 0, 0).EndOfOptions())
            .SimplePacket(s_frame)
            .ObsoletePacket(0, Units + 1, s_frame)
            .ToArray();

        using CaptureReader reader = Record.Open(capture);

        Assert.Equal(isBigEndian, reader.Info.IsBigEndian);
        Assert.Equal(CaptureFormat.Pcapng, reader.Info.Format);
        Assert.Equal(
            [
                new((long)Units * 1000, s_hex, 1500, 0, LinkType.Ethernet, 1),
                new(0, s_hex, 61, 0, LinkType.Ethernet, 2),
                new(((long)Units + 1) * 1000, s_hex, 61, 0, LinkType.Ethernet, 3),
            ],
            Record.ReadAll(reader, out string? warning));
        Assert.Null(warning);
    }

    [Fact]
    public void Each_interface_has_its_own_link_type_name_and_clock()
    {
        byte[] capture = new CaptureBytes().Section()
            .Interface(1, 96, b => b.Option(2, "eth0").Option(9, 9).EndOfOptions())
            .Interface(113, 0, b => b.Option(2, "any").EndOfOptions())
            .EnhancedPacket(1, 5, s_frame)
            .Interface(276, 65535, b => b.Option(9, 0x80 | 10).Option(14, 100, 0, 0, 0, 0, 0, 0, 0))
            .EnhancedPacket(0, 6, s_frame)
            .EnhancedPacket(2, 512, s_frame)
            .ToArray();

        using CaptureReader reader = Record.Open(capture);

        Assert.Equal("eth0", Assert.Single(reader.Info.Interfaces).Name); // Known before the first frame.
        Assert.Equal(
            [
                new(5_000, s_hex, 61, 1, LinkType.LinuxSll, 1),
                new(6, s_hex, 61, 0, LinkType.Ethernet, 2),
                new(100_500_000_000, s_hex, 61, 2, LinkType.LinuxSll2, 3),
            ],
            Record.ReadAll(reader, out _));
        Assert.Equal(["eth0", "any", null], reader.Info.Interfaces.Select(i => i.Name));
        Assert.Equal([1_000_000_000ul, 1_000_000ul, 1024ul], reader.Info.Interfaces.Select(i => i.TimestampUnitsPerSecond));
        Assert.Equal([96L, 0L, 65535L], reader.Info.Interfaces.Select(i => i.SnapLengthBytes));
        Assert.Equal([0L, 0L, 100L], reader.Info.Interfaces.Select(i => i.TimestampOffsetSeconds));
        Assert.Equal(
            "pcapng 1.0, little-endian, 3 interfaces, the first Ethernet, nanoseconds, snap length 96",
            reader.Info.ToString());
    }

    [Theory]
    [InlineData(0, 7, 7_000_000_000)]
    [InlineData(3, 7, 7_000_000)]
    [InlineData(6, 7, 7_000)]
    [InlineData(9, 7, 7)]
    [InlineData(10, 79, 7)]
    [InlineData(12, 7_999, 7)]
    [InlineData(19, 79_999_999_999, 7)]
    [InlineData(0x80, 7, 7_000_000_000)]
    [InlineData(0x80 | 1, 7, 3_500_000_000)]
    [InlineData(0x80 | 20, 1_048_577, 1_000_000_953)]
    [InlineData(0x80 | 32, 0x1_8000_0000, 1_500_000_000)]
    [InlineData(0x80 | 63, long.MaxValue, 999_999_999)]
    [InlineData(9, ulong.MaxValue, long.MaxValue)]
    [InlineData(0, ulong.MaxValue, long.MaxValue)]
    public void Every_resolution_becomes_nanoseconds(byte resolution, ulong units, long expected)
    {
        byte[] capture = new CaptureBytes().Section().Interface(options: b => b.Option(9, resolution))
            .EnhancedPacket(0, units, s_frame).ToArray();

        Assert.Equal(expected, Assert.Single(Record.ReadAll(capture)).TimestampNanoseconds);
    }

    [Theory]
    [InlineData(-1L, 1_500_000ul, 500_000_000)]
    [InlineData(-10L, 1_500_000ul, -8_500_000_000)]
    [InlineData(long.MinValue, 0ul, long.MinValue)]
    [InlineData(long.MaxValue, 0ul, long.MaxValue)]
    public void The_offset_is_in_seconds_and_has_a_sign(long offset, ulong units, long expected)
    {
        byte[] capture = new CaptureBytes().Section().Interface(options: b => b.Option(14, BitConverter.GetBytes(offset)))
            .EnhancedPacket(0, units, s_frame).ToArray();

        Assert.Equal(expected, Assert.Single(Record.ReadAll(capture)).TimestampNanoseconds);
    }

    [Theory]
    [InlineData(20, "if_tsresol 0x14 is finer")]
    [InlineData(0x80 | 64, "if_tsresol 0xc0 is finer")]
    public void A_resolution_that_64_bits_cannot_count_is_refused(byte resolution, string expected) =>
        Refuses(new CaptureBytes().Section().Interface(options: b => b.Option(9, resolution)), 28, expected);

    [Fact]
    public void Unknown_blocks_and_options_are_passed_over()
    {
        byte[] capture = new CaptureBytes()
            .Block(0x0a0d0d0a, b => b.UInt32(0x1a2b3c4d).UInt16(1).UInt16(2).UInt64(ulong.MaxValue).Option(1, "comment").EndOfOptions())
            .Block(0x0bad, b => b.UInt32(32473).Append(1, 2, 3))
            .Interface(options: b => b.Option(60000, 1, 2, 3).Option(2, "x").Option(2989, 1).EndOfOptions().Append(9, 9, 9, 9))
            .Block(4, b => b.UInt16(0).UInt16(0))
            .Block(5, b => b.UInt32(0).UInt64(0))
            .Block(10, b => b.UInt32(0x544c534b).UInt32(1).Append(65))
            .Block(0x8000_0001, _ => { })
            .Block(0x4000_0BAD, b => b.Append(new byte[70_000]))
            .EnhancedPacket(0, 1, s_frame, options: b => b.Option(1, "good").Option(32_000, 1, 2, 3, 4, 5))
            .ToArray();

        using CaptureReader reader = Record.Open(capture);

        Assert.Equal("x", reader.Info.Interfaces[0].Name);
        Assert.Equal(s_hex, Assert.Single(Record.ReadAll(reader, out _)).DataHex);
    }

    [Fact]
    public void Sections_may_follow_each_other_in_either_byte_order()
    {
        byte[] first = new CaptureBytes().Section().Interface(1).Interface(101).EnhancedPacket(1, 1, s_frame).ToArray();
        byte[] second = new CaptureBytes(isBigEndian: true).Section(sectionLength: 0)
            .Interface(113).EnhancedPacket(0, 2, s_frame).ToArray();

        List<Record> records = Record.ReadAll([.. first, .. second, .. first]);

        Assert.Equal([1, 2, 4], records.Select(r => r.InterfaceIndex));
        Assert.Equal([LinkType.Raw, LinkType.LinuxSll, LinkType.Raw], records.Select(r => r.LinkType));
        Assert.Equal([1_000L, 2_000L, 1_000L], records.Select(r => r.TimestampNanoseconds));
    }

    [Theory]
    [InlineData(0u, 61u, 61)]
    [InlineData(40u, 61u, 40)]
    [InlineData(61u, 1500u, 61)]
    public void A_simple_packet_is_as_long_as_the_snap_length_left_it(uint snapLength, uint original, int expectedBytes)
    {
        byte[] capture = new CaptureBytes().Section().Interface(snapLength: snapLength)
            .SimplePacket(s_frame[..expectedBytes], original).ToArray();

        Record record = Assert.Single(Record.ReadAll(capture));

        Assert.Equal(s_hex[..(2 * expectedBytes)], record.DataHex);
        Assert.Equal((int)original, record.OriginalLengthBytes);
    }

    [Fact]
    public void A_frame_longer_than_the_snap_length_is_read_whole()
    {
        byte[] capture = new CaptureBytes().Section().Interface(snapLength: 20).EnhancedPacket(0, 1, s_frame).ToArray();

        Assert.Equal(s_hex, Assert.Single(Record.ReadAll(capture)).DataHex);
    }

    [Fact]
    public void A_file_without_interfaces_or_without_packets_has_no_records()
    {
        Assert.Empty(Record.ReadAll(new CaptureBytes().Section().ToArray()));
        byte[] empty = new CaptureBytes().Section().Interface().ToArray();
        Assert.Equal(48, empty.Length);
        Assert.Empty(Record.ReadAll(empty));
    }

    [Fact]
    public void An_interface_name_is_cut_at_its_limit_and_loses_its_terminator()
    {
        using CaptureReader reader = Record.Open(
            new CaptureBytes().Section().Interface(options: b => b.Option(2, new string('n', 2000))).ToArray());
        Assert.Equal(CaptureLimits.InterfaceNameBytesMax, reader.Info.Interfaces[0].Name!.Length);

        using CaptureReader terminated = Record.Open(
            new CaptureBytes().Section().Interface(options: b => b.Option(2, "eth0\0")).ToArray());
        Assert.Equal("eth0", terminated.Info.Interfaces[0].Name);
    }

    [Theory]
    [InlineData(1, "truncated in block 3 (after record 0) at offset 48: 96 bytes expected, 95 there")]
    [InlineData(86, "truncated in block 3 (after record 0) at offset 48: 12 bytes expected, 10 there")]
    public void A_cut_block_is_a_warning_after_the_last_whole_record(int cutBytes, string expected)
    {
        byte[] capture = new CaptureBytes().Section().Interface().EnhancedPacket(0, 1, s_frame).ToArray();

        Assert.Empty(Record.ReadAll(capture[..^cutBytes], out string? warning));
        Assert.Equal(expected, warning);
    }

    [Fact]
    public void A_cut_section_header_is_no_capture() => Assert.Equal(
        "test: offset 0: the first section header is not there whole: "
        + "truncated in block 1 (after record 0) at offset 0: 28 bytes expected, 27 there",
        Assert.Throws<CaptureFormatException>(() => Record.Open(new CaptureBytes().Section().ToArray()[..^1])).Message);

    [Fact]
    public void Damaged_blocks_are_refused_with_offset_and_reason()
    {
        Refuses(new CaptureBytes().Section().UInt32(77).UInt32(13).Append(new byte[20]), 28, "a block length of 13 is no multiple of 4");
        Refuses(new CaptureBytes().Section().UInt32(77).UInt32(8).Append(new byte[20]), 28, "a block length of 8 is not between 12 and");
        Refuses(
            new CaptureBytes().Section().UInt32(77).UInt32(0x4000_0000).Append(new byte[20]),
            28,
            "a block length of 1073741824 is not between");
        Refuses(
            new CaptureBytes().Section().UInt32(77).UInt32(16).UInt32(0).UInt32(20),
            28,
            "the block's length is 16 at its start and 20 at its end");
        Refuses(new CaptureBytes().Section(major: 2), 0, "pcapng version 2.0 is not supported (1.0 is)");
        Refuses(new CaptureBytes().Section().Section(minor: 1), 28, "pcapng version 1.1 is not supported (1.0 is)");
        Refuses(
            new CaptureBytes().Block(0x0a0d0d0a, b => b.UInt32(0x1a2b3c4e).UInt16(1).UInt16(0).UInt64(0)),
            0,
            "byte-order magic 1a2b3c4d expected");
        Refuses(
            new CaptureBytes().Block(0x0a0d0d0a, b => b.UInt32(0x1a2b3c4d).UInt16(1).UInt16(0)),
            0,
            "a Section Header Block has at least 28 bytes, 20 there");
        Refuses(
            new CaptureBytes().Section().Block(1, b => b.UInt32(1)),
            28,
            "an Interface Description Block has at least 20 bytes, 16 there");
        Refuses(
            new CaptureBytes().Section().Interface(options: b => b.UInt16(2).UInt16(400)),
            28,
            "option 2 of an Interface Description Block has 400 bytes, 0 there");
        Refuses(new CaptureBytes().Section().Interface(options: b => b.Option(9, 6, 6)), 28, "option if_tsresol has 1 byte, 2 there");
        Refuses(new CaptureBytes().Section().Interface(options: b => b.Option(9, 6).Option(9, 6)), 28, "option if_tsresol is there twice");
        Refuses(new CaptureBytes().Section().Interface(options: b => b.Option(14, 1)), 28, "option if_tsoffset has 8 bytes, 1 there");
    }

    [Fact]
    public void Damaged_packets_are_refused_with_offset_and_reason()
    {
        Refuses(
            new CaptureBytes().Section().EnhancedPacket(0, 1, s_frame),
            28,
            "a packet of interface 0, which its section has not described (0 are)");
        Refuses(
            new CaptureBytes().Section().Interface().EnhancedPacket(1, 1, s_frame),
            48,
            "a packet of interface 1, which its section has not described (1 are)");
        Refuses(new CaptureBytes().Section().Interface().Section().SimplePacket(s_frame), 76, "a packet of interface 0");
        Refuses(new CaptureBytes().Section().Interface().Block(6, b => b.UInt32(0)), 48, "a packet block has at least 32 bytes, 16 there");
        Refuses(new CaptureBytes().Section().Interface().Block(3, _ => { }), 48, "a Simple Packet Block has at least 16 bytes, 12 there");
        Refuses(
            new CaptureBytes().Section().Interface().SimplePacket(s_frame, 65),
            48,
            "a packet claims 65 captured bytes, its block has room for 64");
        Refuses(
            new CaptureBytes().Section().Interface().EnhancedPacket(0, 0, new byte[CaptureLimits.FrameLengthBytesMax + 1]),
            48,
            "a packet claims 262145 captured bytes, at most 262144 are possible");
    }

    [Fact]
    public void Too_many_interfaces_are_refused()
    {
        byte[] one = new CaptureBytes().Interface().ToArray();
        var capture = new CaptureBytes().Section();
        for (int i = 0; i <= CaptureLimits.InterfaceCountMax; i++)
        {
            capture.Append(one);
        }

        Refuses(capture, 28 + (20 * CaptureLimits.InterfaceCountMax), "more than 65536 interfaces");
    }

    private static void Refuses(CaptureBytes capture, long offset, string expected)
    {
        CaptureFormatException refused = Assert.Throws<CaptureFormatException>(() => Record.ReadAll(capture.ToArray()));

        Assert.StartsWith($"test: offset {offset}: {expected}", refused.Message, StringComparison.Ordinal);
        Assert.Equal(offset, refused.OffsetBytes);
        Assert.DoesNotContain('\n', refused.Message);
    }
}
