using System.Runtime.InteropServices;

namespace FastPathLb.Pipeline;

/// <summary>One input frame of a batch: where its bytes are, and what was decided about it.</summary>
/// <remarks>The first sixteen bytes, from the offset on, are read as one vector.</remarks>
[StructLayout(LayoutKind.Sequential)]
public struct FrameDescriptor
{
    /// <summary>First byte of the frame, as an offset into the batch's arena.</summary>
    public int Offset;

    /// <summary>Bytes that are there.</summary>
    public int LengthBytes;

    /// <summary>Bytes the frame had on the wire; more than <see cref="LengthBytes"/> where a capture's snap length cut it.</summary>
    public int WireLengthBytes;

    /// <summary>Port of the data path the frame came in at.</summary>
    public int PortIndex;

    /// <summary>Time of arrival, nanoseconds since the Unix epoch.</summary>
    public long TimestampNanoseconds;

    /// <summary>Number of the frame in its source, from 1; 0 where the source does not count.</summary>
    public long Number;

    /// <summary>The connection that decided, or -1.</summary>
    public int Connection;

    /// <summary>What became of it.</summary>
    public Verdict Verdict;

    /// <summary>Why it went no further.</summary>
    public DropReason Reason;

    /// <summary>Which turn it has among frames that several workers must process in their order; 0 for none.</summary>
    public ushort Turn;
}
