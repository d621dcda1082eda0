using System.Globalization;
using System.Text.Json;
using FastPathLb.Engine.Placing;

namespace FastPathLb.Cli.Tests;

public sealed class ReplayTests : IDisposable
{
    private const string RoundRobin = "rr-two-services";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Summary_counts_frames_services_and_servers()
    {
        CommandRun run = CommandRun.Of("replay", CapturesFolder.Underlay(RoundRobin));

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Empty(run.Errors);
        Assert.Contains("in              150", run.Output);
        Assert.Contains("out             150", run.Output);
        Assert.Matches(@"FWM +273 +10\.0\.1\.2 +rr +12 +72 +48 +4,188 +2,940", run.Output);
        Assert.Matches(@"-> 10\.0\.1\.4:0 +weight 1 +6 +36 +24 +2,094 +1,470", run.Output);
        Assert.Contains("Mpps", run.Output);
    }

    [Fact]
    public void Reasons_come_with_their_text()
    {
        CommandRun run = CommandRun.Of("replay", CapturesFolder.Underlay("odd-encapsulation"));

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Matches(@"vxlan-unknown-vni +\d+ +no VXLAN device has this VNI", run.Output);
    }

    [Fact]
    public void Json_has_the_same_figures()
    {
        JsonElement json = CommandRun.Of("replay", CapturesFolder.Underlay(RoundRobin), "--json").Json;

        Assert.Equal(150, json.GetProperty("framesIn").GetInt64());
        Assert.Equal(150, json.GetProperty("framesOut").GetInt64());
        Assert.Equal("underlay", json.GetProperty("attach").GetString());
        Assert.Equal(150, json.GetProperty("verdicts").GetProperty("forwarded").GetInt64());
        JsonElement service = json.GetProperty("services")[0];
        Assert.Equal("10.0.1.2", service.GetProperty("address").GetString());
        Assert.Equal(12, service.GetProperty("connections").GetInt64());
        Assert.Equal(6, service.GetProperty("servers")[1].GetProperty("connections").GetInt64());
        Assert.False(json.GetProperty("stopped").GetBoolean());
    }

    [Theory]
    [InlineData("rr-two-services", "2")]
    [InlineData("many-flows", "3")]
    public void Several_workers_write_what_one_writes(string recording, string workers)
    {
        (string one, string several) = (_folder["one.pcap"], _folder["several.pcap"]);
        string capture = CapturesFolder.Underlay(recording);
        CommandRun alone = CommandRun.Of("replay", capture, "-o", one, "--no-hints");
        CommandRun shared = CommandRun.Of("replay", capture, "-o", several, "--workers", workers);

        Assert.Equal((ExitCode.Success, ExitCode.Success), (alone.Code, shared.Code));
        Assert.Contains($"{workers} workers share the frames", shared.Output);
        Assert.Equal(FiguresOf(alone), FiguresOf(shared));
        Assert.Equal(
            CapturedBytes.Read(one).Select(frame => Convert.ToHexString(frame.Inner)),
            CapturedBytes.Read(several).Select(frame => Convert.ToHexString(frame.Inner)));

        static string FiguresOf(CommandRun run) =>
            run.Output[run.Output.IndexOf("frames ", StringComparison.Ordinal)..run.Output.IndexOf("Notes", StringComparison.Ordinal)]
                .Split("wrote ", StringSplitOptions.None)[0];
    }

    /// <summary>Node 0 and the first of the processors are there on any machine that runs the tests.</summary>
    [Theory]
    [InlineData("0")]
    [InlineData("interleave")]
    [InlineData("local")]
    public void Where_workers_run_and_memory_lies_changes_nothing_that_is_emitted(string memory)
    {
        (string usual, string placed) = (_folder["usual.pcap"], _folder["placed.pcap"]);
        string capture = CapturesFolder.Underlay("rr-two-services");
        string processor = ProcessorList.Allowed()[0].ToString(CultureInfo.InvariantCulture);
        Assert.Equal(ExitCode.Success, CommandRun.Of("replay", capture, "-o", usual).Code);
        CommandRun run = CommandRun.Of("replay", capture, "-o", placed, "--cpus", processor, "--numa", memory);

        Assert.Equal((ExitCode.Success, ""), (run.Code, run.Errors));
        Assert.Equal(File.ReadAllBytes(usual), File.ReadAllBytes(placed));
    }

