using System.Text.RegularExpressions;

namespace FastPathLb.Cli.Tests;

/// <summary>Every command of this program in the repository's README, run on a recording in place of its placeholders.</summary>
public sealed partial class ReadmeTests : IDisposable
{
    private const int CommandsMin = 9;

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Commands => [.. Read()];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Commands))]
    public void It_runs(string command)
    {
        CommandRun run = CommandRun.Of([.. command.Split(' ').Select(Meaning)]);

        Assert.True(run.Code == ExitCode.Success, $"{command}: {run.Code}\n{run.Errors}{run.Output}");
        Assert.NotEmpty(run.Output);
    }

    [Fact]
    public void All_are_found() => Assert.InRange(Read().Length, CommandsMin, 100);

    // drain has both attach points, events and checkpoints.
    private string Meaning(string word, int index) => word switch
    {
        "IN" or "underlay.pcap" => CapturesFolder.Underlay("drain"),
        "lb-eth0.pcap" => CapturesFolder.Overlay("drain"),
        "DIR" when index > 0 && _isState => _folder["tables"],
        "DIR" or "node1" => CapturesFolder.Folder("drain"),
        "FILE" when _isCheckpoints => CapturesFolder.Folder("drain") + "/checkpoints.txt",
        "FILE" => CapturesFolder.Folder("drain") + "/events.txt",
        "captures" => CapturesFolder.Root,
        _ when word.StartsWith("captures/", StringComparison.Ordinal) => Path.Combine(CapturesFolder.Root, word["captures/".Length..]),
        _ when word.EndsWith(".pcap", StringComparison.Ordinal) => _folder[word],
        _ => Note(word),
    };

    private bool _isState;
    private bool _isCheckpoints;

    private string Note(string word)
    {
        (_isState, _isCheckpoints) = (word == "--state", word == "--checkpoints");
        return word;
    }

    private static string[] Read() =>
    [
        .. File.ReadLines(Path.Combine(CapturesFolder.Root, "..", "README.md"))
            .SelectMany(line => CommandPattern().Matches(line))
            .Select(match => match.Groups["words"].Value.Trim())
            .Where(words => words.Length > 0 && words[0] != '-' && words[0] != '`')
            .Distinct(),
    ];

    [GeneratedRegex(@"(?:^    |`)(?:fastpathlb|dotnet run -c Release --project src/FastPathLb\.Cli --) (?<words>[^`#]+)")]
    private static partial Regex CommandPattern();
}
