namespace FastPathLb.Io.Captures;

/// <summary>A stream whose asynchronous reads are done at once on the calling thread, for a pipe that is only ever waited for.</summary>
/// <remarks>A file's or terminal's own asynchronous read goes over the thread pool and allocates; a parser that needs the bytes now
/// gains nothing by that. Compressed data that turns out to be damaged ends the stream here, with the reason kept.</remarks>
internal sealed class SynchronousStream(Stream inner) : Stream
{
    /// <summary>What was wrong with the compressed data where it ended, or null.</summary>
    public string? Damage { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (Damage is not null)
        {
            return 0;
        }

        try
        {
            return inner.Read(buffer);
        }
        catch (InvalidDataException damage)
        {
            Damage = damage.Message;
            return 0;
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
