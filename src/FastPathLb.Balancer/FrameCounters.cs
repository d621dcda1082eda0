using FastPathLb.Pipeline;

namespace FastPathLb.Balancer;

/// <summary>What a worker's data path has seen and done. Written by the worker, read by snapshot.</summary>
public sealed class FrameCounters
{
    private readonly long[] _reasons = new long[DropReasonText.CountMax];
    private readonly long[] _verdicts = new long[8];

    /// <summary>Frames in.</summary>
    public long FramesIn { get; private set; }

    /// <summary>Bytes in.</summary>
    public long BytesIn { get; private set; }

    /// <summary>Frames that a capture's snap length had cut.</summary>
    public long CutFrames { get; private set; }

    /// <summary>Frames by verdict.</summary>
    public long this[Verdict verdict] => _verdicts[(int)verdict];

    /// <summary>Frames by the reason why they went no further.</summary>
    public long this[DropReason reason] => _reasons[(int)reason];

    /// <summary>Counts whole frames that were sent on.</summary>
    internal void CountForwarded(int frames, long bytes)
    {
        FramesIn += frames;
        BytesIn += bytes;
        _verdicts[(int)Verdict.Forwarded] += frames;
        _reasons[(int)DropReason.None] += frames;
    }

    /// <summary>Adds what another one counted, which begins from zero.</summary>
    internal void Take(FrameCounters other)
    {
        FramesIn += other.FramesIn;
        BytesIn += other.BytesIn;
        CutFrames += other.CutFrames;
        (other.FramesIn, other.BytesIn, other.CutFrames) = (0, 0, 0);
        Take(_reasons, other._reasons);
        Take(_verdicts, other._verdicts);
    }

    private static void Take(long[] to, long[] from)
    {
        for (int index = 0; index < to.Length; index++)
        {
            to[index] += from[index];
            from[index] = 0;
        }
    }

    internal void Count(in FrameDescriptor frame)
    {
        FramesIn++;
        BytesIn += frame.LengthBytes;
        _verdicts[(int)frame.Verdict]++;
        _reasons[(int)frame.Reason]++;
        if (frame.WireLengthBytes > frame.LengthBytes)
        {
            CutFrames++;
        }
    }
}
