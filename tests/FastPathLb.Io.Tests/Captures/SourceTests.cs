using System.IO.Compression;
using FastPathLb.Io.Captures;
using FsCheck;
using FsCheck.Fluent;

namespace FastPathLb.Io.Tests.Captures;

/// <summary>Mapped file, stream and gzip are the same capture.</summary>
public sealed class SourceTests
{
    [Fact]
    public void Mapped_files_streams_and_gzip_give_the_same_records()
    {
        using var folder = new TemporaryFolder();
        int count = 0;
        Prop.ForAll<int>(seed =>
        {
            byte[] capture = RandomCapture.Of(seed);
            string plain = folder.Write($"{count}.pcap", capture);
            string gzip = folder.Write($"{count++}.gz", Gzip(capture));
            List<Record> mapped = Read(CaptureReader.Open(plain), out string mappedEnd);
            Assert.NotEmpty(mapped);

            Same(Read(CaptureReader.Open(gzip), out string gzipEnd), gzipEnd);
            Same(Read(CaptureReader.Open(new MemoryStream(capture), plain), out string streamEnd), streamEnd);
            Same(Read(CaptureReader.Open(new DribblingStream(capture, seed), plain), out string dribbleEnd), dribbleEnd);

            void Same(List<Record> records, string end)
            {
                Assert.Equal(mapped, records);
                Assert.Equal(mappedEnd, end);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));
    }

    [Fact]
    public void A_record_over_a_seam_of_two_reads_is_whole()
    {
        // Longer than the pipe's segment, so that seams fall everywhere; many lengths.
        var capture = new CaptureBytes().PcapHeader();
        byte[] data = new byte[90_000];
        new Random(5).NextBytes(data);
        for (int i = 0; i < 200; i++)
        {
            capture.PcapRecord((uint)i, 0, data[..(i * 449 % data.Length)]);
        }

        List<Record> records = Record.ReadAll(capture.ToArray());

        Assert.Equal(200, records.Count);
        Assert.All(records, r => Assert.Equal(
            Convert.ToHexString(data.AsSpan(0, (int)((r.RecordNumber - 1) * 449 % data.Length))), r.DataHex));
    }

    [Fact]
    public void A_mapped_file_knows_its_length_and_place()
    {
        using var folder = new TemporaryFolder();
        byte[] capture = new CaptureBytes().PcapHeader().PcapRecord(1, 2, new byte[60]).ToArray();
        using CaptureReader reader = CaptureReader.Open(folder.Write("a.pcap", capture));

        Assert.Equal(capture.Length, reader.LengthBytes);
        Assert.Equal(24, reader.PositionBytes);
        Assert.True(reader.TryRead(out _));
        Assert.Equal(100, reader.PositionBytes);
        reader.Dispose();
        Assert.False(reader.TryRead(out _));
    }

    [Fact]
    public void Concatenated_gzip_members_are_one_capture()
    {
        byte[] capture = new CaptureBytes().PcapHeader().PcapRecord(1, 2, new byte[60]).PcapRecord(1, 3, new byte[60]).ToArray();

        using CaptureReader reader = CaptureReader.Open(
            new MemoryStream([.. Gzip(capture[..70]), .. Gzip(capture[70..])]), "test");

        Assert.True(reader.Info.IsCompressed);
        Assert.Equal(2, Record.ReadAll(reader, out string? warning).Count);
        Assert.Null(warning);
    }

    [Fact]
    public void Cut_gzip_data_is_a_warning_after_what_could_be_read()
    {
        byte[] gzip = Gzip(RandomCapture.OfLength(100_000));
        using CaptureReader reader = CaptureReader.Open(new MemoryStream(gzip[..(gzip.Length / 2)]), "test");
        List<Record> records = Record.ReadAll(reader, out string? warning);

        Assert.InRange(records.Count, 20, 50);
        Assert.StartsWith($"truncated in record {records.Count + 1} at offset ", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_gzip_sum_is_a_warning_after_what_could_be_read()
    {
        byte[] gzip = Gzip(RandomCapture.OfLength(3_000_000));
        gzip[^8] ^= 1;
        using CaptureReader reader = CaptureReader.Open(new MemoryStream(gzip), "test");

        Assert.InRange(Record.ReadAll(reader, out string? warning).Count, 1000, 3000);
        Assert.Contains("the compressed data is damaged", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void Gzip_that_is_damaged_from_the_start_is_no_capture()
    {
        byte[] gzip = Gzip(new CaptureBytes().PcapHeader().ToArray());
        gzip[^8] ^= 1;

        CaptureFormatException refused = Assert.Throws<CaptureFormatException>(() => Record.Open(gzip));
        Assert.StartsWith("test: offset 0: the compressed data is damaged: ", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "test: is empty, a capture begins with at least a file header")]
    [InlineData("4e", "test: offset 0: a pcap or pcapng magic was expected, 4e was there")]
    [InlineData("3c21444f43545950", "test: offset 0: a pcap or pcapng magic was expected, 3c21444f was there")]
    [InlineData("28b52ffd00000000", "test: offset 0: a pcap or pcapng magic was expected, 28b52ffd was there: it is zstd: pipe it in with")]
    [InlineData("736e6f6f70000000", "test: offset 0: a pcap or pcapng magic was expected, 736e6f6f was there: it looks like a snoop file")]
    [InlineData("d4c3b2a1020004000000", "test: offset 0: the pcap file header has 24 bytes, 10 there")]
    [InlineData("1f8b0800", "test: ")]
    [InlineData("1f8bffffffffffff", "test: ")]
    public void What_is_no_capture_is_said_in_one_line(string hex, string expected)
    {
        CaptureFormatException refused = Assert.Throws<CaptureFormatException>(() => Record.Open(Convert.FromHexString(hex)));

        Assert.StartsWith(expected, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public void A_path_that_is_no_file_is_said_in_one_line()
    {
        using var folder = new TemporaryFolder();

        Assert.Contains("is a folder", Refused(folder.Path), StringComparison.Ordinal);
        Assert.Contains("is empty", Refused(folder.Write("0", [])), StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => CaptureReader.Open(Path.Combine(folder.Path, "missing.pcap")));
    }

    [Fact]
    public void A_device_or_pipe_is_read_as_a_stream()
    {
        if (!File.Exists("/dev/null"))
        {
            return;
        }

        Assert.Contains("is empty", Refused("/dev/null"), StringComparison.Ordinal);
    }

    internal static byte[] Gzip(byte[] data)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(data);
        }

        return compressed.ToArray();
    }

    private static string Refused(string path) =>
        Assert.Throws<CaptureFormatException>(() => CaptureReader.Open(path)).Message;

    private static List<Record> Read(CaptureReader reader, out string end)
    {
        using (reader)
        {
            List<Record> records = Record.ReadAll(reader, out string? warning);
            end = $"{warning}, {reader.PositionBytes}, {reader.Info.Interfaces.Count}, {reader.Info.Format}";
            return records;
        }
    }

    /// <summary>Gives as few bytes at a time as a slow pipe does.</summary>
    private sealed class DribblingStream(byte[] data, int seed) : MemoryStream(data)
    {
        private readonly Random _random = new(seed);

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, _random.Next(1, 200))]);
    }
}