    [Fact]
    public void Docker_names_the_services_of_a_swarm()
    {
        CommandRun run = CommandRun.Of("replay", CapturesFolder.Overlay("swarm-web"));

        Assert.Matches(@"FWM +257 +10\.0\.1\.2 +web", run.Output);
    }

    [Theory]
    [InlineData("out.pcap")]
    [InlineData("out.pcap.gz")]
    [InlineData("out.pcapng")]
    public void What_is_written_is_what_the_recording_has(string name)
    {
        string output = _folder[name];
        Assert.Equal(ExitCode.Success, CommandRun.Of("replay", CapturesFolder.Underlay(RoundRobin), "-o", output).Code);

        List<CapturedBytes> emitted = CapturedBytes.Read(output);
        List<CapturedBytes> sent = CapturedBytes.Read(CapturesFolder.Underlay(RoundRobin))
            .Where(frame => frame.Data.AsSpan(26, 4).SequenceEqual((byte[])[172, 19, 177, 14])).ToList();
        Assert.Equal(sent.Count, emitted.Count);
        Assert.Equal(InnerOf(sent), InnerOf(emitted));

        static IEnumerable<string> InnerOf(IEnumerable<CapturedBytes> frames) =>
            frames.Select(frame => Convert.ToHexString(frame.Inner)).Order(StringComparer.Ordinal);
    }

