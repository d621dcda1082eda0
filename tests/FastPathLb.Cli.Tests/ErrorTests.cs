namespace FastPathLb.Cli.Tests;

/// <summary>Each mistake: exit code 2, nothing but one line, which says where and what was expected.</summary>
public sealed class ErrorTests : IDisposable
{
    private const string Recording = "rr-basic";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("replay")]
    [InlineData("verify")]
    [InlineData("show")]
    public void A_file_that_is_not_there(string command)
    {
        string line = ErrorOf(command, "nowhere.pcap");
        Assert.StartsWith("fastpathlb: nowhere.pcap: there is no such file", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_instead_of_a_capture() =>
        Assert.Contains("is a folder; a capture file is expected", ErrorOf("replay", CapturesFolder.Folder(Recording)));

    [Fact]
    public void A_file_that_is_no_capture()
    {
        string path = _folder.Write("text.pcap", "hello, world");
        Assert.Equal(
            $"fastpathlb: {path}: offset 0: a pcap or pcapng magic was expected, 68656c6c was there",
            ErrorOf("replay", path, "--node", CapturesFolder.Folder(Recording)));
    }

    [Fact]
    public void A_capture_damaged_in_the_middle_is_replayed_up_to_there()
    {
        (string path, int offset) = DamagedCapture();
        string output = _folder["out.pcap"];

        CommandRun run = CommandRun.Of("replay", path, "--node", CapturesFolder.Folder(Recording), "-o", output);

        Assert.Equal(ExitCode.BadInput, run.Code);
        Assert.StartsWith($"fastpathlb: {path}: offset {offset}: record 31 claims", run.Error, StringComparison.Ordinal);
        int written = CapturedBytes.Read(output).Count;
        Assert.InRange(written, 1, 30);
        Assert.Contains($"wrote {written} frames to {output}", run.Output);
    }

    [Fact]
    public void A_capture_that_ends_early_is_no_error_but_noted()
    {
        byte[] capture = CapturesFolder.Decompressed(CapturesFolder.Underlay(Recording));
        string path = _folder.Write("cut.pcap", capture[..5000]);

        CommandRun run = CommandRun.Of("replay", path, "--node", CapturesFolder.Folder(Recording));

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains("truncated in record 36 at offset 4948", run.Output);
    }

    [Fact]
    public void A_configuration_that_is_wrong_by_line_and_column()
    {
        string path = _folder.Write("lb.yaml", "lb:\n  address: 10.0.1.5/24\n  colour: green\n");
        string line = ErrorOf("replay", CapturesFolder.Underlay(Recording), "--config", path);
        Assert.StartsWith($"fastpathlb: {path}:3:3: ", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dump_that_is_wrong_by_line()
    {
        string node = _folder.CopyDumps(Recording);
        string file = Path.Combine(node, "lb.ipvsadm-save.txt");
        File.AppendAllText(file, "-A nonsense\n");
        int number = File.ReadAllLines(file).Length;

        string line = ErrorOf("replay", CapturesFolder.Underlay(Recording), "--node", node);
        Assert.StartsWith($"fastpathlb: {file}:{number}:", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_scheduler_that_is_not_known()
    {
        string node = _folder.CopyDumps(Recording);
        string file = Path.Combine(node, "lb.ipvsadm-save.txt");
        File.WriteAllText(file, File.ReadAllText(file).Replace("-s rr", "-s lblc", StringComparison.Ordinal));

        string line = ErrorOf("replay", CapturesFolder.Underlay(Recording), "--node", node);
        Assert.StartsWith($"fastpathlb: {node}: service FWM 273: one of the schedulers rr wrr", line, StringComparison.Ordinal);
        Assert.EndsWith("found 'lblc'", line, StringComparison.Ordinal);
    }

    [Fact]
    public void An_event_with_a_scheduler_that_is_not_known()
    {
        string events = _folder.Write("events.txt", "1795306000.0 ipvsadm -A -f 900 -s xyz\n");
        Assert.StartsWith(
            $"fastpathlb: {events}:1: service FWM 900: one of the schedulers",
            ErrorOf("replay", CapturesFolder.Underlay(Recording), "--events", events), StringComparison.Ordinal);
    }

    [Fact]
    public void An_event_that_is_no_command()
    {
        string events = _folder.Write("events.txt", "# nothing\n1795306000.0 make coffee\n");
        string line = ErrorOf("replay", CapturesFolder.Underlay(Recording), "--events", events);
        Assert.StartsWith($"fastpathlb: {events}:2:", line, StringComparison.Ordinal);
    }

    [Fact]
    public void No_node_for_a_capture_that_lies_alone()
    {
        string path = _folder.Write("alone.pcap", CapturesFolder.Decompressed(CapturesFolder.Overlay(Recording)));
        string line = ErrorOf("replay", path);
        Assert.EndsWith("--node DIR (a folder of dumps) or --config FILE (YAML) is expected", line, StringComparison.Ordinal);
    }

    [Fact]
    public void An_output_that_is_the_input()
    {
        string path = _folder.Write("both.pcap", CapturesFolder.Decompressed(CapturesFolder.Overlay(Recording)));
        byte[] before = File.ReadAllBytes(path);

        Assert.Contains("in use", ErrorOf("replay", path, "--node", CapturesFolder.Folder(Recording), "-o", path));
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Fact]
    public void An_output_that_cannot_be_written() =>
        Assert.Contains("/nowhere", ErrorOf("replay", CapturesFolder.Underlay(Recording), "-o", "/nowhere/at/all.pcap"));

    [Theory]
    [InlineData("--checkpoints needs --state DIR", "replay", "IN", "--checkpoints", "checkpoints.txt")]
    [InlineData("--state needs --checkpoints FILE", "replay", "IN", "--state", "tables")]
    [InlineData("give one of them", "replay", "IN", "--node", "a", "--config", "b")]
    [InlineData("both want standard output", "replay", "IN", "--json", "-o", "-")]
    [InlineData("--capacity 3: a whole number, 16 or more, is expected", "replay", "IN", "--capacity", "3")]
    [InlineData("--seed minus: a whole number, 0 or more, is expected", "replay", "IN", "--seed", "minus")]
    [InlineData("--workers 65: 1 to 64 is expected", "replay", "IN", "--workers", "65")]
    [InlineData("--workers 0: a whole number, 1 or more, is expected", "replay", "IN", "--workers", "0")]
    [InlineData("--workers is for replay: what is compared with a recording is one worker's", "verify", "IN", "--workers", "2")]
    [InlineData("--cpus 0-: processors are expected, each once, such as 0,2-3", "replay", "IN", "--cpus", "0-")]
    [InlineData("--cpus 0,0: processors are expected, each once, such as 0,2-3", "bench", "--cpus", "0,0")]
    [InlineData("--cpus 8191: there is no processor 8191 here, but ", "replay", "IN", "--cpus", "8191")]
    [InlineData("--cpus 0: 2 workers need a processor each, and it names 1", "replay", "IN", "--cpus", "0", "--workers", "2")]
    [InlineData("--cpus 0: 2 workers need a processor each, and it names 1", "bench", "--cpus", "0", "--workers", "2")]
    [InlineData("--cpus 0: 2 workers need a processor each, and it names 1", "run", "--tap", "t", "-c", "lb.yaml", "--cpus", "0", "--workers", "2")]
    [InlineData("--numa left: the number of a NUMA node, interleave or local is expected", "replay", "IN", "--numa", "left")]
    [InlineData("--numa 1023: there is no NUMA node 1023 with memory here, but ", "bench", "--numa", "1023")]
    [InlineData("--cpus and --numa are for a load balancer alone", "replay", "IN", "--attach", "node", "--cpus", "0")]
    [InlineData("--attach moon: underlay or overlay or node is expected", "show", "IN", "--attach", "moon")]
    [InlineData("--order up: listed or reversed is expected", "replay", "IN", "--order", "up")]
    [InlineData("--snat-ports any: next-free or drawn is expected", "verify", "IN", "--snat-ports", "any")]
    [InlineData("verify needs a capture IN, or --all DIR", "verify")]
    [InlineData("give no IN", "verify", "IN", "--all", "DIR")]
    [InlineData("there is no such folder", "verify", "--all", "/nowhere/at/all")]
    [InlineData("(see 'fastpathlb replay --help')", "replay")]
    [InlineData("(see 'fastpathlb --help')", "repaly", "IN")]
    [InlineData("(see 'fastpathlb show --help')", "show", "IN", "--colour")]
    public void A_command_line_that_makes_no_sense(string expected, params string[] args) => Assert.Contains(expected, ErrorOf(args));

    [Fact]
    public void A_folder_without_recordings() =>
        Assert.Contains("holds no recording", ErrorOf("verify", "--all", _folder.Root));

    private static string ErrorOf(params string[] args)
    {
        CommandRun run = CommandRun.Of(args);
        Assert.Equal(ExitCode.BadInput, run.Code);
        Assert.Empty(run.Output);
        Assert.StartsWith("fastpathlb: ", run.Error, StringComparison.Ordinal);
        return run.Error;
    }

    /// <summary>The recording, whose 31st record claims an impossible length, and where that record is.</summary>
    private (string Path, int Offset) DamagedCapture()
    {
        const int RecordHeaderBytes = 16;
        byte[] capture = CapturesFolder.Decompressed(CapturesFolder.Underlay(Recording));
        int offset = 24;
        for (int record = 1; record <= 30; record++)
        {
            offset += RecordHeaderBytes + BitConverter.ToInt32(capture, offset + 8);
        }

        BitConverter.TryWriteBytes(capture.AsSpan(offset + 8), int.MaxValue);
        return (_folder.Write("damaged.pcap", capture), offset);
    }
}
