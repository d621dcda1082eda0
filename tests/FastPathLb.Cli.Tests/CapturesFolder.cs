using System.Reflection;

namespace FastPathLb.Cli.Tests;

/// <summary>The repository's captures/.</summary>
internal static class CapturesFolder
{
    public static string Root { get; } = typeof(CapturesFolder).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "CapturesFolder").Value!;

    public static string Folder(string recording) => Path.Combine(Root, recording);

    public static string Underlay(string recording) => Path.Combine(Root, recording, "underlay.pcap.gz");

    public static string Overlay(string recording) => Path.Combine(Root, recording, "lb-eth0.pcap.gz");

    /// <summary>The bytes of a recording's capture, decompressed.</summary>
    public static byte[] Decompressed(string path)
    {
        using var stream = new System.IO.Compression.GZipStream(File.OpenRead(path), System.IO.Compression.CompressionMode.Decompress);
        using MemoryStream bytes = new();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
