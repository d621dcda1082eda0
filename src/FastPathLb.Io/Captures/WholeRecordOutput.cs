using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastPathLb.Io.Captures;

/// <summary>Collects records in one buffer and writes it in one call when the next does not fit: whole records only.</summary>
/// <remarks>
/// So the file ends between two records whenever the program stops between two writes. If a write fails half way (disk full), the
/// file is cut back to what was written whole; nothing is written after that. Owned by one worker.
/// <para>
/// Whole records end anywhere in a page. What follows is collected at the same place of a page of the buffer: the kernel copies it into
/// the file's pages with one string instruction, which is a third slower where source and target lie differently in their pages.
/// A large file's blocks are reserved ahead (<see cref="FileSpaceInterop"/>), and what was not needed is given back at the end.
/// </para>
/// </remarks>
internal sealed class WholeRecordOutput : IDisposable
{
    private const int PageBytes = 4096;

    // Pinned: its pages stay where they were counted. Room for WriteBytes from any place of the first page on.
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(CaptureLimits.WriteBytes + (2 * PageBytes), pinned: true);
    private readonly int _firstPage;
    private readonly Stream _stream;
    private readonly string _name;

    // What is collected: from here, to there; and how far it may grow.
    private int _start;
    private int _end;
    private int _limit;
    private long _writtenBytes;
    private long _reservedBytes;
    private bool _isFailed;
    private bool _isDisposed;

    /// <param name="stream">Where it goes; taken over.</param>
    /// <param name="name">What to call it in messages.</param>
    public WholeRecordOutput(Stream stream, string name)
    {
        _stream = stream;
        _name = name;
        _firstPage = (int)(-Marshal.UnsafeAddrOfPinnedArrayElement(_buffer, 0) & (PageBytes - 1));
        _reservedBytes = stream is FileStream ? 0 : long.MaxValue;
        BeginAnew();
    }

    /// <summary>Bytes of whole records handed over so far, those still in the buffer included.</summary>
    public long LengthBytes => _writtenBytes + (_end - _start);

    /// <summary>Room for one whole record; the caller fills every byte of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Append(int recordBytes)
    {
        if (recordBytes > _limit - _end)
        {
            WriteOut();
            _limit = Math.Max(_limit, _end + recordBytes);
        }

        Span<byte> record = _buffer.AsSpan(_end, recordBytes);
        _end += recordBytes;
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
                ReleaseReserve();
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

        int start = _start;
        int count = _end - _start;
        _end = _start;
        if (_writtenBytes + count > _reservedBytes)
        {
            Reserve();
        }

        try
        {
            _stream.Write(_buffer, start, count);
            _writtenBytes += count;
            BeginAnew();
        }
        catch (IOException cause)
        {
            throw Failed(cause);
        }
    }

    private void BeginAnew()
    {
        _start = _firstPage + (int)(_writtenBytes & (PageBytes - 1));
        _end = _start;
        _limit = _start + CaptureLimits.WriteBytesUsual;
    }

    // Of no use to files that are soon at their end. Where there is no room, writing finds that out by itself, and later.
    private void Reserve()
    {
        if (_writtenBytes < CaptureLimits.ReserveBytes)
        {
            return;
        }

        long from = Math.Max(_reservedBytes, _writtenBytes);
        _reservedBytes = _stream is FileStream file && FileSpaceInterop.TryReserve(file.SafeFileHandle, from, CaptureLimits.ReserveBytes)
            ? from + CaptureLimits.ReserveBytes
            : long.MaxValue;
    }

    private void ReleaseReserve()
    {
        if (_reservedBytes is > 0 and < long.MaxValue)
        {
            _stream.SetLength(_writtenBytes);
        }
    }

    private IOException Failed(IOException cause)
    {
        _isFailed = true;
        _end = _start;
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
