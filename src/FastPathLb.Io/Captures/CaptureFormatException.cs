namespace FastPathLb.Io.Captures;

/// <summary>A file is no capture, or is damaged where nothing after it can be trusted.</summary>
/// <remarks>The message is one line for people: file, offset, what was expected and what was there. A file that merely ends early is
/// not this but <see cref="CaptureReader.Warning"/>.</remarks>
public sealed class CaptureFormatException : IOException
{
    /// <summary>Without a message; for serializers only.</summary>
    public CaptureFormatException()
    {
    }

    /// <summary>With a message made by the caller.</summary>
    public CaptureFormatException(string message)
        : base(message)
    {
    }

    /// <summary>With a message made by the caller and its cause.</summary>
    public CaptureFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>At an offset of a file.</summary>
    /// <param name="name">The file, as the user named it.</param>
    /// <param name="offsetBytes">Where, from the start of the (decompressed) data.</param>
    /// <param name="problem">What was expected and what was there.</param>
    public CaptureFormatException(string name, long offsetBytes, string problem)
        : base($"{name}: offset {offsetBytes}: {problem}")
    {
        OffsetBytes = offsetBytes;
    }

    /// <summary>Where, from the start of the (decompressed) data.</summary>
    public long OffsetBytes { get; }
}
