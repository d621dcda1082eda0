using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FastPathLb.Io.Captures;

/// <summary>A stream, read ahead through a pipe; a gzip stream is recognised by its first bytes and decompressed.</summary>
/// <remarks>
/// The window is the pipe's first segment, in place. A record that lies over a seam of two segments is copied into one piece, about
/// one record in each <see cref="CaptureLimits.ReadBytes"/>.
/// </remarks>
internal struct PipedBytes : IByteWindow
{
    private readonly PipeReader _pipe;
    private readonly SynchronousStream _source;

    // The window: part of a segment of the pipe, or of _seam.
    private byte[] _array = [];
    private int _offset;
    private int _count;

    // What the pipe has lent, and how much of that the parser has passed.
    private ReadOnlySequence<byte> _lent;
    private long _passedBytes;
    private bool _isLent;
    private bool _isEnded;
    private byte[] _seam = [];

    private PipedBytes(PipeReader pipe, SynchronousStream source, bool isCompressed)
    {
        _pipe = pipe;
        _source = source;
        IsCompressed = isCompressed;
    }

    public long PositionBytes { get; private set; }

    public readonly long? LengthBytes => null;

    public bool IsCompressed { get; }

    public readonly string? Damage => _source.Damage;

    /// <summary>Takes a stream over, decompressing it where it begins with the gzip magic (RFC 1952, 2.3.1).</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The pipe owns its stream, and is completed by Dispose.")]
    public static PipedBytes Open(Stream stream)
    {
        var source = new SynchronousStream(stream);
        PipeReader pipe = CreatePipe(source);
        try
        {
            ReadResult first = Wait(pipe.ReadAtLeastAsync(2));
            bool isGzip = IsGzip(first.Buffer);
            pipe.AdvanceTo(first.Buffer.Start);
            if (isGzip)
            {
                var decompressed = new SynchronousStream(new GZipStream(pipe.AsStream(), CompressionMode.Decompress));
                return new PipedBytes(CreatePipe(decompressed), decompressed, isCompressed: true);
            }

            return new PipedBytes(pipe, source, isCompressed: false);
        }
        catch
        {
            pipe.Complete();
            throw;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Peek(int count) =>
        count <= _count ? new ReadOnlySpan<byte>(_array, _offset, _count) : Refill(count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Advance(int count)
    {
        _offset += count;
        _count -= count;
        _passedBytes += count;
        PositionBytes += count;
    }

    public void Dispose()
    {
        _array = [];
        _offset = 0;
        _count = 0;
        _lent = default;
        _passedBytes = 0;
        _isLent = false;
        _isEnded = true;
        _pipe.Complete();
    }

    private static PipeReader CreatePipe(Stream stream) =>
        PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: CaptureLimits.ReadBytes));

    private static bool IsGzip(ReadOnlySequence<byte> start)
    {
        if (start.Length < 2)
        {
            return false;
        }

        Span<byte> magic = stackalloc byte[2];
        start.Slice(0, 2).CopyTo(magic);
        return magic is [0x1f, 0x8b];
    }

    // The streams below complete at once (SynchronousStream), so this neither blocks a thread of the pool nor allocates.
    private static ReadResult Wait(ValueTask<ReadResult> read) =>
        read.IsCompletedSuccessfully ? read.Result : read.AsTask().GetAwaiter().GetResult();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ReadOnlySpan<byte> Refill(int count)
    {
        if (_isEnded && _lent.Length - _passedBytes <= _count)
        {
            return new ReadOnlySpan<byte>(_array, _offset, _count);
        }

        if (_isLent)
        {
            // "Examined to the end" makes the pipe wait for more: only where more is needed.
            SequencePosition passed = _lent.GetPosition(_passedBytes);
            bool isMoreNeeded = _lent.Length - _passedBytes < count;
            _pipe.AdvanceTo(passed, isMoreNeeded ? _lent.End : passed);
        }

        ReadResult result = Wait(_pipe.ReadAtLeastAsync(count));
        _lent = result.Buffer;
        _isLent = true;
        _isEnded = result.IsCompleted;
        _passedBytes = 0;
        ShowWindow(count);
        return new ReadOnlySpan<byte>(_array, _offset, _count);
    }

    private void ShowWindow(int count)
    {
        int wanted = (int)Math.Min(count, _lent.Length);
        if (_lent.First.Length >= wanted && MemoryMarshal.TryGetArray(_lent.First, out ArraySegment<byte> segment))
        {
            _array = segment.Array ?? [];
            _offset = segment.Offset;
            _count = segment.Count;
            return;
        }

        if (_seam.Length < wanted)
        {
            _seam = new byte[Math.Max(wanted, CaptureLimits.FrameLengthBytesMax)];
        }

        _lent.Slice(0, wanted).CopyTo(_seam);
        _array = _seam;
        _offset = 0;
        _count = wanted;
    }
}
