using FastPathLb.Io.Captures;

namespace FastPathLb.Cli.Tests;

public sealed class NodeTests
{
    private static readonly string s_uplink = Path.Combine(CapturesFolder.Folder("swarm-web"), "uplink.pcap.gz");

    private static string Scaled(string name) => Path.Combine(CapturesFolder.Folder("swarm-scale"), $"{name}.pcap.gz");

    private static string[] Taps =>
        [.. ((string[])["lb-eth0", "ingress-eth0", "ingress-eth1"])
            .Select(name => Path.Combine(CapturesFolder.Folder("swarm-web"), $"{name}.pcap.gz"))];

    [Fact]
    public void A_real_nodes_captures_and_tables_are_the_same()
    {
        CommandRun run = CommandRun.Of(["verify", s_uplink, "--attach", "node", "--tap", .. Taps]);

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains("  eth0, VXLAN                   176      176       176       0\n", run.Output);
        Assert.Contains("  eth0, published ports          20       20        20       0\n", run.Output);
        Assert.Matches("tables of ingress, rows +12 +0\n", run.Output);
        Assert.Matches("tables of lb, rows +66 +0\n", run.Output);
        Assert.EndsWith("all the same\n", run.Output);
    }

    [Fact]
    public void The_second_nodes_card_is_the_same_though_its_hosts_rules_were_not_dumped()
    {
        string capture = Path.Combine(CapturesFolder.Folder("swarm-web"), "node2.uplink.pcap.gz");
        CommandRun run = CommandRun.Of("verify", capture, "--attach", "node", "--prefix", "node2.");

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Matches("eth0, VXLAN +73 +73 +73 +0\\n", run.Output);
        Assert.Matches("eth0, published ports +10 +10 +10 +0\\n", run.Output);
        Assert.Contains("10 that answer for tasks whose own frames no capture shows", run.Output);
        Assert.Contains(
            "node2.host.iptables-save.txt is missing: Swarm's rules are taken (port 8080 to 172.18.0.2 by docker_gwbridge", run.Output);
    }

    [Fact]
    public void Another_order_of_servers_is_a_difference()
    {
        CommandRun run = CommandRun.Of(["verify", s_uplink, "--attach", "node", "--order", "reversed", "--json", "--tap", .. Taps]);

        Assert.Equal(ExitCode.Different, run.Code);
        Assert.False(run.Json.GetProperty("same").GetBoolean());
        Assert.Contains(run.Json.GetProperty("compared").EnumerateArray(), item => item.GetProperty("differ").GetInt32() > 0);
    }

    [Fact]
    public void A_nodes_card_and_tables_are_the_same_through_scaling_and_a_rolling_update()
    {
        CommandRun run = CommandRun.Of("verify", Scaled("uplink"), "--attach", "node", "--tap", Scaled("lb-eth0"));

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Matches("eth0, VXLAN +1,059 +1,059 +1,059 +0\n", run.Output);
        Assert.Matches("eth0, published ports +10 +10 +10 +0\n", run.Output);
        Assert.Matches("lb-eth0 +4,901 +4,901 +4,901 +0\n", run.Output);
        Assert.Matches("tables of lb, rows +46 +0\n", run.Output);
        Assert.Contains("10.0.1.11, 10.0.1.13 of mynet came after the dumps were made; that they are on this node", run.Output);
        Assert.Contains("ingress: round robin of FWM  256 begins at 10.0.0.5", run.Output);
        Assert.EndsWith("all the same\n", run.Output);
    }

    [Theory]
    [InlineData("--no-hints")]
    [InlineData("--events", "nothing.txt")]
    [InlineData("--rr-start", "1")]
    public void Without_the_events_or_what_the_recording_tells_it_is_not(params string[] words)
    {
        using TemporaryFolder folder = new();
        string[] options = [.. words.Select(word => word == "nothing.txt" ? folder.Write(word, []) : word)];
        CommandRun run = CommandRun.Of(
            ["verify", Scaled("uplink"), "--attach", "node", "--json", .. options, "--tap", Scaled("lb-eth0")]);

        Assert.Equal(ExitCode.Different, run.Code);
        Assert.False(run.Json.GetProperty("same").GetBoolean());
    }

    [Fact]
    public void The_card_alone_is_judged_by_what_it_shows()
    {
        CommandRun run = CommandRun.Of("verify", Scaled("uplink"), "--attach", "node", "--json");

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Equal(
            [("eth0, VXLAN", 24), ("eth0, published ports", 10)],
            run.Json.GetProperty("compared").EnumerateArray()
                .Select(item => (item.GetProperty("port").GetString()!, item.GetProperty("same").GetInt32())));
        Assert.Equal(1035, run.Json.GetProperty("unheardFramesNotCompared").GetInt32());
    }

    [Fact]
    public void Each_port_is_an_interface_of_the_emitted_capture()
    {
        using TemporaryFolder folder = new();
        string output = folder["node.pcapng"];
        CommandRun run = CommandRun.Of(["replay", s_uplink, "--attach", "node", "-o", output, "--tap", .. Taps]);

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains("delivered to a task of this node", run.Output);
        using CaptureReader reader = CaptureReader.Open(output);
        Dictionary<string, int> frames = [];
        while (reader.TryRead(out CapturedFrame frame))
        {
            string name = reader.Info.Interfaces[frame.InterfaceIndex].Name!;
            frames[name] = frames.GetValueOrDefault(name) + 1;
        }

        Assert.Equal(28, frames["web.2.zac77h9eegh67ttnoch4mex8w@ingress"]);
        Assert.Equal(
            ["docker_gwbridge", "eth0", "ingress-eth0", "ingress-eth1", "lb-eth0"], frames.Keys.Where(name => !name.Contains('@')).Order());
    }

    [Theory]
    [InlineData("go with --attach node", "verify", "--tap", "lb-eth0.pcap", "--attach", "overlay")]
    [InlineData(
        "a capture named after one of ingress-eth0, lb-eth0, docker_gwbridge, ingress-eth1 is expected", "verify", "--attach", "node",
            "--tap", "x.pcap")]
    [InlineData(
        "--config, --state and --network are for a load balancer alone", "replay", "--attach", "node", "--config", "lb.yaml")]
    [InlineData("--workers is for a load balancer alone: a whole node is one worker's", "replay", "--attach", "node", "--workers", "2")]
    [InlineData("--workers is for a load balancer alone: a whole node is one worker's", "verify", "--attach", "node", "--workers", "2")]
    [InlineData("--attach node is for replay and verify", "show", "--attach", "node")]
    public void What_does_not_go_together_is_said(string error, params string[] words)
    {
        CommandRun run = CommandRun.Of([words[0], s_uplink, .. words[1..]]);

        Assert.Equal(ExitCode.BadInput, run.Code);
        Assert.Contains(error, run.Error);
    }
}
