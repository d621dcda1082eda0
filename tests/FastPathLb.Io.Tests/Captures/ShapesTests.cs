using FastPathLb.Io.Captures;

namespace FastPathLb.Io.Tests.Captures;

/// <summary>The odd captures are committed for people to try; here are the bytes they must have.</summary>
/// <remarks>With FASTPATHLB_WRITE_SHAPES=1 the test writes them.</remarks>
public sealed class ShapesTests
{
    private static readonly string s_folder = Path.Combine(CapturesFolder.Path, "shapes");

    public static TheoryData<string> Names => [.. Shapes.All.Select(s => s.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_committed_file_has_the_bytes_of_its_shape_and_is_read(string name)
    {
        (_, int records, string? warning, byte[] bytes) = Shapes.All.Single(s => s.Name == name);
        string path = Path.Combine(s_folder, name);
        bool isGzip = name.EndsWith(".gz", StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable("FASTPATHLB_WRITE_SHAPES") == "1")
        {
            File.WriteAllBytes(path, isGzip ? SourceTests.Gzip(bytes) : bytes);
        }

        using CaptureReader committed = CaptureReader.Open(path);
        using CaptureReader made = Record.Open(bytes);
        List<Record> read = Record.ReadAll(committed, out string? committedWarning);

        Assert.Equal(records, read.Count);
        Assert.Equal(Record.ReadAll(made, out string? madeWarning), read);
        Assert.Equal(warning, committedWarning);
        Assert.Equal(warning, madeWarning);
        if (!isGzip)
        {
            Assert.Equal(Convert.ToHexString(bytes), Convert.ToHexString(File.ReadAllBytes(path)));
        }
    }

    [Fact]
    public void Every_shape_has_its_line_in_the_README_and_every_file_is_a_shape()
    {
        string readme = File.ReadAllText(Path.Combine(s_folder, "README.md"));

        Assert.All(Shapes.All, s => Assert.Contains($"| {s.Name} |", readme, StringComparison.Ordinal));
        Assert.Equal(
            Shapes.All.Select(s => s.Name).Append("README.md").Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(s_folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void One_instant_in_six_resolutions_is_one_instant()
    {
        byte[] bytes = Shapes.All.Single(s => s.Name == "resolutions.pcapng").Bytes;

        Assert.All(Record.ReadAll(bytes), r => Assert.Equal(1_700_000_000_500_000_000, r.TimestampNanoseconds));
    }
}
