namespace FastPathLb.Architecture.Tests;

/// <summary>Projects refer to each other as the table in src/README.md has it: down the list only, and to those it names.</summary>
public sealed class LayerTests
{
    public static TheoryData<string> Projects => [.. SourceTree.Projects];

    [Fact]
    public void The_table_has_every_project()
    {
        Assert.Equal(SourceTree.Projects.Order(StringComparer.Ordinal), SourceTree.Table.Select(row => row.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_refers_to_what_lies_below_it(string project)
    {
        string[] order = [.. SourceTree.Table.Select(row => row.Name)];
        int own = Array.IndexOf(order, project);
        Assert.All(SourceTree.ReferencesOf(project), reference => Assert.InRange(Array.IndexOf(order, reference), 0, own - 1));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_refers_to_what_the_table_names(string project)
    {
        string knows = SourceTree.Table.Single(row => row.Name == project).Knows;
        string[] references = [.. SourceTree.ReferencesOf(project).Order(StringComparer.Ordinal)];
        if (knows.Contains("all", StringComparison.Ordinal))
        {
            // In full it would be a long list, which the order above bounds.
            Assert.NotEmpty(references);
            return;
        }

        // A library may have a project's name.
        string[] named =
            [.. knows.Split(", ").Where(name => name != project && SourceTree.Projects.Contains(name)).Order(StringComparer.Ordinal)];
        Assert.Equal(named, references);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_has_a_readme_whose_paths_are_there(string project)
    {
        string folder = Path.Combine(SourceTree.Sources, $"FastPathLb.{project}");
        string readme = Path.Combine(folder, "README.md");
        Assert.True(File.Exists(readme), readme);
        Assert.All(SourceTree.PathsIn(readme), path => Assert.True(IsThere(path, folder), $"{readme} names {path}, which is not there"));
    }

    [Fact]
    public void Paths_in_the_sources_readme_are_there()
    {
        string readme = Path.Combine(SourceTree.Sources, "README.md");
        string[] paths = [.. SourceTree.PathsIn(readme)];
        Assert.True(paths.Length > 30, $"only {paths.Length} paths were found");
        Assert.All(paths, path => Assert.True(IsThere(path, SourceTree.Sources), $"{readme} names {path}, which is not there"));
    }

    /// <summary>A project of tests without a test passes unseen.</summary>
    [Fact]
    public void Each_project_of_tests_has_tests()
    {
        string[] folders = Directory.GetDirectories(SourceTree.Tests, "*.Tests");
        Assert.True(folders.Length > 5);
        Assert.All(folders, folder => Assert.True(
            Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
                .Any(file => File.ReadLines(file).Any(line => line.Trim() is "[Fact]" or "[Theory]" || line.Contains("Fact(", StringComparison.Ordinal))),
            $"{folder} has no test"));
    }

    // Relative to the README's folder, or with a project's short name in front.
    private static bool IsThere(string path, string folder)
    {
        string[] candidates =
        [
            Path.Combine(folder, path), Path.Combine(SourceTree.Sources, $"FastPathLb.{path}"), Path.Combine(SourceTree.Tests, $"FastPathLb.{path}"),
        ];
        return candidates.Any(candidate => Directory.Exists(candidate) || File.Exists(candidate) || File.Exists(candidate + ".cs"));
    }
}
