using FastPathLb.Io.Captures;

namespace FastPathLb.Io.Tests.Captures;

/// <summary>Every recording in captures/ is read to its end.</summary>
public sealed class RecordingsTests
{
    public static TheoryData<string> Files =>
    [
        .. Directory.EnumerateFiles(CapturesFolder.Path, "*.pcap.gz", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(CapturesFolder.Path, f))
            .Where(f => !f.StartsWith("shapes", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_recording_is_read_to_its_end(string file)
    {
        using CaptureReader reader = CaptureReader.Open(Path.Combine(CapturesFolder.Path, file));

        List<Record> records = Record.ReadAll(reader, out string? warning);

        Assert.Null(warning);
        Assert.NotEmpty(records);
        Assert.All(records, r => Assert.Equal(LinkType.Ethernet, r.LinkType));
    }

    [Fact]
    public void A_recording_survives_every_format_byte_for_byte()
    {
        string source = Path.Combine(CapturesFolder.Path, "rr-basic", "underlay.pcap.gz");
        using var folder = new TemporaryFolder();
        Copy(source, folder["1.pcapng"]);
        Copy(folder["1.pcapng"], folder["2.pcap.gz"]);
        Copy(folder["2.pcap.gz"], folder["3.pcap"]);

        using CaptureReader first = CaptureReader.Open(source);
        using CaptureReader last = CaptureReader.Open(folder["3.pcap"]);
        Assert.Equal(Record.ReadAll(first, out _), Record.ReadAll(last, out _));
    }

    private static void Copy(string from, string to)
    {
        using CaptureReader reader = CaptureReader.Open(from);
        using CaptureWriter writer = CaptureWriter.Create(to);
        while (reader.TryRead(out CapturedFrame frame))
        {
            writer.Write(frame.TimestampNanoseconds, frame.Data, originalLengthBytes: frame.OriginalLengthBytes);
        }
    }
}
