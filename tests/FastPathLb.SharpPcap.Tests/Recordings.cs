using System.IO.Compression;

namespace FastPathLb.SharpPcap.Tests;

/// <summary>The committed captures, copied beside the tests by the build; or those in the folder that the environment names.</summary>
internal static class Recordings
{
    private const string FolderVariable = "FASTPATHLB_CAPTURES";

    private static readonly string s_folder =
        Environment.GetEnvironmentVariable(FolderVariable) ?? Path.Combine(AppContext.BaseDirectory, "captures");

    /// <summary>All of them, by name.</summary>
    public static TheoryData<string> All
    {
        get
        {
            var names = new TheoryData<string>();
            foreach (string path in Directory.EnumerateFiles(s_folder, "*.pcap*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                names.Add(Path.GetRelativePath(s_folder, path));
            }

            return names;
        }
    }

    public static string PathOf(string name) => Path.Combine(s_folder, name);

    /// <summary>libpcap reads no gzip: a copy without, to be deleted by the caller.</summary>
    public static string Unpack(string name)
    {
        string unpacked = Path.Combine(Path.GetTempPath(), $"fastpathlb-{Guid.NewGuid():N}.pcap");
        using FileStream packed = File.OpenRead(PathOf(name));
        using FileStream file = File.Create(unpacked);
        if (name.EndsWith(".gz", StringComparison.Ordinal))
        {
            using var gzip = new GZipStream(packed, CompressionMode.Decompress);
            gzip.CopyTo(file);
        }
        else
        {
            packed.CopyTo(file);
        }

        return unpacked;
    }
}
