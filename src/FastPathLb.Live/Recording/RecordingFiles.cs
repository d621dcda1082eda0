using FastPathLb.Io.Captures;

namespace FastPathLb.Live.Recording;

/// <summary>The file that a recording is written to, or the ring of files. Owned by one thread.</summary>
internal sealed class RecordingFiles : IDisposable
{
    private readonly RecordingOptions _options;
    private readonly Queue<string> _files = new();
    private CaptureWriter _writer;
    private int _number;

    /// <summary>Opens the first file.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public RecordingFiles(RecordingOptions options)
    {
        _options = options;
        _writer = Open();
    }

    private bool IsRing => _options.FileBytesMax > 0;

    /// <summary>Writes a record, into the next file where the present one is full.</summary>
    /// <exception cref="IOException">It cannot be written; nothing more should be.</exception>
    public void Write(long timestampNanoseconds, ReadOnlySpan<byte> frame)
    {
        if (IsRing && _writer.LengthBytes >= _options.FileBytesMax)
        {
            _writer.Dispose();
            _writer = Open();
        }

        _writer.Write(timestampNanoseconds, frame);
    }

    /// <summary>Gives the system what was collected: whole records.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Flush() => _writer.Flush();

    /// <inheritdoc/>
    public void Dispose() => _writer.Dispose();

    private CaptureWriter Open()
    {
        string path = _options.Path;
        if (IsRing)
        {
            // fastpathlb.pcap.gz becomes fastpathlb.3.pcap.gz.
            string name = Path.GetFileName(path);
            int dot = name.IndexOf('.', StringComparison.Ordinal);
            string numbered = dot < 0 ? $"{name}.{_number}" : $"{name[..dot]}.{_number}{name[dot..]}";
            path = Path.Combine(Path.GetDirectoryName(path) ?? string.Empty, numbered);
            _number++;
        }

        CaptureWriter writer = CaptureWriter.Create(path);
        _files.Enqueue(path);
        while (_files.Count > Math.Max(1, _options.FileCount))
        {
            File.Delete(_files.Dequeue());
        }

        return writer;
    }
}
