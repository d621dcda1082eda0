using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace FastPathLb.Io.Captures;

/// <summary>Reads pcap and pcapng, record by record, without an allocation for each.</summary>
/// <remarks>
/// Owned by one worker. A regular file is mapped and parsed in place; standard input, pipes, devices and gzip come through a stream
/// with the same parser. What libpcap and Wireshark tolerate is tolerated: a snap length of 0 or of nonsense, frames longer than it,
/// high bits in the link type word, fractions of a second and more. A file that ends in the middle of a record gives all records
/// before and then a <see cref="Warning"/>.
/// </remarks>
public abstract class CaptureReader : IDisposable
{
    private protected CaptureReader(string name) => Name = name;

    /// <summary>The file as the user named it, for messages.</summary>
    public string Name { get; }

    /// <summary>What the file says of itself.</summary>
    public abstract CaptureInfo Info { get; }

    /// <summary>After the last record: why the file ended early, one line without the file's name; else null.</summary>
    public string? Warning { get; private set; }

    /// <summary>How many records have been read.</summary>
    public long RecordsRead => RecordsReadCount;

    /// <summary>Offset of the next record from the start of the (decompressed) data, for progress.</summary>
    public abstract long PositionBytes { get; }

    /// <summary>Length of the data, where it is known: of mapped files.</summary>
    public abstract long? LengthBytes { get; }

    // A field behind RecordsRead: incremented for each record.
    private protected long RecordsReadCount;

    /// <summary>Opens a capture file.</summary>
    /// <param name="path">A pcap or pcapng file, plain or gzip (told by its content, not its name); <c>-</c> for standard input.</param>
    /// <exception cref="CaptureFormatException">It is no capture.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The reader owns its stream.")]
    public static CaptureReader Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (path == "-")
        {
            return Open(Console.OpenStandardInput(), "standard input");
        }

        if (Directory.Exists(path))
        {
            throw new CaptureFormatException($"{path}: is a folder, not a capture file");
        }

        // Unbuffered: the mapping or the pipe reads in large pieces. FileShare.Read is also a shared lock on Linux (MappedBytes).
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        try
        {
            return IsMappable(file) && TryMap(file, out MappedBytes mapped) ? Open(mapped, path) : Open(file, path);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads a capture from a stream, which it takes over.</summary>
    /// <param name="stream">pcap or pcapng, plain or gzip.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="CaptureFormatException">It is no capture.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static CaptureReader Open(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Open(PipedBytes.Open(stream), name);
    }

    /// <summary>The next record; false after the last one.</summary>
    /// <param name="frame">Good until the next call, or until the reader is disposed.</param>
    /// <exception cref="CaptureFormatException">The file is damaged here; the records before were good.</exception>
    /// <exception cref="IOException">The file can no longer be read.</exception>
    public abstract bool TryRead(out CapturedFrame frame);

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the file.</summary>
    protected abstract void Dispose(bool disposing);

    private protected void WarnTruncated(string what, long offsetBytes, long expectedBytes, long thereBytes, string? damage)
    {
        string truncated = string.Create(
            CultureInfo.InvariantCulture,
            $"truncated in {what} at offset {offsetBytes}: {expectedBytes} bytes expected, {thereBytes} there");
        Warning = damage is null ? truncated : $"{truncated}; the compressed data is damaged: {damage}";
    }

    private static CaptureReader Open<TBytes>(TBytes bytes, string name)
        where TBytes : struct, IByteWindow
    {
        try
        {
            ReadOnlySpan<byte> start = bytes.Peek(sizeof(uint));
            if (start.IsEmpty && bytes.Damage is null)
            {
                throw new CaptureFormatException($"{name}: is empty, a capture begins with at least a file header");
            }

            uint magic = start.Length < sizeof(uint) ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(start);
            if (magic == PcapngLayout.SectionHeaderBlock)
            {
                return new PcapngReader<TBytes>(bytes, name);
            }

            if (PcapLayout.IsMagic(magic, PcapLayout.MagicMicroseconds)
                || PcapLayout.IsMagic(magic, PcapLayout.MagicNanoseconds)
                || PcapLayout.IsMagic(magic, PcapLayout.MagicModified))
            {
                return new PcapReader<TBytes>(bytes, name);
            }

            throw new CaptureFormatException(name, 0, ForeignFiles.Describe(start, bytes.Damage));
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }

    private static bool IsMappable(FileStream file)
    {
        if (!file.CanSeek || file.Length == 0)
        {
            return false;
        }

        Span<byte> magic = stackalloc byte[2];
        int count = RandomAccess.Read(file.SafeFileHandle, magic, fileOffset: 0);
        return count < magic.Length || magic is not [0x1f, 0x8b];
    }

    // Some file systems refuse to map; reading works on all.
    private static bool TryMap(FileStream file, out MappedBytes mapped)
    {
        try
        {
            mapped = MappedBytes.Map(file);
            return true;
        }
        catch (IOException)
        {
            mapped = default;
            return false;
        }
    }
}
