namespace FastPathLb.Cli.Input;

/// <summary>A file that is read through a decompressor: how far into the file, for progress.</summary>
internal sealed class CountedStream(Stream inner) : ReadOnlyStream
{
    /// <summary>Bytes read so far.</summary>
    public long ReadBytes { get; private set; }

    public override int Read(Span<byte> buffer)
    {
        int count = inner.Read(buffer);
        ReadBytes += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
