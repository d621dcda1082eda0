namespace FastPathLb.Cli.Tests;

public sealed class StopTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_stopped_while_it_waits_for_a_pipe_leaves_a_valid_capture_and_a_summary()
    {
        using StopSignal stop = new();
        byte[] capture = CapturesFolder.Decompressed(CapturesFolder.Underlay("rr-basic"));
        using StallingStream input = new(capture[..5000], () => stop.Raise(ExitCode.Interrupted));

        CommandRun run = CommandRun.With(
            input, stop, "replay", "-", "--node", CapturesFolder.Folder("rr-basic"), "-o", _folder["out.pcap"]);

        Assert.Equal(130, run.Code);
        Assert.Contains("stopped before the capture's end", run.Output);
        int written = CapturedBytes.Read(_folder["out.pcap"]).Count;
        Assert.InRange(written, 10, 30);
        Assert.Contains($"wrote {written} frames", run.Output);
    }

    [Fact]
    public void A_stopped_verification_is_no_verdict()
    {
        using StopSignal stop = new();
        byte[] capture = CapturesFolder.Decompressed(CapturesFolder.Underlay("rr-basic"));
        using StallingStream input = new(capture[..5000], () => stop.Raise(ExitCode.Interrupted));

        CommandRun run = CommandRun.With(input, stop, "verify", "-", "--node", CapturesFolder.Folder("rr-basic"));

        Assert.Equal(130, run.Code);
        Assert.EndsWith("stopped before the capture's end, no verdict\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_stopped_before_it_begins_leaves_an_empty_capture()
    {
        using StopSignal stop = new();
        stop.Raise(ExitCode.Terminated);

        CommandRun run = CommandRun.With(null, stop, "replay", CapturesFolder.Underlay("rr-basic"), "-o", _folder["out.pcap"]);

        Assert.Equal(143, run.Code);
        Assert.Empty(CapturedBytes.Read(_folder["out.pcap"]));
    }

    [Fact]
    public void A_run_stopped_in_the_middle_of_a_large_file_leaves_what_it_says()
    {
        using StopSignal stop = new();
        CapturedBytes.Repeat(CapturesFolder.Decompressed(CapturesFolder.Underlay("rr-basic")), 40_000, _folder["large.pcap"]);
        using StoppingStream output = new(stop);
        using StringWriter text = new();

        int code = Program.Run(
            ["replay", _folder["large.pcap"], "--node", CapturesFolder.Folder("rr-basic"), "--attach", "underlay", "--no-hints", "-o", "-"],
            new CommandConsole { Out = TextWriter.Null, Error = text, Stop = stop, OpenOutput = () => output });

        Assert.Equal(130, code);
        int written = CapturedBytes.Read(output.ToArray()).Count;
        Assert.InRange(written, 1000, 39_000);
        Assert.Contains($"wrote {written:N0} frames to -", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_stopped_verification_of_all_is_no_verdict()
    {
        using StopSignal stop = new();
        stop.Raise(ExitCode.Interrupted);

        Assert.Equal(130, CommandRun.With(null, stop, "verify", "--all", CapturesFolder.Root).Code);
    }

    [Fact]
    public void A_reader_that_goes_away_is_success()
    {
        using StopSignal never = new();
        using BrokenPipe output = new();
        using StringWriter errors = new();

        int code = Program.Run(
            ["show", CapturesFolder.Underlay("many-flows")], new CommandConsole { Out = output, Error = errors, Stop = never });

        Assert.Equal(ExitCode.Success, code);
        Assert.DoesNotContain("fastpathlb:", errors.ToString());
    }

    /// <summary>Gives some bytes, then says that it has no more for now and waits for ever.</summary>
    private sealed class StallingStream(byte[] bytes, Action atStall) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count)
        {
            int read = base.Read(buffer, offset, count);
            if (read == 0)
            {
                atStall();
                Thread.Sleep(Timeout.Infinite);
            }

            return read;
        }
    }

    /// <summary>Somebody types Ctrl-C as the first mebibyte comes.</summary>
    private sealed class StoppingStream(StopSignal stop) : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            base.Write(buffer, offset, count);
            if (Length > 100_000)
            {
                stop.Raise(ExitCode.Interrupted);
            }
        }
    }

    /// <summary>Standard output after head has gone.</summary>
    private sealed class BrokenPipe : StringWriter
    {
        private const int BrokenPipeError = 32;

        public override void Write(string? value) => throw new IOException("Broken pipe", BrokenPipeError);
    }
}
