using System.Text.RegularExpressions;
using System.Xml.Linq;
using FastPathLb.TestKit;

namespace FastPathLb.Architecture.Tests;

/// <summary>The repository as it lies on disk: projects, what they refer to, what their READMEs say of them.</summary>
internal static partial class SourceTree
{
    private const string Prefix = "FastPathLb.";

    /// <summary>src/.</summary>
    public static string Sources { get; } = Path.Combine(Recordings.Repository, "src");

    /// <summary>tests/.</summary>
    public static string Tests { get; } = Path.Combine(Recordings.Repository, "tests");

    /// <summary>Short names of the projects in src/, in no order.</summary>
    public static IReadOnlyList<string> Projects { get; } = [.. Directory.GetDirectories(Sources).Select(Name)];

    /// <summary>The rows of the table in src/README.md, from the bottom of the architecture to its top.</summary>
    public static IReadOnlyList<ProjectRow> Table { get; } =
    [
        .. File.ReadLines(Path.Combine(Sources, "README.md"))
            .Select(line => RowPattern().Match(line)).Where(match => match.Success)
            .Select(match => new ProjectRow(match.Groups["name"].Value, match.Groups["knows"].Value)),
    ];

    /// <summary>Projects that a project refers to.</summary>
    public static IReadOnlyList<string> ReferencesOf(string project)
    {
        string file = Path.Combine(Sources, Prefix + project, $"{Prefix}{project}.csproj");
        return
        [
            .. XDocument.Load(file).Descendants("ProjectReference")
                .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value)[Prefix.Length..]),
        ];
    }

    /// <summary>Paths in backquotes that a README names, with the folder whose names they begin with.</summary>
    public static IEnumerable<string> PathsIn(string readme) =>
        PathPattern().Matches(File.ReadAllText(readme)).Select(match => match.Groups["path"].Value).Distinct();

    private static string Name(string folder) => Path.GetFileName(folder)[Prefix.Length..];

    [GeneratedRegex(@"^\| \[`FastPathLb\.(?<name>\w+)`\]\([^)]*\) \| [^|]* \| (?<knows>[^|]*) \|$")]
    private static partial Regex RowPattern();

    // With a slash: words in backquotes are types and options too.
    [GeneratedRegex(@"`(?<path>[A-Z]\w+(/[\w.]+)+/?|[A-Z]\w+/)`")]
    private static partial Regex PathPattern();
}
