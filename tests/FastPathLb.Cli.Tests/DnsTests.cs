namespace FastPathLb.Cli.Tests;

public sealed class DnsTests
{
    private static readonly string s_node = CapturesFolder.Folder("swarm-web");

    [Fact]
    public void A_service_resolves_to_its_VIP()
    {
        CommandRun run = CommandRun.Of("dns", "web", "--node", s_node);

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Equal(["  web  A  10.0.1.2  600 s", "  (VIP of service web, network mynet)"], run.Lines);
    }

    [Fact]
    public void An_address_resolves_to_its_task()
    {
        CommandRun run = CommandRun.Of("dns", "10.0.1.3", "--node", s_node, "--json");

        Assert.Equal("web.1.mc5seird2uab95ojhim0biikn.mynet", run.Json.GetProperty("hostName").GetString());
        Assert.Equal(600, run.Json.GetProperty("ttlSeconds").GetInt32());
    }

    [Fact]
    public void What_Docker_does_not_know_is_refused()
    {
        CommandRun run = CommandRun.Of("dns", "example.org", "--node", s_node);

        Assert.Equal(ExitCode.Different, run.Code);
        Assert.StartsWith("  example.org  A  refused\n", run.Output);
    }

    [Theory]
    [InlineData("--listen 127.0.0.1: an IPv4 address and a port, such as 127.0.0.1:5353, is expected", "--listen", "127.0.0.1")]
    [InlineData("a NAME to resolve, or --listen ADDRESS:PORT, is expected (see 'fastpathlb dns --help')")]
    [InlineData("--listen nowhere: an IPv4 address and a port, such as 127.0.0.1:5353, is expected", "--listen", "nowhere")]
    [InlineData(
        "there is no container 'nobody'; there is client.1.ixzmljmix9f5lwmmy5zi9bqzc, web.2.zac77h9eegh67ttnoch4mex8w", "web", "--from",
            "nobody")]
    public void Bad_words_are_named(string error, params string[] words)
    {
        CommandRun run = CommandRun.Of(["dns", "--node", s_node, .. words]);

        Assert.Equal(ExitCode.BadInput, run.Code);
        Assert.Equal($"fastpathlb: {error}", run.Error);
    }

    [Fact]
    public void Without_Docker_there_is_nothing_to_resolve()
    {
        CommandRun run = CommandRun.Of("dns", "web", "--node", CapturesFolder.Folder("rr-basic"));

        Assert.Equal(ExitCode.BadInput, run.Code);
        Assert.Contains("expected network-inspect-v.NET.json", run.Error);
    }
}
