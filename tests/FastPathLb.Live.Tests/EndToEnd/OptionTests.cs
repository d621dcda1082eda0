using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FastPathLb.Live.Tests.Lab;

namespace FastPathLb.Live.Tests.EndToEnd;

/// <summary>What options of <c>run</c> do that no other test needs.</summary>
public sealed class OptionTests
{
    private const int Terminated = 143;

    [LabFact]
    public void Log_lines_are_JSON_documents_on_request()
    {
        using SwarmLab swarm = new();
        using BalancerProcess balancer = swarm.StartBalancer("--tap", "--log-json", "--log-level", "debug");
        balancer.Signal("TERM");
        Assert.Equal(Terminated, balancer.WaitForExit());

        string[] lines = balancer.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length >= 2, balancer.Log);
        foreach (string line in lines)
        {
            using JsonDocument document = JsonDocument.Parse(line);
            Assert.Equal("Information", document.RootElement.GetProperty("LogLevel").GetString());
            DateTimeOffset time = DateTimeOffset.Parse(document.RootElement.GetProperty("Timestamp").GetString()!, CultureInfo.InvariantCulture);
            Assert.InRange((DateTimeOffset.UtcNow - time).TotalMinutes, 0, 1);
        }

        using JsonDocument first = JsonDocument.Parse(lines[0]);
        Assert.Contains("tap0 up", first.RootElement.GetProperty("Message").GetString(), StringComparison.Ordinal);
    }

    [LabTheory("script", "curl")]
    [InlineData(1)]
    [InlineData(2)]
    public void Top_shows_rates_per_server_on_a_terminal(int workers)
    {
        using SwarmLab swarm = new();
        swarm.ServeWeb();
        swarm.Folder.Write("lb.yaml", swarm.Config());
        string socket = swarm.Folder["top.sock"];
        string command = $"stty cols 160 rows 40; exec dotnet {BalancerProcess.Program} run --tap tap0 --config {swarm.ConfigPath} --control {socket} --workers {workers} --top 2>/dev/null";
        using Process terminal = Shell.Start(swarm.Lab.In("lb", "script", "-qefc", command, "/dev/null"));
        Task<string> shown = terminal.StandardOutput.ReadToEndAsync();
        Stopwatch waiting = Stopwatch.StartNew();
        while (Shell.TryRun("ip", "-n", swarm.Lab["lb"], "link", "set", "tap0", "master", "br0").Code != 0)
        {
            Assert.True(waiting.Elapsed < TimeSpan.FromSeconds(20) && !terminal.HasExited, "no tap0");
            Thread.Sleep(50);
        }

        for (int request = 0; request < 12; request++)
        {
            swarm.Curl();
            Thread.Sleep(200);
        }

        // What a terminal's Ctrl-C sends, to the program and not to the terminal.
        string program = Shell.Run("pgrep", "-f", $"run --tap tap0 --config {swarm.ConfigPath}.*--top").Split('\n')[^2];
        Shell.Run("kill", "-INT", program);
        Assert.True(terminal.WaitForExit(TimeSpan.FromSeconds(20)), "it does not end");
        string text = shown.Result;
        Assert.Contains("tap tap0", text, StringComparison.Ordinal);
        Assert.Contains("-> 10.0.1.3:0", text, StringComparison.Ordinal);
        Assert.Contains("-> 10.0.1.4:0", text, StringComparison.Ordinal);
        Assert.Contains("conns/s", text, StringComparison.Ordinal);

        // Workers are told apart where there are several.
        Assert.Equal(workers > 1, text.Contains("worker 1   in", StringComparison.Ordinal));

        // In some second each server had connections: its line shows them, and their rate.
        Assert.Matches(@"-> 10\.0\.1\.3:0 +1 +\d+ +\d+ +[1-9]\d* ", text);
        Assert.Matches(@"-> 10\.0\.1\.4:0 +1 +\d+ +\d+ +[1-9]\d* ", text);
    }

    [LabTheory("curl", "ethtool")]
    [InlineData("--tap")]
    [InlineData("--af-xdp")]
    public void Busy_polling_never_sleeps_and_serves(string device)
    {
        const double Idle = 0.1;
        using SwarmLab swarm = new(isVeth: device != "--tap");
        swarm.ServeWeb();
        using (BalancerProcess sleeping = swarm.StartBalancer(device))
        {
            swarm.Curl();
            Assert.InRange(sleeping.ProcessorShare(), 0, Idle);
            Assert.Equal(130, sleeping.Stop());
        }

        using BalancerProcess balancer = swarm.StartBalancer(device, "--busy-poll");
        Assert.StartsWith("Hostname", swarm.Curl(), StringComparison.Ordinal);

        // A whole processor, where others leave it one.
        Assert.True(balancer.ProcessorShare() > 2 * Idle, $"{balancer.ProcessorShare()}");
        Assert.Equal(130, balancer.Stop());
    }

    [LabTheory("curl")]
    [InlineData("")]
    [InlineData("multi_queue")]
    public void An_interface_that_was_there_before_is_used_with_one_queue_or_several_and_stays(string queues)
    {
        using SwarmLab swarm = new();
        swarm.ServeWeb();
        swarm.Lab.Ip("lb", $"tuntap add dev tap0 mode tap {queues}".TrimEnd());
        using BalancerProcess balancer = swarm.StartBalancer();
        Assert.StartsWith("Hostname", swarm.Curl(), StringComparison.Ordinal);

        Assert.Equal(130, balancer.Stop());
        string kind = swarm.Lab.Ip("lb", "-d link show tap0");
        Assert.Contains("persist on", kind, StringComparison.Ordinal);
        Assert.Equal(queues.Length > 0, kind.Contains("multi_queue", StringComparison.Ordinal));
    }

    [LabFact("curl")]
    public void The_kernels_end_of_a_TAP_gets_MTU_and_hardware_address()
    {
        using SwarmLab swarm = new();
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer("--tap", "--mtu", "1400", "--mac", "02:42:0a:00:01:fe");
        Assert.StartsWith("Hostname", swarm.Curl(), StringComparison.Ordinal);

        string link = swarm.Lab.Ip("lb", "link show tap0");
        Assert.Contains(" mtu 1400 ", link, StringComparison.Ordinal);
        Assert.Contains("link/ether 02:42:0a:00:01:fe", link, StringComparison.Ordinal);
        Assert.Equal(130, balancer.Stop());
    }

    [LabFact("curl")]
    public void Neighbours_are_shown_with_their_states()
    {
        using SwarmLab swarm = new();
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer();
        swarm.Curl();
        swarm.Curl();

        Dictionary<string, string> states = balancer.Show("neighbors").GetProperty("neighbors").EnumerateArray()
            .ToDictionary(item => item.GetProperty("address").GetString()!, item => item.GetProperty("state").GetString()!);

        // Servers were asked and have answered; the client asked itself, which says nothing about its hearing us: it was used and waits.
        Assert.Equal("REACHABLE", states["10.0.1.3"]);
        Assert.Equal("REACHABLE", states["10.0.1.4"]);
        Assert.Equal("DELAY", states["10.0.1.8"]);

        // Five seconds later it is asked, by itself, and answers.
        Stopwatch waiting = Stopwatch.StartNew();
        string state = "DELAY";
        while (state != "REACHABLE" && waiting.Elapsed < TimeSpan.FromSeconds(20))
        {
            Thread.Sleep(200);
            state = balancer.Show("neighbors").GetProperty("neighbors").EnumerateArray()
                .Single(item => item.GetProperty("address").GetString() == "10.0.1.8").GetProperty("state").GetString()!;
        }

        Assert.Equal("REACHABLE", state);
        Assert.True(waiting.Elapsed > TimeSpan.FromSeconds(3), $"{waiting.Elapsed}");
    }

    [LabFact]
    public void A_working_folder_that_was_removed_is_no_error()
    {
        using TemporaryFolder folder = new();
        string gone = folder["gone"];
        Directory.CreateDirectory(gone);
        string[] command = ["sh", "-c", $"cd {gone} && rmdir {gone} && exec dotnet {BalancerProcess.Program} run --tap tap0 --config {folder["lb.yaml"]}"];

        // It gets as far as the file that is not there: that, and not the folder, is what is wrong.
        ShellResult result = Shell.TryRun(command);
        Assert.Equal(2, result.Code);
        Assert.Contains("lb.yaml", result.Error, StringComparison.Ordinal);
    }
}
