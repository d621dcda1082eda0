namespace FastPathLb.Io.Captures;

/// <summary>Where a parser's bytes come from: a mapped file or a stream. Structs, so that one parser is compiled for each.</summary>
/// <remarks>Owned by one worker, as the reader around it.</remarks>
internal interface IByteWindow : IDisposable
{
    /// <summary>Offset of the next byte from the start of the (decompressed) data.</summary>
    long PositionBytes { get; }

    /// <summary>Bytes there are in all, where that is known.</summary>
    long? LengthBytes { get; }

    /// <summary>The data came out of gzip.</summary>
    bool IsCompressed { get; }

    /// <summary>Why the data ended early other than by its end: what was wrong with the compressed stream.</summary>
    string? Damage { get; }

    /// <summary>The bytes from the position on: at least <paramref name="count"/>, and fewer only at the end of the data.</summary>
    /// <remarks>Good until the next call of any member but the properties and <see cref="Advance"/>.</remarks>
    ReadOnlySpan<byte> Peek(int count);

    /// <summary>Moves the position; at most by what the last <see cref="Peek"/> gave.</summary>
    void Advance(int count);
}
