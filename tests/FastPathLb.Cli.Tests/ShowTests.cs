using System.Text.Json;

namespace FastPathLb.Cli.Tests;

public sealed class ShowTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Each_frame_has_its_role_and_what_becomes_of_it()
    {
        CommandRun run = CommandRun.Of("show", CapturesFolder.Overlay("rr-basic"), "--count", "8");

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Equal(8, run.Lines.Length);
        Assert.StartsWith("     1  ", run.Lines[0], StringComparison.Ordinal);
        Assert.Contains("  client→VIP  ", run.Lines[0]);
        Assert.Contains("TCP [S]", run.Lines[0]);
        Assert.EndsWith("  => forwarded", run.Lines[0], StringComparison.Ordinal);
        Assert.Equal(
            ["client→VIP", "ARP", "ARP", "LB→task", "task→LB", "ARP", "ARP", "LB→client"],
            run.Lines.Select(line => line.Split("  ", StringSplitOptions.RemoveEmptyEntries)[2]));
    }

    [Fact]
    public void Frames_of_the_underlay_are_looked_into()
    {
        CommandRun run = CommandRun.Of("show", CapturesFolder.Underlay("rr-basic"), "--count", "4");

        Assert.Contains("  client→VIP  ", run.Lines[0]);
        Assert.Contains("VXLAN vni 4097", run.Lines[0]);
    }

    [Fact]
    public void A_drop_says_why()
    {
        CommandRun run = CommandRun.Of("show", CapturesFolder.Underlay("odd-encapsulation"));

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Contains(run.Lines, line => line.EndsWith(
            "=> dropped, vxlan-unknown-vni: no VXLAN device has this VNI", StringComparison.Ordinal));
    }

    [Fact]
    public void Address_resolution_is_told_apart()
    {
        CommandRun run = CommandRun.Of("show", CapturesFolder.Overlay("arp"));

        Assert.Contains(
            run.Lines,
            line => line.Contains("  ARP         ", StringComparison.Ordinal) && line.EndsWith("=> answered", StringComparison.Ordinal));
    }

    [Fact]
    public void All_frames_come_in_the_order_of_the_capture()
    {
        JsonElement frames = CommandRun.Of("show", CapturesFolder.Underlay("many-flows"), "--json").Json.GetProperty("frames");

        Assert.Equal(6000, frames.GetArrayLength());
        Assert.Equal(Enumerable.Range(1, 6000), frames.EnumerateArray().Select(frame => frame.GetProperty("number").GetInt32()));
        Assert.Equal("LB→task", frames[1].GetProperty("role").GetString());
        Assert.True(frames[1].GetProperty("sentByLoadBalancer").GetBoolean());
        Assert.Equal("forwarded", frames[0].GetProperty("verdict").GetString());
    }

    [Fact]
    public void Without_a_node_frames_are_shown_as_they_are()
    {
        string path = _folder.Write("alone.pcap", CapturesFolder.Decompressed(CapturesFolder.Overlay("rr-basic")));

        CommandRun run = CommandRun.Of("show", path, "--count", "2");

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Empty(run.Errors);
        Assert.Equal(2, run.Lines.Length);
        Assert.DoesNotContain("→", run.Output);
        Assert.DoesNotContain("=>", run.Output);
    }

    [Fact]
    public void Standard_input_can_be_shown_with_a_configuration()
    {
        string yaml = _folder["lb.yaml"];
        CommandRun.Of("config", "--node", CapturesFolder.Folder("ping-vip"), "-o", yaml);

        CommandRun run = CommandRun.WithInput(
            File.ReadAllBytes(CapturesFolder.Overlay("ping-vip")), "show", "-", "--config", yaml, "--json");

        Assert.Equal(ExitCode.Success, run.Code);
        Assert.Equal("answered", run.Json.GetProperty("frames")[0].GetProperty("verdict").GetString());
        Assert.Contains("first frame", run.Json.GetProperty("notes")[0].GetString());
    }

    [Fact]
    public void Odd_captures_are_shown_as_far_as_they_go()
    {
        foreach (string path in Directory.GetFiles(Path.Combine(CapturesFolder.Root, "shapes"), "*.pcap*"))
        {
            CommandRun run = CommandRun.Of("show", path);
            Assert.True(run.Code is ExitCode.Success or ExitCode.BadInput, $"{path}: {run.Errors}");
        }
    }
}
