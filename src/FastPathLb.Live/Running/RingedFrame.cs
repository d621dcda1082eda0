namespace FastPathLb.Live.Running;

/// <summary>A frame in a ring.</summary>
/// <param name="bytes">The frame.</param>
/// <param name="wireLengthBytes">Bytes it had on the wire.</param>
/// <param name="timestampNanoseconds">Its time, nanoseconds since the Unix epoch.</param>
internal readonly ref struct RingedFrame(ReadOnlySpan<byte> bytes, int wireLengthBytes, long timestampNanoseconds)
{
    public ReadOnlySpan<byte> Bytes { get; } = bytes;

    public int WireLengthBytes { get; } = wireLengthBytes;

    public long TimestampNanoseconds { get; } = timestampNanoseconds;
}
