using FastPathLb.Live.Tests.Lab;

namespace FastPathLb.Live.Tests.EndToEnd;

/// <summary>The README's tutorial, as it stands there.</summary>
public sealed class TutorialTests
{
    [LabFact("bash", "python3", "curl")]
    public void The_ten_commands_of_the_tutorial_do_what_it_says()
    {
        string[] commands = Commands();
        Assert.Equal(10, commands.Length);

        // Names of its own, so that the machine's namespaces are left alone; and the program that was built for the tests.
        string suffix = $"{Environment.ProcessId % 100_000}";
        using TemporaryFolder folder = new();
        string script = string.Join('\n', commands)
            .Replace("/tmp/vip", folder.Path, StringComparison.Ordinal)
            .Replace(".artifacts/bin/FastPathLb.Cli/release/fastpathlb.dll", BalancerProcess.Program, StringComparison.Ordinal);
        foreach (string name in (string[])["net", "client", "web1", "web2"])
        {
            script = script.Replace($" {name};", $" {name}x{suffix};", StringComparison.Ordinal)
                .Replace($" {name} ", $" {name}x{suffix} ", StringComparison.Ordinal)
                .Replace($" {name}:", $" {name}x{suffix}:", StringComparison.Ordinal);
        }

        ShellResult result = Shell.TryRun("bash", "-c", script);

        Assert.True(result.Code == 0, $"{result.Error} {script}");
        Assert.Equal(
            ["web2", "web1", "web2", "web1"],
            result.Output.Split('\n').Where(line => line.StartsWith("I am ", StringComparison.Ordinal)).Select(line => line[5..9]));
        Assert.Contains("-> 10.0.1.3:0                       1        0        2          2", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain($"x{suffix}", Shell.Run("ip", "netns", "list"), StringComparison.Ordinal);
    }

    private static string[] Commands()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "FastPathLb.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        string text = File.ReadAllText(Path.Combine(folder!, "src/FastPathLb.Live/README.md"));
        return text.Split("```bash\n")[1].Split("```")[0].Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
