using System.Text.Json;

namespace FastPathLb.Cli.Tests;

/// <summary>Frames followed through both nodes of the real Swarm, with the recorded wire as the judge.</summary>
public sealed class FollowTests
{
    private static readonly string s_folder = CapturesFolder.Folder("swarm-web");
    private static readonly string s_wire = Path.Combine(s_folder, "node2.uplink.pcap.gz");
    private static readonly string s_second = Path.Combine(s_folder, "node2.");

    [Fact]
    public void A_call_goes_from_the_client_over_both_nodes_to_its_task()
    {
        Assert.Equal(
            [
                "node1 eth0 enters",
                "node1 docker_gwbridge passes",
                "node1 ingress-eth1 passes",
                "node1 ingress-eth0 passes",
                "node1 eth0 leaves, recorded as 56",
                "node2 eth0 enters",
                "node2 10.0.0.5@ingress-overlay leaves",
            ],
            StepsOf(55));
    }

    [Fact]
    public void The_tasks_answer_comes_back_the_same_way()
    {
        Assert.Equal(
            [
                "node2 10.0.0.5@ingress-overlay enters",
                "node2 eth0 leaves, recorded as 57",
                "node1 eth0 enters",
                "node1 ingress-eth0 passes",
                "node1 ingress-eth1 passes",
                "node1 docker_gwbridge passes",
                "node1 eth0 leaves, recorded as 58",
            ],
            StepsOf(57));
    }

    [Fact]
    public void What_the_nodes_emit_is_what_the_wire_shows()
    {
        CommandRun run = CommandRun.Of("follow", s_wire, "--node", s_folder, "--node", s_second, "--json");

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Equal(["node1", "node2"], run.Json.GetProperty("nodes").EnumerateArray().Select(name => name.GetString()));

        // Of 187: 49 frames of node 1's load balancer, and 20 answers of tasks to their own node's clients, have no cause on the wire.
        Assert.Equal(187, run.Json.GetProperty("framesRecordedAtCards").GetInt32());
        Assert.Equal(118, run.Json.GetProperty("framesAsRecorded").GetInt32());
        string[] others =
        [
            .. run.Json.GetProperty("journeys").EnumerateArray().SelectMany(journey => journey.GetProperty("steps").EnumerateArray())
                .Where(step => step.TryGetProperty("recordedAs", out JsonElement number) && number.ValueKind == JsonValueKind.Null)
                .Select(step => step.GetProperty("text").GetString()!),
        ];
        Assert.NotEmpty(others);
        Assert.All(others, text => Assert.Matches(@"10\.0\.1\.6\.\d+ > 10\.0\.1\.3\.80: TCP \[R", text));
    }

    [Fact]
    public void For_people_a_journey_has_a_line_for_each_place()
    {
        CommandRun run = CommandRun.Of("follow", s_wire, "-n", s_folder, "-n", s_second, "--frame", "57");

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.StartsWith("frame 57  07:52:41.285780000\n  node2  10.0.0.5@ingress-overlay  in   02:42:0a:00:00:05 > ", run.Output);
        Assert.Contains("172.19.177.14.8080 > 172.19.176.1.55436: TCP [S.]", run.Output);
        Assert.Contains("=> as recorded, frame 58\n", run.Output);
        Assert.Contains("Note: node2: node2.host.iptables-save.txt is missing", run.Errors);
    }

    [Fact]
    public void The_first_few_are_shown_alone()
    {
        CommandRun run = CommandRun.Of("follow", s_wire, "-n", s_folder, "-n", s_second, "--count", "2", "--json");

        Assert.Equal(2, run.Json.GetProperty("journeys").GetArrayLength());
    }

    [Theory]
    [InlineData("--node DIR is expected twice or more", "NODE1")]
    [InlineData("no file in", "NODE1", "NODE1/node3.")]
    [InlineData("frame 56 came into none of the nodes from outside", "NODE1", "NODE1/node2.", "--frame", "56")]
    public void What_is_missing_is_said(string error, params string[] words)
    {
        IEnumerable<string> options = words.SelectMany(word => word.StartsWith("NODE1", StringComparison.Ordinal)
            ? (string[])["--node", word.Replace("NODE1", s_folder, StringComparison.Ordinal)]
            : [word]);
        CommandRun run = CommandRun.Of(["follow", s_wire, .. options]);

        Assert.Equal(ExitCode.BadInput, run.Code);
        Assert.Contains(error, run.Errors.Split('\n')[^2]);
    }

    private static IEnumerable<string> StepsOf(int frame)
    {
        CommandRun run = CommandRun.Of("follow", s_wire, "--node", s_folder, "--node", s_second, "--frame", $"{frame}", "--json");
        JsonElement journey = Assert.Single(run.Json.GetProperty("journeys").EnumerateArray());
        return journey.GetProperty("steps").EnumerateArray().Select(step =>
            $"{step.GetProperty("node")} {step.GetProperty("port")} {step.GetProperty("does")}"
            + (step.TryGetProperty("recordedAs", out JsonElement number) ? $", recorded as {number}" : ""));
    }
}
