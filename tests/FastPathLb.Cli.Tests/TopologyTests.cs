using System.Text.Json;

namespace FastPathLb.Cli.Tests;

public sealed class TopologyTests
{
    [Fact]
    public void The_swarm_is_printed()
    {
        CommandRun run = CommandRun.Of("topology", "--node", CapturesFolder.Folder("swarm-web"));

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains("node2    172.19.188.123  Ready", run.Output);
        Assert.Contains("8080/tcp   web      80      ingress  0x100  172.18.0.2", run.Output);
        Assert.Contains("service web      10.0.1.2        mark 0x101         rr", run.Output);
        Assert.Contains("tunnel endpoint  172.19.188.123  node node2         for 10.0.1.3, 10.0.1.5", run.Output);
    }

    [Fact]
    public void As_JSON_it_has_the_same()
    {
        JsonElement json = CommandRun.Of("topology", "--node", CapturesFolder.Folder("swarm-web"), "--json").Json;

        JsonElement mynet = json.GetProperty("networks")[1];
        Assert.Equal(4097, mynet.GetProperty("vni").GetInt32());
        JsonElement web = mynet.GetProperty("services")[1];
        Assert.Equal("10.0.1.2", web.GetProperty("vip").GetString());
        Assert.Equal(0x101, web.GetProperty("mark").GetInt32());
        Assert.Equal(
            ["10.0.1.3", "10.0.1.4"], web.GetProperty("tasks").EnumerateArray().Select(task => task.GetProperty("address").GetString()!));
        Assert.Equal("node1", json.GetProperty("nodes")[0].GetProperty("name").GetString());
    }

    [Fact]
    public void It_is_drawn_to_a_file()
    {
        using TemporaryFolder folder = new();
        CommandRun run = CommandRun.Of("topology", "--node", CapturesFolder.Folder("swarm-web"), "--svg", folder["swarm.svg"]);

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.StartsWith("<svg", File.ReadAllText(folder["swarm.svg"]));
        Assert.EndsWith($"drawn to {folder["swarm.svg"]}\n", run.Output);
    }

    [Fact]
    public void The_second_nodes_files_are_found_by_their_prefix()
    {
        CommandRun run = CommandRun.Of("topology", "--node", CapturesFolder.Folder("swarm-web"), "--prefix", "node2.");

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.StartsWith("The swarm as node2 knows it", run.Output);
    }

    [Fact]
    public void A_damaged_inspect_is_named_with_its_line()
    {
        using TemporaryFolder folder = new();
        string node = folder.CopyDumps("swarm-web");
        File.WriteAllText(Path.Combine(node, "service-inspect.json"), "[\n{ \"ID\": 1,\n");
        CommandRun run = CommandRun.Of("topology", "--node", node);

        Assert.Equal(ExitCode.BadInput, run.Code);
        Assert.Contains("service-inspect.json:3: this is no JSON", run.Error);
    }

    [Fact]
    public void A_table_that_is_none_is_named_with_its_line()
    {
        using TemporaryFolder folder = new();
        string node = folder.CopyDumps("swarm-web");
        File.WriteAllText(Path.Combine(node, "service-ps.txt"), "\nNAME ID\n");
        CommandRun run = CommandRun.Of("topology", "--node", node);

        Assert.Equal(ExitCode.BadInput, run.Code);
        Assert.Contains("service-ps.txt:2: expected the heads of 'docker service ps'", run.Error);
    }
}
