using System.Text.Json;

namespace FastPathLb.Cli.Tests;

public sealed class BenchTests
{
    [Fact]
    public void Every_row_is_measured_and_says_of_what()
    {
        CommandRun run = CommandRun.Of("bench", "--connections", "1024", "--workers", "2", "--json");
        if (!OperatingSystem.IsLinux())
        {
            Assert.Equal(ExitCode.BadInput, run.Code);
            return;
        }

        Assert.Equal(ExitCode.Success, run.Code);
        JsonElement[] rows = [.. run.Json.GetProperty("rows").EnumerateArray()];
        Assert.Equal(
            [
                "established, both ways 1", "new connections 1", "established, both ways 2", "new connections 2",
                "file to file, replay 1", "file to file, copy alone 1",
            ],
            rows.Select(row => $"{row.GetProperty("what").GetString()} {row.GetProperty("workers").GetInt32()}"));
        Assert.All(rows, row =>
        {
            double nanoseconds = row.GetProperty("nanosecondsPerFrame").GetDouble();
            Assert.InRange(nanoseconds, 1, 1e6);
            Assert.True(row.GetProperty("nanosecondsPerFrameMedian").GetDouble() >= nanoseconds * 0.5);
            Assert.InRange(row.GetProperty("framesPerSecond").GetDouble(), 1e3, 1e9);
        });
        Assert.NotEmpty(run.Json.GetProperty("machine").GetString()!);
    }

    [Theory]
    [InlineData("--workers 65: 1 to 64 is expected", "--workers", "65")]
    [InlineData("--connections 12: a whole number, 1024 or more, is expected", "--connections", "12")]
    public void Bad_numbers_are_named(string error, params string[] words)
    {
        CommandRun run = CommandRun.Of(["bench", .. words]);

        Assert.Equal(ExitCode.BadInput, run.Code);
        Assert.StartsWith($"fastpathlb: {error}", run.Error);
    }
}
