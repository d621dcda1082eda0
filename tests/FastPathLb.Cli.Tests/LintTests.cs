using System.Text.Json;

namespace FastPathLb.Cli.Tests;

public sealed class LintTests
{
    [Fact]
    public void A_healthy_node_is_said_to_be()
    {
        CommandRun run = CommandRun.Of("lint", "--node", CapturesFolder.Folder("swarm-web"), CapturesFolder.Overlay("swarm-web"));

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Matches(@"^Nothing found\. \d+ things were looked for\.\n$", run.Output);
    }

    [Fact]
    public void What_is_found_is_told_with_its_place_and_remedy()
    {
        using TemporaryFolder folder = new();
        string node = folder.CopyDumps("swarm-web");
        string file = Path.Combine(node, "lb.sysctl.txt");
        File.WriteAllText(file, File.ReadAllText(file).Replace("net.ipv4.ip_forward = 1", "net.ipv4.ip_forward = 0"));
        CommandRun run = CommandRun.Of("lint", "--node", node);

        Assert.Equal(ExitCode.Different, run.Code);
        Assert.StartsWith("fault ip-forward-off: lb has net.ipv4.ip_forward = 0\n", run.Output);
        Assert.Matches($@"  where   {file}:\d+\n  means   connections hang", run.Output);
        Assert.Contains("  remedy  sysctl -w net.ipv4.ip_forward=1", run.Output);
        Assert.Contains("1 found.", run.Output);
    }

    [Fact]
    public void As_JSON_it_has_the_same()
    {
        CommandRun run = CommandRun.Of("lint", "--node", CapturesFolder.Folder("no-backend"), "--json");

        Assert.Equal(ExitCode.Different, run.Code);
        JsonElement finding = run.Json.GetProperty("findings")[0];
        Assert.Equal("service-without-servers", finding.GetProperty("check").GetString());
        Assert.Equal("fault", finding.GetProperty("severity").GetString());
        Assert.EndsWith("lb.ipvsadm-save.txt", finding.GetProperty("file").GetString());
        Assert.NotEmpty(finding.GetProperty("remedy").GetString()!);
    }

    [Fact]
    public void The_checks_can_be_listed()
    {
        CommandRun run = CommandRun.Of("lint", "--checks");

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains(run.Lines, line => line.StartsWith("  vip-without-mark"));
        Assert.Equal(run.Lines.Length - 1, CommandRun.Of("lint", "--checks", "--json").Json.GetArrayLength());
    }

    [Fact]
    public void Without_a_folder_it_says_what_it_wants()
    {
        CommandRun run = CommandRun.Of("lint");

        Assert.Equal(ExitCode.BadInput, run.Code);
        Assert.Equal("fastpathlb: --node DIR is expected: the folder of a node's dumps", run.Error);
    }

    [Fact]
    public void A_dump_that_is_none_is_named_with_its_line()
    {
        using TemporaryFolder folder = new();
        string node = folder.CopyDumps("swarm-web");
        File.WriteAllText(Path.Combine(node, "lb.ipvsadm-save.txt"), "-A -f 257 -s rr\n-a -f 257 -r nobody\n");
        CommandRun run = CommandRun.Of("lint", "--node", node);

        Assert.Equal(ExitCode.BadInput, run.Code);
        Assert.Contains("lb.ipvsadm-save.txt:2: expected", run.Error);
    }
}
