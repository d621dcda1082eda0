using System.Runtime.InteropServices;

namespace FastPathLb.Pipeline;

/// <summary>One frame to send: where its bytes are, and which input frame caused it.</summary>
/// <remarks>The first sixteen bytes, from the offset on, are written as one vector.</remarks>
[StructLayout(LayoutKind.Sequential)]
public struct EmittedFrame
{
    /// <summary>First byte of the frame, as an offset into the batch's arena.</summary>
    public int Offset;

    /// <summary>Bytes that are there.</summary>
    public int LengthBytes;

    /// <summary>Length of the whole frame in bytes; more than <see cref="LengthBytes"/> where the capture cut what caused it.</summary>
    public int WireLengthBytes;

    /// <summary>Port of the data path the frame leaves by.</summary>
    public int PortIndex;

    /// <summary>Index of the causing input frame in its batch, or -1 (a timer).</summary>
    public int InputIndex;

    /// <summary>Time of sending, nanoseconds since the Unix epoch: the causing frame's own.</summary>
    public long TimestampNanoseconds;
}
