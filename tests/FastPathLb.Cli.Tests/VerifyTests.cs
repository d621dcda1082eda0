using System.Text.Json;

namespace FastPathLb.Cli.Tests;

public sealed class VerifyTests : IDisposable
{
    private const string RoundRobin = "rr-basic";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_recording_is_what_the_emulator_makes_of_it()
    {
        CommandRun run = CommandRun.Of("verify", CapturesFolder.Underlay(RoundRobin));

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains("expected 80, emitted 80: 80 the same, 0 differ", run.Output);
        Assert.Contains("20 the same, 0 differ, at after", run.Output);
        Assert.EndsWith("all the same\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_replay_writes_is_what_verify_expects()
    {
        string output = _folder["out.pcap"];
        CommandRun run = CommandRun.Of("verify", CapturesFolder.Underlay(RoundRobin), "-o", output);

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Equal(80, CapturedBytes.Read(output).Count);
    }

    [Fact]
    public void Events_of_the_recording_are_carried_out_unasked()
    {
        CommandRun run = CommandRun.Of("verify", CapturesFolder.Overlay("drain"));

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains("78 the same, 0 differ, at at1, at2, at3, after", run.Output);
    }

    [Fact]
    public void A_recording_on_standard_input_is_verified_with_the_tables_of_its_node()
    {
        CommandRun run = CommandRun.WithInput(
            File.ReadAllBytes(CapturesFolder.Overlay(RoundRobin)), "verify", "-", "--node", CapturesFolder.Folder(RoundRobin));

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains("20 the same, 0 differ, at after", run.Output);
    }

    [Fact]
    public void A_configuration_is_verified_with_the_tables_beside_the_capture()
    {
        string yaml = _folder["lb.yaml"];
        CommandRun.Of("config", "--node", CapturesFolder.Folder(RoundRobin), "-o", yaml);

        CommandRun run = CommandRun.Of("verify", CapturesFolder.Underlay(RoundRobin), "--config", yaml);

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains("20 the same, 0 differ, at after", run.Output);
    }

    [Fact]
    public void Every_recording_verifies_with_the_configuration_that_its_dump_makes()
    {
        string[] captures =
        [
            .. Directory.GetDirectories(CapturesFolder.Root).SelectMany(folder => Directory.GetFiles(folder, "*.pcap.gz")).Order()
                .Where(path => Path.GetFileName(path) is "underlay.pcap.gz" or "lb-eth0.pcap.gz"),
        ];
        Assert.InRange(captures.Length, 74, 1000);
        Assert.All(captures, capture =>
        {
            string yaml = _folder["lb.yaml"];
            Assert.Equal(ExitCode.Success, CommandRun.Of("config", "--node", Path.GetDirectoryName(capture)!, "-o", yaml).Code);
            CommandRun run = CommandRun.Of("verify", capture, "--config", yaml);
            Assert.True(run.Code == ExitCode.Success, $"{capture}: {run.Errors}{run.Output}");
        });
    }

    [Fact]
    public void Without_hints_a_recording_is_held_against_stated_defaults()
    {
        // Linux drew the colliding ports here: what was drawn the recording alone tells.
        string capture = CapturesFolder.Overlay("snat-collision");

        Assert.Equal(ExitCode.Success, CommandRun.Of("verify", capture).Code);
        Assert.Equal(ExitCode.Different, CommandRun.Of("verify", capture, "--no-hints").Code);
        Assert.Equal(ExitCode.Success, CommandRun.Of("verify", CapturesFolder.Overlay(RoundRobin), "--no-hints").Code);
    }

    [Fact]
    public void A_changed_frame_is_shown_field_by_field()
    {
        CommandRun run = CommandRun.Of("verify", ChangedCapture(), "--node", CapturesFolder.Folder(RoundRobin), "--first", "1");

        Assert.Equal(ExitCode.Different, run.Code);
        Assert.Contains("79 the same, 1 differ", run.Output);
        Assert.Matches(@"difference 1 of 1, frame \d+ of its flow", run.Output);
        Assert.Contains("  kernel   ", run.Output);
        Assert.Contains("  emulator ", run.Output);
        Assert.Matches(@"byte 72: inner IPv4 time to live is 07, emitted 3f", run.Output);
        Assert.Contains("caused by frame", run.Output);
        Assert.EndsWith("DIFFERENT\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_has_figures_and_differences()
    {
        CommandRun run = CommandRun.Of("verify", ChangedCapture(), "--node", CapturesFolder.Folder(RoundRobin), "--json");

        Assert.Equal(ExitCode.Different, run.Code);
        JsonElement json = run.Json;
        Assert.False(json.GetProperty("isSame").GetBoolean());
        Assert.Equal(79, json.GetProperty("frames").GetProperty("same").GetInt32());
        JsonElement field = json.GetProperty("frames").GetProperty("differences")[0].GetProperty("fields")[0];
        Assert.Equal("inner IPv4 time to live", field.GetProperty("name").GetString());
        Assert.Equal(72, field.GetProperty("offset").GetInt32());
        Assert.Equal(20, json.GetProperty("tables").GetProperty("same").GetInt32());
        Assert.Equal(80, json.GetProperty("replay").GetProperty("framesOut").GetInt64());
    }

    [Fact]
    public void A_changed_table_is_shown_row_by_row()
    {
        string node = _folder.CopyDumps(RoundRobin);
        string table = Path.Combine(node, "ipvsadm-Ln.after.txt");
        string changed = File.ReadAllText(table).Replace(
            "Masq    1      0          4", "Masq    1      0          7", StringComparison.Ordinal);
        File.WriteAllText(table, changed);

        CommandRun run = CommandRun.Of("verify", CapturesFolder.Underlay(RoundRobin), "--node", node);

        Assert.Equal(ExitCode.Different, run.Code);
        Assert.Contains("18 the same, 2 differ, at after", run.Output);
        Assert.Contains("ipvsadm-Ln at after: FWM 273 -> 10.0.1.3:0: kernel Masq 1 0 7, emulator Masq 1 0 4", run.Output);
    }

    [Fact]
    public void A_recording_without_tables_is_verified_by_its_frames_alone()
    {
        string node = _folder.CopyDumps(RoundRobin);
        File.Delete(Path.Combine(node, "checkpoints.txt"));

        CommandRun run = CommandRun.Of("verify", CapturesFolder.Underlay(RoundRobin), "--node", node);

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.DoesNotContain("table rows", run.Output);
    }

    [Fact]
    public void A_capture_without_frames_of_the_load_balancer_cannot_be_verified()
    {
        string node = _folder.CopyDumps(RoundRobin);
        File.Delete(Path.Combine(node, "checkpoints.txt"));

        CommandRun run = CommandRun.Of("verify", CapturesFolder.Overlay(RoundRobin), "--node", node, "--attach", "underlay");

        Assert.Equal(ExitCode.BadInput, run.Code);
        Assert.Contains("there is nothing to compare with (is --attach right?)", run.Error);
    }

    [Fact]
    public void All_recordings_of_a_folder_have_a_line_each()
    {
        string root = SmallCollection();

        CommandRun run = CommandRun.Of("verify", "--all", root);

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Matches(@"(?m)^arp +overlay +3 +0 +12 +0 +\d+\.\d\d s$", run.Output);
        Assert.Matches(@"(?m)^arp +underlay +0 +0 +12 +0 +\d+\.\d\d s$", run.Output);
        Assert.Matches(@"(?m)^ping-vip +underlay +5 +0 +12 +0 +\d+\.\d\d s$", run.Output);
        Assert.Contains("4 recordings in", run.Output);
        Assert.Contains("4 the same, 0 different, 0 with wrong files, 0 left out", run.Output);
    }

    [Fact]
    public void All_at_one_attach_point_are_chosen_with_it()
    {
        CommandRun run = CommandRun.Of("verify", "--all", SmallCollection(), "--attach", "overlay");

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.DoesNotContain("underlay", run.Output);
        Assert.Contains("2 recordings in", run.Output);
    }

    [Fact]
    public void One_that_differs_makes_all_differ()
    {
        string root = SmallCollection();
        string table = Path.Combine(root, "ping-vip", "mangle.after.txt");
        File.WriteAllText(table, File.ReadAllText(table).Replace("0x111", "0x222", StringComparison.Ordinal));

        CommandRun run = CommandRun.Of("verify", "--all", root);

        Assert.Equal(ExitCode.Different, run.Code);
        Assert.Matches(@"(?m)^ping-vip +underlay .* DIFFERENT$", run.Output);
        Assert.Contains("2 the same, 2 different", run.Output);
    }

    [Fact]
    public void One_with_wrong_files_does_not_keep_the_others_from_being_verified()
    {
        string root = SmallCollection();
        File.WriteAllText(Path.Combine(root, "arp", "underlay.pcap.gz"), "no capture at all");

        CommandRun run = CommandRun.Of("verify", "--all", root, "--json");

        Assert.Equal(ExitCode.BadInput, run.Code);
        JsonElement recordings = run.Json.GetProperty("recordings");
        Assert.False(run.Json.GetProperty("same").GetBoolean());
        Assert.Equal(4, recordings.GetArrayLength());
        Assert.Contains("offset 0", recordings[0].GetProperty("problem").GetString());
        Assert.Equal(JsonValueKind.Null, recordings[1].GetProperty("problem").ValueKind);
        Assert.True(recordings[1].GetProperty("isSame").GetBoolean());
    }

    private string SmallCollection()
    {
        foreach (string name in (string[])["arp", "ping-vip"])
        {
            _folder.CopyDumps(name, name);
            File.Copy(CapturesFolder.Underlay(name), Path.Combine(_folder[name], "underlay.pcap.gz"));
            File.Copy(CapturesFolder.Overlay(name), Path.Combine(_folder[name], "lb-eth0.pcap.gz"));
        }

        return _folder.Root;
    }

    /// <summary>The recording, with another TTL (byte 72 of the frame) in the first frame that its load balancer sent.</summary>
    private string ChangedCapture()
    {
        const int RecordHeaderBytes = 16;
        byte[] capture = CapturesFolder.Decompressed(CapturesFolder.Underlay(RoundRobin));
        int offset = 24;
        while (!capture.AsSpan(offset + RecordHeaderBytes + 26, 4).SequenceEqual((byte[])[172, 19, 177, 14]))
        {
            offset += RecordHeaderBytes + BitConverter.ToInt32(capture, offset + 8);
        }

        capture[offset + RecordHeaderBytes + 72] = 7;
        return _folder.Write("changed.pcap", capture);
    }
}
