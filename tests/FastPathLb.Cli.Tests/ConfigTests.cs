namespace FastPathLb.Cli.Tests;

public sealed class ConfigTests
{
    [Fact]
    public void A_dump_is_printed_as_yaml()
    {
        CommandRun run = CommandRun.Of("config", "--node", CapturesFolder.Folder("rr-two-services"));

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains("services:", run.Output);
        Assert.Contains("vip: 10.0.1.2", run.Output);
        Assert.Contains("mark: 0x112", run.Output);
    }

    [Fact]
    public void It_can_be_written_to_a_file()
    {
        using TemporaryFolder folder = new();
        CommandRun run = CommandRun.Of("config", "--node", CapturesFolder.Folder("rr-two-services"), "-o", folder["lb.yaml"]);

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Empty(run.Output);
        Assert.Contains("vip: 10.0.1.7", File.ReadAllText(folder["lb.yaml"]));
    }

    [Fact]
    public void Another_network_of_the_node_can_be_chosen()
    {
        string folder = CapturesFolder.Folder("swarm-web");

        Assert.Contains("lb:\n  address: 10.0.0.2/24", CommandRun.Of("config", "--node", folder, "--network", "ingress").Output);
        Assert.Equal(CommandRun.Of("config", "--node", folder).Output, CommandRun.Of("config", "--node", folder, "--network", "mynet").Output);
        CommandRun run = CommandRun.Of("config", "--node", folder, "--network", "nope");
        Assert.Equal(ExitCode.BadInput, run.Code);
        Assert.EndsWith("there are balancers ingress, lb", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_not_there_is_named()
    {
        CommandRun run = CommandRun.Of("config", "--node", "/nowhere/at/all");

        Assert.Equal(ExitCode.BadInput, run.Code);
        Assert.Equal("fastpathlb: /nowhere/at/all: there is no such folder", run.Error);
    }
}
