using System.Reflection;

namespace FastPathLb.NodeState.Tests;

/// <summary>The recordings in captures/, found from the test's own folder upwards.</summary>
internal static class Recordings
{
    public static string Root { get; } = FindRoot();

    /// <summary>Folders that hold a node's dumps.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        .. Directory.GetDirectories(Root)
            .Where(folder => File.Exists(Path.Combine(folder, "lb.ip-addr.txt")))
            .Select(folder => Path.GetFileName(folder)!)
            .Order(StringComparer.Ordinal),
    ];

    public static TheoryData<string> Names => [.. All];

    public static string Folder(string name) => Path.Combine(Root, name);

    public static string Text(string folder, string file) => File.ReadAllText(Path.Combine(Root, folder, file));

    public static NodeState Read(string name, string prefix = "") => NodeDumpReader.Read(Folder(name), prefix);

    // Upwards from the test's own folder; with outputs elsewhere, where the project was built from.
    private static string FindRoot()
    {
        string built = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>()
            .First(item => item.Key == "RepositoryRoot").Value!;
        foreach (string begin in (string[])[AppContext.BaseDirectory, built])
        {
            for (string? folder = begin; folder is not null; folder = Path.GetDirectoryName(folder))
            {
                if (File.Exists(Path.Combine(folder, "FastPathLb.sln")))
                {
                    return Path.Combine(folder, "captures");
                }
            }
        }

        throw new DirectoryNotFoundException("captures/ is not above the tests");
    }
}
