namespace FastPathLb.Cli.Input;

/// <summary>A pipe that may have nothing to say for long: a read that waits ends, as at the end of the data, when asked to stop.</summary>
internal sealed class InterruptibleStream(Stream inner, CancellationToken stopping) : ReadOnlyStream
{
    private byte[] _buffer = [];

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || stopping.IsCancellationRequested)
        {
            return 0;
        }

        if (_buffer.Length < buffer.Length)
        {
            _buffer = new byte[buffer.Length];
        }

        int wanted = buffer.Length;
        IAsyncResult read = Task.Run(() => inner.Read(_buffer, 0, wanted), CancellationToken.None);
        if (WaitHandle.WaitAny([read.AsyncWaitHandle, stopping.WaitHandle]) != 0)
        {
            // The read is left to itself: the process is about to end.
            return 0;
        }

        int count = ((Task<int>)read).GetAwaiter().GetResult();
        _buffer.AsSpan(0, count).CopyTo(buffer);
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
