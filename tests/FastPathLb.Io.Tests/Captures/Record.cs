using FastPathLb.Io.Captures;

namespace FastPathLb.Io.Tests.Captures;

/// <summary>A frame that outlives the reader's next call.</summary>
internal sealed record Record(
    long TimestampNanoseconds,
    string DataHex,
    int OriginalLengthBytes,
    int InterfaceIndex,
    LinkType LinkType,
    long RecordNumber)
{
    public static Record Of(in CapturedFrame frame) => new(
        frame.TimestampNanoseconds,
        Convert.ToHexString(frame.Data),
        frame.OriginalLengthBytes,
        frame.InterfaceIndex,
        frame.LinkType,
        frame.RecordNumber);

    /// <summary>All records, and the warning at the end.</summary>
    public static List<Record> ReadAll(CaptureReader reader, out string? warning)
    {
        var records = new List<Record>();
        while (reader.TryRead(out CapturedFrame frame))
        {
            records.Add(Of(frame));
        }

        warning = reader.Warning;
        Assert.False(reader.TryRead(out _));
        Assert.Equal(records.Count, reader.RecordsRead);
        return records;
    }

    public static List<Record> ReadAll(byte[] capture, out string? warning)
    {
        using CaptureReader reader = Open(capture);
        return ReadAll(reader, out warning);
    }

    public static List<Record> ReadAll(byte[] capture)
    {
        List<Record> records = ReadAll(capture, out string? warning);
        Assert.Null(warning);
        return records;
    }

    public static CaptureReader Open(byte[] capture) => CaptureReader.Open(new MemoryStream(capture), "test");
}
