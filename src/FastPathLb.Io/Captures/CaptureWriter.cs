using System.IO.Compression;
using System.Runtime.CompilerServices;

namespace FastPathLb.Io.Captures;

/// <summary>Writes pcap or pcapng, nanoseconds kept, without an allocation or a system call for each record.</summary>
/// <remarks>
/// Owned by one worker. Records are collected and written a quarter of a mebibyte at a time, whole records only: the file is a valid capture from
/// its creation on, whenever the program is stopped between two writes. <see cref="Flush"/> brings it up to date, as does
/// <see cref="Dispose()"/>. When a write fails (disk full) the IOException names the file, and the file keeps what was written whole.
/// </remarks>
public abstract class CaptureWriter : IDisposable
{
    private protected CaptureWriter(Stream stream, string name)
    {
        Name = name;
        Output = new WholeRecordOutput(stream, name);
    }

    /// <summary>The file as the user named it, for messages.</summary>
    public string Name { get; }

    /// <summary>pcap or pcapng.</summary>
    public abstract CaptureFormat Format { get; }

    /// <summary>How many frames have been written or collected.</summary>
    public long RecordsWritten { get; private protected set; }

    /// <summary>Bytes the file has when all is flushed, before any compression.</summary>
    public long LengthBytes => Output.LengthBytes;

    private protected WholeRecordOutput Output { get; }

    /// <summary>Creates a capture file of Ethernet frames, or writes over one.</summary>
    /// <param name="path">The file; <c>-</c> for standard output. One that ends in <c>.gz</c> is compressed.</param>
    /// <param name="format">Its format; by its extension if not said, with or without <c>.gz</c>.</param>
    /// <exception cref="IOException">It cannot be created, or this process reads from it.</exception>
    public static CaptureWriter Create(string path, CaptureFormat format = CaptureFormat.ByExtension) =>
        Create(path, new CaptureWriterOptions { Format = format });

    /// <summary>Creates a capture file, or writes over one.</summary>
    /// <param name="path">The file; <c>-</c> for standard output. One that ends in <c>.gz</c> is compressed.</param>
    /// <param name="options">Format, link type and the like.</param>
    /// <exception cref="IOException">It cannot be created, or this process reads from it.</exception>
    public static CaptureWriter Create(string path, CaptureWriterOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(options);
        if (path == "-")
        {
            return Create(Console.OpenStandardOutput(), "standard output", options);
        }

        bool isGzip = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
        string plain = isGzip ? path[..^3] : path;
        bool isPcapng = plain.EndsWith(".pcapng", StringComparison.OrdinalIgnoreCase)
            || plain.EndsWith(".ntar", StringComparison.OrdinalIgnoreCase);
        CaptureFormat format = options.Format != CaptureFormat.ByExtension ? options.Format
            : isPcapng ? CaptureFormat.Pcapng
            : CaptureFormat.Pcap;

        Stream file = OpenFile(path);
        return Create(
            isGzip ? new GZipStream(file, CompressionLevel.Optimal) : file,
            path,
            options with { Format = format });
    }

    /// <summary>Writes a capture to a stream, which it takes over.</summary>
    /// <param name="stream">Where it goes.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="options">Format, link type and the like; <see cref="CaptureFormat.ByExtension"/> is pcap.</param>
    /// <exception cref="IOException">The file header cannot be written.</exception>
    public static CaptureWriter Create(Stream stream, string name, CaptureWriterOptions options)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(options.SnapLengthBytes, nameof(options));
        CaptureWriter writer = options.Format == CaptureFormat.Pcapng
            ? new PcapngWriter(stream, name, options)
            : new PcapWriter(stream, name, options);
        try
        {
            // The header at once: what is then interrupted is an empty capture and not an empty file.
            writer.Flush();
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <summary>Describes a further interface.</summary>
    /// <param name="name">Its name, such as <c>vxlan0</c>; empty for none.</param>
    /// <param name="linkType">What its frames begin with.</param>
    /// <returns>Its index for <see cref="Write"/>. A pcap file has one interface: always 0.</returns>
    /// <exception cref="InvalidOperationException">A pcap file with another link type.</exception>
    public abstract int AddInterface(string name, LinkType linkType);

    /// <summary>Writes a frame.</summary>
    /// <param name="timestampNanoseconds">Nanoseconds since 1970-01-01 00:00 UTC. What the format cannot hold (before 1970; pcap: after
    /// 2106) becomes its first or last instant.</param>
    /// <param name="frame">The bytes, at most <see cref="CaptureLimits.FrameLengthBytesMax"/>.</param>
    /// <param name="interfaceIndex">From <see cref="AddInterface"/>.</param>
    /// <param name="originalLengthBytes">Length on the wire where the frame was cut; the frame's own length if negative.</param>
    /// <exception cref="ArgumentException">Frame too long, or no such interface.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public abstract void Write(
        long timestampNanoseconds,
        ReadOnlySpan<byte> frame,
        int interfaceIndex = 0,
        int originalLengthBytes = -1);

    /// <summary>Writes what has been collected.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Flush() => Output.Flush();

    /// <summary>Writes what has been collected and closes the file.</summary>
    /// <exception cref="IOException">The file cannot be written; not thrown again after an earlier failure.</exception>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Writes what has been collected and closes the file.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            Output.Dispose();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected static void CheckFrameLength(int lengthBytes)
    {
        if (lengthBytes > CaptureLimits.FrameLengthBytesMax)
        {
            throw new ArgumentOutOfRangeException(
                nameof(lengthBytes), lengthBytes, $"A captured frame has at most {CaptureLimits.FrameLengthBytesMax} bytes.");
        }
    }

    private static FileStream OpenFile(string path)
    {
        RefuseFileInUse(path);
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);

        // Not FileMode.Create, which cuts a new file to nothing, too: ext4 begins to write to the disk, when it is closed, all of a file
        // that once was cut so (auto_da_alloc), which for ten million frames took a fifth of the run.
        if (file.CanSeek && file.Length > 0)
        {
            file.SetLength(0);
        }

        return file;
    }

    // FileShare.None takes an exclusive lock, which fails while this program, here or in another process, reads the file: emptying a
    // file that is mapped would be the end of its reader. Then the lock is given back, so that the output can be read as it grows.
    private static void RefuseFileInUse(string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        try
        {
            using var probe = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.None, bufferSize: 0);
        }
        catch (IOException cause)
        {
            throw new IOException($"{path}: cannot be written, it is in use (as the input?): {cause.Message}", cause);
        }
    }
}
