using FastPathLb.Cli.Commands;

namespace FastPathLb.Cli.Tests;

public sealed class HelpTests
{
    [Theory]
    [InlineData]
    [InlineData("replay")]
    [InlineData("verify")]
    [InlineData("show")]
    [InlineData("config")]
    public void Help_ends_with_examples(params string[] command)
    {
        CommandRun run = CommandRun.Of([.. command, "--help"]);

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Empty(run.Errors);
        string[] examples = [.. run.Lines.SkipWhile(line => line != "Examples:")];
        // The heading and at least two; the program itself has one of each command.
        Assert.InRange(examples.Length, 3, 14);
        Assert.All(examples[1..], example => Assert.Contains("fastpathlb", example));
    }

    [Fact]
    public void Every_example_over_the_repository_s_captures_works()
    {
        string[] help = [.. new[] { "replay", "verify", "show", "config" }.SelectMany(command => CommandRun.Of(command, "--help").Lines)];
        string[] examples = [.. help.Select(line => line.Trim()).Where(line => line.StartsWith("fastpathlb", StringComparison.Ordinal)
            && line.Contains("captures/", StringComparison.Ordinal))];

        Assert.InRange(examples.Length, 4, 20);
        Assert.All(examples, example =>
        {
            string[] words = example.Replace("captures/", CapturesFolder.Root, StringComparison.Ordinal).Split(' ');
            Assert.Equal(ExitCode.Success, CommandRun.Of(words[1..]).Code);
        });
    }

    [Fact]
    public void Completion_offers_options_and_their_words()
    {
        Assert.Contains("--attach", CommandRun.Of("[suggest:10]", "replay --a").Lines);
        Assert.Equal(["node", "overlay", "underlay"], CommandRun.Of("[suggest:16]", "replay --attach ").Lines.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_version_is_told() => Assert.Matches(@"^\d+\.\d+\.\d+", CommandRun.Of("--version").Output);

    [Fact]
    public void A_command_that_is_named_first_is_the_one_that_the_whole_tree_has()
    {
        using StopSignal never = new();
        CommandConsole console = new() { Out = TextWriter.Null, Error = TextWriter.Null, Stop = never };
        string[] names = [.. CommandTree.Create(console, "").Subcommands.Select(command => command.Name)];

        Assert.InRange(names.Length, 8, 30);
        Assert.All(names, name => Assert.Equal([name], CommandTree.Create(console, name).Subcommands.Select(command => command.Name)));
    }
}
