using FastPathLb.Io.Captures;

namespace FastPathLb.Cli.Tests;

/// <summary>A frame of a capture, kept.</summary>
internal sealed record CapturedBytes(long TimestampNanoseconds, byte[] Data)
{
    private const int EnvelopeBytes = 50;

    /// <summary>What a VXLAN packet carries.</summary>
    public byte[] Inner => Data[EnvelopeBytes..];

    /// <summary>All frames of a file, which must not end early.</summary>
    public static List<CapturedBytes> Read(string path) => Read(CaptureReader.Open(path));

    /// <summary>All frames of a capture, which must not end early.</summary>
    public static List<CapturedBytes> Read(byte[] capture) => Read(CaptureReader.Open(new MemoryStream(capture), "memory"));

    /// <summary>Writes the frames of a capture again and again, a microsecond apart, until there are so many.</summary>
    public static void Repeat(byte[] capture, int count, string path)
    {
        List<CapturedBytes> frames = Read(capture);
        using CaptureWriter writer = CaptureWriter.Create(path);
        for (int number = 0; number < count; number++)
        {
            writer.Write(frames[0].TimestampNanoseconds + (number * 1000L), frames[number % frames.Count].Data);
        }
    }

    private static List<CapturedBytes> Read(CaptureReader opened)
    {
        List<CapturedBytes> frames = [];
        using CaptureReader reader = opened;
        while (reader.TryRead(out CapturedFrame frame))
        {
            frames.Add(new CapturedBytes(frame.TimestampNanoseconds, frame.Data.ToArray()));
        }

        Assert.Null(reader.Warning);
        return frames;
    }
}
