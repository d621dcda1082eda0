using FastPathLb.Io.Captures;

namespace FastPathLb.Cli.Input;

/// <summary>
/// A capture to read: a file, plain or gzip, or standard input and pipes. Its first frames can be looked at before it is read, and a
/// file can be read more than once.
/// </summary>
internal sealed class CaptureInput : IDisposable
{
    /// <summary>Standard input.</summary>
    public const string StandardInput = "-";

    // Of headers alone; data compresses less.
    private const long CompressionRatio = 8;

    private readonly string _path;
    private readonly RewindableStream? _pipe;
    private CountedStream? _compressed;
    private CaptureReader? _reader;

    private CaptureInput(string path, RewindableStream? pipe)
    {
        _path = path;
        _pipe = pipe;
        Name = path == StandardInput ? "standard input" : path;
    }

    /// <summary>For messages.</summary>
    public string Name { get; }

    /// <summary>The capture, from its beginning. Owned by the input.</summary>
    public CaptureReader Reader => _reader ??= OpenReader();

    /// <summary>Whether it can be read more than once.</summary>
    public bool IsFile => _pipe is null;

    /// <summary>Length of the file in bytes, where it is one.</summary>
    public long? LengthBytes { get; private init; }

    /// <summary>About how many bytes of frames a file holds; 0 where it is none.</summary>
    public long EstimatedBytes => (LengthBytes ?? 0) * (IsFile && IsCompressed() ? CompressionRatio : 1);

    /// <summary>How far the file is read, in bytes.</summary>
    public long PositionBytes => _compressed?.ReadBytes ?? _reader?.PositionBytes ?? 0;

    /// <summary>Opens a capture.</summary>
    /// <exception cref="UsageException">There is no such file.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static CaptureInput Open(string path, CommandConsole console)
    {
        if (path == StandardInput)
        {
            return FromPipe(path, console.OpenInput(), console);
        }

        if (Directory.Exists(path))
        {
            throw new UsageException($"{path}: is a folder; a capture file is expected, such as {Path.Combine(path, "underlay.pcap")}");
        }

        if (!File.Exists(path))
        {
            throw new UsageException($"{path}: there is no such file; a capture (pcap or pcapng, plain or .gz) or '-' is expected");
        }

        FileStream file = OpenFile(path);
        if (!file.CanSeek)
        {
            return FromPipe(path, file, console);
        }

        long length = file.Length;
        file.Dispose();
        return new CaptureInput(path, null) { LengthBytes = length };
    }

    /// <summary>Looks at the first frames: of a file any time, of a pipe before <see cref="Reader"/> is asked for.</summary>
    public void Peek(FrameVisitor visit)
    {
        using CaptureReader reader = _pipe is null ? CaptureReader.Open(_path) : CaptureReader.Open(_pipe, Name);
        Program.Attempt(() => Visit(reader, visit), out _);
    }

    /// <summary>A second reader over a file, owned by the caller.</summary>
    public CaptureReader OpenAnew() => CaptureReader.Open(_path);

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader?.Dispose();
        _compressed?.Dispose();
        if (_reader is null && _pipe is not null)
        {
            _pipe.Rewind();
            _pipe.Dispose();
        }
    }

    // Damage further in ends this; the run itself says where it is.
    private static CaptureReader Visit(CaptureReader reader, FrameVisitor visit)
    {
        bool goesOn = true;
        while (goesOn && reader.TryRead(out CapturedFrame frame))
        {
            goesOn = visit(frame);
        }

        return reader;
    }

    private static CaptureInput FromPipe(string path, Stream stream, CommandConsole console) =>
        new(path, new RewindableStream(new InterruptibleStream(stream, console.Stop.Token)));

    private static FileStream OpenFile(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);

    private CaptureReader OpenReader()
    {
        if (_pipe is not null)
        {
            _pipe.Rewind();
            return CaptureReader.Open(_pipe, Name);
        }

        if (!IsCompressed())
        {
            return CaptureReader.Open(_path);
        }

        // Progress through a compressed file is progress through the file, not through what comes out of it.
        _compressed = new CountedStream(OpenFile(_path));
        return CaptureReader.Open(_compressed, _path);
    }

    private bool IsCompressed()
    {
        using FileStream file = OpenFile(_path);
        return file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
    }
}
