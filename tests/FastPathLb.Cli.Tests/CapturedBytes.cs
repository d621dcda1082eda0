using FastPathLb.Io.Captures;

namespace FastPathLb.Cli.Tests;

/// <summary>A frame of a capture, kept.</summary>
internal sealed record CapturedBytes(long TimestampNanoseconds, byte[] Data)
{
    private const int EnvelopeBytes = 50;

    /// <summary>What a VXLAN packet carries.</summary>
    public byte[] Inner => Data[EnvelopeBytes..];

    /// <summary>All frames of a file, which must not end early.</summary>
    public static List<CapturedBytes> Read(string path)
    {
        List<CapturedBytes> frames = [];
        using CaptureReader reader = CaptureReader.Open(path);
        while (reader.TryRead(out CapturedFrame frame))
        {
            frames.Add(new CapturedBytes(frame.TimestampNanoseconds, frame.Data.ToArray()));
        }

        Assert.Null(reader.Warning);
        return frames;
    }
}
