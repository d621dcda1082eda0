namespace FastPathLb.Cli.Input;

/// <summary>A stream that cannot be read twice, of which the beginning can: what was read until <see cref="Rewind"/> comes again.</summary>
internal sealed class RewindableStream(Stream inner) : ReadOnlyStream
{
    private readonly MemoryStream _beginning = new();
    private bool _isRewound;

    /// <summary>Goes back to the start, once; from now on the stream is disposed of when asked.</summary>
    public void Rewind()
    {
        _beginning.Position = 0;
        _isRewound = true;
    }

    public override int Read(Span<byte> buffer)
    {
        if (_isRewound)
        {
            int again = _beginning.Read(buffer);
            return again > 0 ? again : inner.Read(buffer);
        }

        int count = inner.Read(buffer);
        _beginning.Write(buffer[..count]);
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && _isRewound)
        {
            inner.Dispose();
            _beginning.Dispose();
        }

        base.Dispose(disposing);
    }
}
