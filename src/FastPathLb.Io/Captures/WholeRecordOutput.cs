using System.Runtime.CompilerServices;

namespace FastPathLb.Io.Captures;

/// <summary>Collects records in one buffer and writes it in one call when the next does not fit: whole records only.</summary>
/// <remarks>
/// So the file ends between two records whenever the program stops between two writes. If a write fails half way (disk full), the
/// file is cut back to what was written whole; nothing is written after that. Owned by one worker.
/// </remarks>
internal sealed class WholeRecordOutput : IDisposable
{
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(CaptureLimits.WriteBytes);
    private readonly Stream _stream;
    private readonly string _name;
    private int _count;
    private long _writtenBytes;
    private bool _isFailed;
    private bool _isDisposed;

    /// <param name="stream">Where it goes; taken over.</param>
    /// <param name="name">What to call it in messages.</param>
    public WholeRecordOutput(Stream stream, string name)
    {
        _stream = stream;
        _name = name;
    }

    /// <summary>Bytes of whole records handed over so far, those still in the buffer included.</summary>
    public long LengthBytes => _writtenBytes + _count;

    /// <summary>Room for one whole record; the caller fills every byte of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Append(int recordBytes)
    {
        if (recordBytes > _buffer.Length - _count)
        {
            WriteOut();
        }

        Span<byte> record = _buffer.AsSpan(_count, recordBytes);
        _count += recordBytes;
        return record;
    }

    /// <summary>Writes what is collected.</summary>
    public void Flush()
    {
        WriteOut();
        try
        {
            _stream.Flush();
        }
        catch (IOException cause)
        {
            throw Failed(cause);
        }
    }

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        try
        {
            if (!_isFailed)
            {
                Flush();
            }
        }
        finally
        {
            _isDisposed = true;
            _stream.Dispose();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WriteOut()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_isFailed)
        {
            throw new IOException($"{_name}: an earlier write failed");
        }

        int count = _count;
        _count = 0;
        try
        {
            _stream.Write(_buffer, 0, count);
            _writtenBytes += count;
        }
        catch (IOException cause)
        {
            throw Failed(cause);
        }
    }

    private IOException Failed(IOException cause)
    {
        _isFailed = true;
        _count = 0;
        if (_stream.CanSeek)
        {
            try
            {
                _stream.SetLength(_writtenBytes);
            }
            catch (IOException)
            {
                // The file keeps the part of a record at its end; readers of captures say so and go on.
            }
        }

        // .NET has the path at the end of some messages, too.
        int pathStart = cause.Message.IndexOf(" : '", StringComparison.Ordinal);
        string reason = pathStart < 0 ? cause.Message : cause.Message[..pathStart];
        return new IOException($"{_name}: cannot be written: {reason}", cause);
    }
}
