namespace FastPathLb.NodeState;

/// <summary>Whole text files; what goes wrong becomes a <see cref="NodeStateException"/>.</summary>
internal static class TextFile
{
    private const long SizeBytesMax = 64L << 20;

    /// <summary>The text of a file.</summary>
    public static string Read(string path)
    {
        try
        {
            FileInfo file = new(path);
            return !file.Exists || file.Length <= SizeBytesMax
                ? File.ReadAllText(path)
                : throw new NodeStateException($"{path}: {file.Length} bytes are too many for a dump");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException
            or ArgumentException or NotSupportedException)
        {
            throw new NodeStateException($"{path}: {exception.Message}", exception);
        }
    }
}