    [Fact]
    public void Emitted_frames_have_the_time_of_the_frame_that_caused_them()
    {
        string output = _folder["out.pcap"];
        CommandRun.Of("replay", CapturesFolder.Underlay(RoundRobin), "-o", output);

        HashSet<long> times = [.. CapturedBytes.Read(CapturesFolder.Underlay(RoundRobin)).Select(frame => frame.TimestampNanoseconds)];
        Assert.All(CapturedBytes.Read(output), frame => Assert.Contains(frame.TimestampNanoseconds, times));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Standard_input_is_read_compressed_or_not(bool isCompressed)
    {
        string path = CapturesFolder.Underlay(RoundRobin);
        byte[] input = isCompressed ? File.ReadAllBytes(path) : CapturesFolder.Decompressed(path);

        CommandRun run = CommandRun.WithInput(input, "replay", "-", "--node", CapturesFolder.Folder(RoundRobin));

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains("standard input through", run.Output);
        Assert.Contains("taken to be from the underlay, by its first frame", run.Output);
        Assert.Contains("in              150", run.Output);
    }

    [Fact]
    public void Standard_output_is_the_capture_and_the_summary_goes_to_standard_error()
    {
        CommandRun run = CommandRun.Of("replay", CapturesFolder.Underlay(RoundRobin), "-o", "-");

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Empty(run.Output);
        Assert.Contains("out             150", run.Errors);
        Assert.Equal(150, CapturedBytes.Read(_folder.Write("piped.pcap", run.OutputBytes)).Count);
    }

    [Fact]
    public void Attach_point_is_inferred_from_frames_where_the_name_does_not_tell()
    {
        string path = _folder.Write("some.pcap", CapturesFolder.Decompressed(CapturesFolder.Overlay(RoundRobin)));

        CommandRun run = CommandRun.Of("replay", path, "--node", CapturesFolder.Folder(RoundRobin));

        Assert.Contains("taken to be from the overlay, by its first frame", run.Output);
        Assert.Contains("at the overlay", run.Output);
        Assert.Contains("10.0.1.2", run.Output);
    }

    [Fact]
    public void Attach_point_is_not_inferred_where_it_is_given()
    {
        CommandRun run = CommandRun.Of("replay", CapturesFolder.Overlay(RoundRobin), "--attach", "underlay");

        Assert.Contains("at the underlay", run.Output);
        Assert.DoesNotContain("taken to be", run.Output);
        Assert.Contains("Nothing was forwarded or answered", run.Output);
    }

    [Fact]
    public void Checkpoints_write_the_tables_of_the_recording()
    {
        string node = CapturesFolder.Folder("many-flows");
        CommandRun run = CommandRun.Of(
            "replay", CapturesFolder.Underlay("many-flows"), "--checkpoints", Path.Combine(node, "checkpoints.txt"),
            "--state", _folder["tables"]);

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Equal(
            ["ipvsadm-Ln.after.txt", "ipvsadm-Ln.at1.txt", "ipvsadm-Lnc.after.txt", "ipvsadm-Lnc.at1.txt",
                "ipvsadm-stats.after.txt", "ipvsadm-stats.at1.txt", "mangle.after.txt", "mangle.at1.txt"],
            Directory.GetFiles(_folder["tables"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Engine.Verifying.StateVerdict verdict = Engine.Verifying.StateComparison.Compare(node, _folder["tables"], ["at1", "after"]);
        Assert.Equal(622, verdict.SameCount);
        Assert.True(verdict.IsSame);
    }

    [Fact]
    public void Events_are_carried_out_only_when_asked()
    {
        string capture = CapturesFolder.Underlay("drain");
        JsonElement without = CommandRun.Of("replay", capture, "--json").Json;
        JsonElement with = CommandRun.Of(
            "replay", capture, "--json", "--events", Path.Combine(CapturesFolder.Folder("drain"), "events.txt")).Json;

        Assert.NotEqual(ConnectionsOf(without), ConnectionsOf(with));

        static string ConnectionsOf(JsonElement json) =>
            string.Join(',', json.GetProperty("services")[0].GetProperty("servers").EnumerateArray()
                .Select(server => server.GetProperty("connections")));
    }

    [Fact]
    public void Order_of_servers_and_start_of_the_round_are_as_typed()
    {
        string capture = CapturesFolder.Underlay("rr-basic");

        Assert.Equal(FirstServer("--order", "listed"), FirstServer("--rr-start", "0"));
        Assert.NotEqual(FirstServer("--order", "listed"), FirstServer("--order", "reversed"));
        Assert.NotEqual(FirstServer("--rr-start", "0"), FirstServer("--rr-start", "1"));

        string FirstServer(params string[] options)
        {
            string output = _folder["first.pcap"];
            Assert.Equal(ExitCode.Success, CommandRun.Of(["replay", capture, "-o", output, .. options]).Code);
            byte[] inner = CapturedBytes.Read(output)[0].Inner;
            return string.Join('.', inner[30..34]);
        }
    }

    [Fact]
    public void A_configuration_does_what_its_dump_does()
    {
        string yaml = _folder["lb.yaml"];
        Assert.Equal(ExitCode.Success, CommandRun.Of("config", "--node", CapturesFolder.Folder(RoundRobin), "-o", yaml).Code);

        CommandRun run = CommandRun.Of("replay", CapturesFolder.Underlay(RoundRobin), "--config", yaml);

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains($"load balancer of {yaml}", run.Output);
        Assert.Contains("out             150", run.Output);
    }

    [Fact]
    public void Without_arguments_it_replays_its_own_capture_and_says_what_to_try()
    {
        CommandRun run = CommandRun.Of();

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains(Path.Combine("captures", "rr-two-services", "underlay.pcap.gz"), run.Output);
        Assert.Contains("out             150", run.Output);
        Assert.Contains("Try next", run.Output);
        Assert.Contains("fastpathlb verify --all", run.Output);
        Assert.Contains("dotnet run -c Release --project", run.Output);
    }
}
