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
