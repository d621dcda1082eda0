using System.Text;

namespace FastPathLb.NodeState;

/// <summary>Whole text files; what goes wrong becomes a <see cref="NodeStateException"/>.</summary>
internal static class TextFile
{
    private const long SizeBytesMax = 64L << 20;

    private static ReadOnlySpan<byte> Utf8Mark => [0xEF, 0xBB, 0xBF];

    /// <summary>The text of a file.</summary>
    public static string Read(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            return !file.CanSeek || file.Length <= SizeBytesMax
                ? TryDecode(file) ?? ReadToEnd(file)
                : throw new NodeStateException($"{path}: {file.Length} bytes are too many for a dump");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException
            or ArgumentException or NotSupportedException)
        {
            throw new NodeStateException($"{path}: {exception.Message}", exception);
        }
    }

    // What a dump is: a regular file, in UTF-8. Others' lengths are not told, and marks of other encodings are the library's to read.
    private static string? TryDecode(FileStream file)
    {
        if (!file.CanSeek || file.Length == 0)
        {
            return null;
        }

        byte[] bytes = new byte[file.Length];
        if (file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length || bytes[0] is 0xFE or 0xFF or 0)
        {
            file.Position = 0;
            return null;
        }

        ReadOnlySpan<byte> text = bytes;
        return Encoding.UTF8.GetString(text.StartsWith(Utf8Mark) ? text[Utf8Mark.Length..] : text);
    }

    private static string ReadToEnd(FileStream file)
    {
        using StreamReader reader = new(file);
        return reader.ReadToEnd();
    }
}
