using FastPathLb.Io.Captures;

namespace FastPathLb.Io.Tests.Captures;

public sealed class PcapReaderTests
{
    private static readonly byte[] s_frame = [.. Enumerable.Range(0, 60).Select(i => (byte)i)];

    [Theory]
    [InlineData(false, CaptureBytes.Microseconds, 1_418_145_369_123_456_000)]
    [InlineData(true, CaptureBytes.Microseconds, 1_418_145_369_123_456_000)]
    [InlineData(false, CaptureBytes.Nanoseconds, 1_418_145_369_000_123_456)]
    [InlineData(true, CaptureBytes.Nanoseconds, 1_418_145_369_000_123_456)]
    public void Both_byte_orders_and_both_resolutions_are_read(bool isBigEndian, uint magic, long expected)
    {
        byte[] capture = new CaptureBytes(isBigEndian).PcapHeader(magic).PcapRecord(1_418_145_369, 123_456, s_frame).ToArray();

        using CaptureReader reader = Record.Open(capture);

        Assert.Equal(isBigEndian, reader.Info.IsBigEndian);
        Assert.Equal(magic == CaptureBytes.Nanoseconds ? 1_000_000_000ul : 1_000_000ul, reader.Info.TimestampUnitsPerSecond);
        Record record = Assert.Single(Record.ReadAll(reader, out string? warning));
        Assert.Equal(new Record(expected, Convert.ToHexString(s_frame), 60, 0, LinkType.Ethernet, 1), record);
        Assert.Null(warning);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Modified_records_have_a_longer_header(bool isBigEndian)
    {
        byte[] capture = new CaptureBytes(isBigEndian).PcapHeader(CaptureBytes.Modified)
            .UInt32(7).UInt32(5).UInt32(4).UInt32(60).UInt32(2).UInt16(0x0800).Append(4, 0).Append(1, 2, 3, 4)
            .UInt32(8).UInt32(6).UInt32(1).UInt32(1).UInt32(2).UInt16(0x0800).Append(4, 0).Append(9)
            .ToArray();

        using CaptureReader reader = Record.Open(capture);

        Assert.True(reader.Info.HasModifiedRecords);
        Assert.Contains("Kuznetzov", reader.Info.ToString(), StringComparison.Ordinal);
        Assert.Equal(
            [new(7_000_005_000, "01020304", 60, 0, LinkType.Ethernet, 1), new(8_000_006_000, "09", 1, 0, LinkType.Ethernet, 2)],
            Record.ReadAll(reader, out _));
    }

    [Theory]
    [InlineData(0x0000_0001u, LinkType.Ethernet, 0)]
    [InlineData(0x3000_0001u, LinkType.Ethernet, 0)] // A length that is not "given".
    [InlineData(0x4000_0001u, LinkType.Ethernet, 0)]
    [InlineData(0x0400_0001u, LinkType.Ethernet, 0)]
    [InlineData(0x2400_0001u, LinkType.Ethernet, 4)]
    [InlineData(0x0800_0001u, LinkType.Ethernet, 0)]
    [InlineData(0x3000_0084u, (LinkType)132, 0)]
    [InlineData(0x0000_0071u, LinkType.LinuxSll, 0)]
    [InlineData(0x0000_0114u, LinkType.LinuxSll2, 0)]
    [InlineData(0x0000_0065u, LinkType.Raw, 0)]
    [InlineData(12u, LinkType.Raw, 0)]
    [InlineData(14u, LinkType.Raw, 0)]
    [InlineData(228u, LinkType.Ipv4, 0)]
    [InlineData(229u, LinkType.Ipv6, 0)]
    [InlineData(0u, LinkType.Null, 0)]
    public void High_bits_of_the_link_type_word_are_not_link_type(uint word, LinkType expected, int frameCheckSequenceBytes)
    {
        byte[] capture = new CaptureBytes().PcapHeader(linkTypeWord: word).PcapRecord(1, 2, s_frame).ToArray();

        using CaptureReader reader = Record.Open(capture);

        Assert.Equal(expected, reader.Info.LinkType);
        Assert.Equal(frameCheckSequenceBytes, reader.Info.Interfaces[0].FrameCheckSequenceBytes);
        Assert.Equal(expected, Assert.Single(Record.ReadAll(reader, out _)).LinkType);
    }

    [Fact]
    public void Reserved_bits_of_the_link_type_word_are_refused()
    {
        CaptureFormatException refused = Assert.Throws<CaptureFormatException>(
            () => Record.Open(new CaptureBytes().PcapHeader(linkTypeWord: 0x0001_0001).ToArray()));

        Assert.Equal("test: offset 20: reserved bits 25..16 of the link type word 0x00010001 must be 0", refused.Message);
    }

    [Theory]
    [InlineData(0u, 0)]
    [InlineData(4u, 4)] // Shorter than the frame: the frame is whole.
    [InlineData(uint.MaxValue, 0)]
    public void An_absurd_snap_length_cuts_nothing(uint snapLength, long expected)
    {
        byte[] capture = new CaptureBytes().PcapHeader(snapLength: snapLength).PcapRecord(1, 2, s_frame).ToArray();

        using CaptureReader reader = Record.Open(capture);

        Assert.Equal(expected, reader.Info.SnapLengthBytes);
        Assert.Equal(Convert.ToHexString(s_frame), Assert.Single(Record.ReadAll(reader, out _)).DataHex);
    }

    [Theory]
    [InlineData(CaptureBytes.Microseconds, 1_000_000u, 11_000_000_000)]
    [InlineData(CaptureBytes.Microseconds, 2_147_483_648u, 2_157_483_648_000)]
    [InlineData(CaptureBytes.Microseconds, uint.MaxValue, 4_304_967_295_000)]
    [InlineData(CaptureBytes.Nanoseconds, 1_000_000_000u, 11_000_000_000)]
    [InlineData(CaptureBytes.Nanoseconds, 2_147_483_648u, 12_147_483_648)]
    public void A_fraction_of_a_second_and_more_counts_on(uint magic, uint fraction, long expected)
    {
        byte[] capture = new CaptureBytes().PcapHeader(magic).PcapRecord(10, fraction, s_frame).ToArray();

        Assert.Equal(expected, Assert.Single(Record.ReadAll(capture)).TimestampNanoseconds);
    }

    [Fact]
    public void Seconds_are_unsigned()
    {
        byte[] capture = new CaptureBytes().PcapHeader().PcapRecord(uint.MaxValue, 0, s_frame).ToArray();

        Assert.Equal(4_294_967_295_000_000_000, Assert.Single(Record.ReadAll(capture)).TimestampNanoseconds);
    }

    [Fact]
    public void A_frame_above_64_KiB_is_read_whole()
    {
        byte[] big = new byte[80_116];
        Random.Shared.NextBytes(big);
        byte[] capture = new CaptureBytes().PcapHeader().PcapRecord(1, 2, big).PcapRecord(1, 3, s_frame).ToArray();

        List<Record> records = Record.ReadAll(capture);

        Assert.Equal(2, records.Count);
        Assert.Equal(Convert.ToHexString(big), records[0].DataHex);
    }

    [Fact]
    public void A_cut_frame_says_so()
    {
        byte[] capture = new CaptureBytes().PcapHeader().PcapRecord(1, 2, s_frame, originalLength: 1514).ToArray();

        using CaptureReader reader = Record.Open(capture);
        Assert.True(reader.TryRead(out CapturedFrame frame));

        Assert.True(frame.IsCut);
        Assert.Equal(1514, frame.OriginalLengthBytes);
        Assert.Equal(60, frame.Data.Length);
    }

    [Fact]
    public void An_absurd_original_length_is_the_largest_there_is()
    {
        byte[] capture = new CaptureBytes().PcapHeader().PcapRecord(1, 2, s_frame, originalLength: uint.MaxValue).ToArray();

        Assert.Equal(int.MaxValue, Assert.Single(Record.ReadAll(capture)).OriginalLengthBytes);
    }

    [Theory]
    [InlineData(2, 2, 100u, 60u)] // Before 2.3 the original length came first.
    [InlineData(2, 3, 100u, 60u)]
    [InlineData(2, 3, 60u, 100u)] // Some files of 2.3 have it so, some the other way.
    [InlineData(2, 4, 60u, 100u)]
    [InlineData(543, 0, 100u, 60u)] // DG/UX.
    public void The_two_lengths_stand_where_the_version_puts_them(int major, int minor, uint first, uint second)
    {
        byte[] capture = new CaptureBytes().PcapHeader(major: major, minor: minor)
            .UInt32(1).UInt32(2).UInt32(first).UInt32(second).Append(s_frame).ToArray();

        Record record = Assert.Single(Record.ReadAll(capture));

        Assert.Equal(Convert.ToHexString(s_frame), record.DataHex);
        Assert.Equal(100, record.OriginalLengthBytes);
    }

    [Theory]
    [InlineData(2, 5)]
    [InlineData(1, 4)]
    [InlineData(3, 0)]
    public void An_unknown_version_is_refused(int major, int minor)
    {
        CaptureFormatException refused = Assert.Throws<CaptureFormatException>(
            () => Record.Open(new CaptureBytes().PcapHeader(major: major, minor: minor).ToArray()));

        Assert.Equal($"test: offset 4: pcap version {major}.{minor} is not supported (2.0 to 2.4 are)", refused.Message);
    }

    [Fact]
    public void A_file_that_is_only_a_header_has_no_records_and_no_warning()
    {
        byte[] capture = new CaptureBytes().PcapHeader().ToArray();

        Assert.Equal(24, capture.Length);
        Assert.Empty(Record.ReadAll(capture));
    }

    [Theory]
    [InlineData(1, "truncated in record 3 at offset 176: 16 bytes expected, 15 there")]
    [InlineData(15, "truncated in record 3 at offset 176: 16 bytes expected, 1 there")]
    public void A_cut_record_header_is_a_warning_after_the_last_whole_record(int cutBytes, string expected)
    {
        byte[] capture = new CaptureBytes().PcapHeader()
            .PcapRecord(1, 2, s_frame).PcapRecord(1, 3, s_frame).PcapRecord(1, 4, []).ToArray();

        List<Record> records = Record.ReadAll(capture[..^cutBytes], out string? warning);

        Assert.Equal(2, records.Count);
        Assert.Equal(expected, warning);
    }

    [Fact]
    public void Cut_record_data_is_a_warning_after_the_last_whole_record()
    {
        byte[] capture = new CaptureBytes().PcapHeader().PcapRecord(1, 2, s_frame).PcapRecord(1, 3, s_frame).ToArray();

        List<Record> records = Record.ReadAll(capture[..^1], out string? warning);

        Assert.Single(records);
        Assert.Equal("truncated in record 2 at offset 100: 76 bytes expected, 75 there", warning);
    }

    [Fact]
    public void A_record_longer_than_any_frame_is_refused_and_the_records_before_it_are_not()
    {
        byte[] capture = new CaptureBytes().PcapHeader().PcapRecord(1, 2, s_frame)
            .UInt32(1).UInt32(3).UInt32(262_145).UInt32(262_145).Append(new byte[262_145]).ToArray();

        using CaptureReader reader = Record.Open(capture);

        Assert.True(reader.TryRead(out _));
        CaptureFormatException refused = Assert.Throws<CaptureFormatException>(() => reader.TryRead(out _));
        Assert.Equal("test: offset 100: record 2 claims 262145 captured bytes, at most 262144 are possible", refused.Message);
        Assert.Equal(100, refused.OffsetBytes);
    }

    [Fact]
    public void The_longest_frame_is_read()
    {
        byte[] capture = new CaptureBytes().PcapHeader().PcapRecord(1, 2, new byte[CaptureLimits.FrameLengthBytesMax]).ToArray();

        Assert.Equal(CaptureLimits.FrameLengthBytesMax, Assert.Single(Record.ReadAll(capture)).OriginalLengthBytes);
    }

    [Fact]
    public void What_the_file_says_of_itself_fits_on_a_line()
    {
        using CaptureReader reader = Record.Open(new CaptureBytes(isBigEndian: true).PcapHeader(CaptureBytes.Nanoseconds, 113).ToArray());

        Assert.Equal("pcap 2.4, big-endian, LinuxSll, nanoseconds, snap length 262144", reader.Info.ToString());
        Assert.Equal(CaptureFormat.Pcap, reader.Info.Format);
    }
}
