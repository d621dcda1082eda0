using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FastPathLb.Live.Tests.Lab;

namespace FastPathLb.Live.Tests.EndToEnd;

/// <summary>Real clients through several workers, each with a queue of the device.</summary>
public sealed class WorkerTests
{
    private const int RequestsMin = 10_000;
    private const int RoundsMax = 10;
    private const string Second = "10.0.1.4";

    [LabTheory("curl", "ping", "ethtool")]
    [InlineData("--tap", false)]
    [InlineData("--tap", true)]
    [InlineData("--af-packet", false)]
    [InlineData("--af-packet", true)]
    [InlineData("--af-xdp", false)]
    [InlineData("--af-xdp", true)]
    public void Curl_alternates_over_two_hosts_as_with_one_worker(string device, bool isTunnel)
    {
        using SwarmLab swarm = new(isTunnel, isVeth: device != "--tap", queues: 2);
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer(device, "--workers", "2", "--pcap", swarm.Folder["live.pcap"]);

        string[] replies = [.. Enumerable.Range(0, 16).Select(_ => swarm.Curl())];

        Assert.Equal(
            [.. Enumerable.Range(0, 16).Select(number => $"Hostname: web{2 - (number % 2)}\nRemoteAddr: {SwarmLab.BalancerAddress}\n")], replies);
        Assert.Contains(" 0% packet loss", Shell.Run(swarm.Lab.In("client", "ping", "-c", "3", "-i", "0.1", "-W", "2", SwarmLab.VirtualAddress)));

        // Both have had connections.
        JsonElement[] workers = [.. balancer.Show("counters").GetProperty("workers").EnumerateArray()];
        Assert.Equal(2, workers.Length);
        Assert.All(workers, worker => Assert.True(worker.GetProperty("framesOut").GetInt64() > 10, $"{balancer.Show("counters")}"));
        if (device == "--af-packet")
        {
            // The kernel's program chose them: but for the ICMP echo, ARP and nothing else.
            Assert.InRange(workers.Sum(worker => worker.GetProperty("handedOver").GetInt64()), 0, 20);
        }

        Assert.Equal(16, balancer.Show("services").GetProperty("services")[0].GetProperty("connections").GetInt64());
        Assert.Equal(130, balancer.Stop());

        // One worker, offline, makes the same frames of what was recorded. Of next hops at the underlay, which it asks for there, it would have to be told.
        if (!isTunnel)
        {
            Shell.Run("dotnet", BalancerProcess.Program, "verify", swarm.Folder["live.pcap"], "--config", swarm.ConfigPath, "--attach", "overlay");
        }
    }

    [LabFact("curl")]
    public void Workers_run_on_the_processors_that_are_named()
    {
        using SwarmLab swarm = new(isVeth: false, queues: 2);
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer("--tap", "--workers", "2", "--cpus", "1,0", "--numa", "0");
        Assert.StartsWith("Hostname: web", swarm.Curl(), StringComparison.Ordinal);

        Dictionary<string, string> allowed = Directory.GetDirectories($"/proc/{balancer.Id}/task")
            .Select(task => (Name: File.ReadAllText(Path.Combine(task, "comm")).Trim(), Status: File.ReadLines(Path.Combine(task, "status"))))
            .Where(task => task.Name.StartsWith("worker ", StringComparison.Ordinal))
            .ToDictionary(task => task.Name, task => task.Status.Single(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split('\t')[1]);
        Assert.Equal("1", allowed["worker 0"]);
        Assert.Equal("0", allowed["worker 1"]);

        // The threads of control and metrics stay free.
        Assert.DoesNotContain("Cpus_allowed_list:\t1\n", File.ReadAllText($"/proc/{balancer.Id}/status"), StringComparison.Ordinal);
        Assert.Equal(130, balancer.Stop());
    }

    [LabTheory("wrk", "ethtool")]
    [InlineData("--tap", false)]
    [InlineData("--tap", true)]
    [InlineData("--af-packet", true)]
    [InlineData("--af-xdp", false)]
    [InlineData("--af-xdp", true)]
    public void Ten_thousand_requests_are_answered_without_an_error(string device, bool areShort)
    {
        using SwarmLab swarm = new(isVeth: device != "--tap", queues: 2);
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer(device, "--workers", "2");
        int requests = 0;
        for (int round = 0; round < RoundsMax && requests < RequestsMin; round++)
        {
            string[] header = areShort ? ["-H", "Connection: close"] : [];
            WrkReport report = WrkReport.Parse(Shell.Run(swarm.Lab.In(
                "client", ["wrk", "-t1", "-c32", "-d2s", "--timeout", "10s", .. header, $"http://{SwarmLab.VirtualAddress}/"])));

            Assert.True(report.IsClean, $"{report.Text} {balancer.Show("drops")}");
            requests += report.Requests;
        }

        Assert.True(requests >= RequestsMin, $"{requests} requests");
        Assert.Equal(0, balancer.Show("drops").GetProperty("device").GetProperty("handOverFull").GetInt64());
        Assert.Equal(130, balancer.Stop());
    }

    [LabTheory("wrk", "curl", "ethtool")]
    [InlineData("--tap")]
    [InlineData("--af-packet")]
    [InlineData("--af-xdp")]
    public void A_reload_and_edits_under_load_lose_no_request(string device)
    {
        using SwarmLab swarm = new(isVeth: device != "--tap", queues: 2);
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer(device, "--no-watch", "--workers", "2");
        using KeptConnection first = new(swarm);
        using KeptConnection second = new(swarm);
        KeptConnection kept = first.Host == "web1" ? first : second;
        using Process load = Shell.Start(swarm.Lab.In(
            "client", "wrk", "-t1", "-c8", "-d4s", "--timeout", "10s", "-H", "Connection: close", $"http://{SwarmLab.VirtualAddress}/"));

        swarm.Folder.Write("lb.yaml", swarm.Config("  - { vip: 10.0.1.30, servers: [10.0.1.4] }\n"));
        balancer.Signal("HUP");
        balancer.WaitForLog("1 service added");

        // Whichever worker a connection comes to knows it.
        Assert.All(
            Enumerable.Range(0, 6), _ => Assert.StartsWith("Hostname: web2", swarm.Curl(address: "10.0.1.30"), StringComparison.Ordinal));
        balancer.Command($"ipvsadm -e -f 256 -r {Second} -m -w 0");
        Assert.All(Enumerable.Range(0, 6), _ => Assert.StartsWith("Hostname: web1", swarm.Curl(), StringComparison.Ordinal));
        balancer.Command($"ipvsadm -e -f 256 -r {Second} -m -w 1");
        for (int number = 0; number < 20; number++)
        {
            balancer.Command($"ipvsadm -e -f 256 -r {Second} -m -w {(number % 3) + 1}");
            Assert.True(balancer.Show("connections").GetProperty("total").GetInt32() > 0);
        }

        swarm.Folder.Write("lb.yaml", swarm.Config().Replace("servers:", "serverz:", StringComparison.Ordinal));
        balancer.Signal("HUP");
        balancer.WaitForLog("Not reloaded, the old configuration stays");
        swarm.Folder.Write("lb.yaml", swarm.Config());
        balancer.Signal("HUP");
        balancer.WaitForLog("1 service removed");
        string text = load.StandardOutput.ReadToEnd();
        load.WaitForExit();

        WrkReport report = WrkReport.Parse(text);
        Assert.True(report.IsClean && report.Requests > 100, report.Text);
        Assert.Empty(kept.Stop());
        Assert.Equal(130, balancer.Stop());
    }

    [LabFact("curl")]
    public void Metrics_are_told_by_worker_and_add_up()
    {
        using SwarmLab swarm = new();
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer("--tap", "--workers", "2", "--metrics", "127.0.0.1:9464");

        // Which worker a connection comes to is drawn by its port: so many that both have some, but for one run in 10^10.
        const int Requests = 40;
        for (int request = 0; request < Requests; request++)
        {
            swarm.Curl();
        }

        Thread.Sleep(300);
        string[] lines = Shell.Run(swarm.Lab.In("lb", "curl", "-sS", "--fail", "http://127.0.0.1:9464/metrics")).Split('\n');
        JsonElement counters = balancer.Show("counters");

        double[] framesOut = [Read(lines, "fastpathlb_frames_out_total", "worker=\"0\""), Read(lines, "fastpathlb_frames_out_total", "worker=\"1\"")];
        Assert.All(framesOut, frames => Assert.True(frames > 5, $"{frames}"));
        Assert.InRange(framesOut.Sum(), 100, counters.GetProperty("framesOut").GetInt64());
        Assert.True(Read(lines, "fastpathlb_frames_handed_total", "worker=\"0\"") + Read(lines, "fastpathlb_frames_handed_total", "worker=\"1\"") > 0);
        Assert.Equal(Requests, Read(lines, "fastpathlb_service_connections_total", "address=\"10.0.1.2\""));
        Assert.Equal(Requests / 2, Read(lines, "fastpathlb_server_connections_total", "server=\"10.0.1.3:0\""));
        Assert.True(Read(lines, "fastpathlb_batch_size_count", "worker=\"1\"") > 5);
        Assert.Equal(Requests, Read(lines, "fastpathlb_connections", "state=\"TIME_WAIT\""));
        Assert.Equal(130, balancer.Stop());
    }

    [LabTheory("curl", "ethtool")]
    [InlineData("--tap")]
    [InlineData("--af-packet")]
    [InlineData("--af-xdp")]
    public void Idle_workers_sleep_and_an_interface_that_is_removed_ends_all(string device)
    {
        using SwarmLab swarm = new(isVeth: device != "--tap", queues: 2);
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer(device, "--workers", "2");
        swarm.Curl();
        Assert.InRange(balancer.ProcessorShare(), 0, 0.15);
        (string space, string name) = swarm.IsVeth ? ("lb2", "lb0") : ("lb", "tap0");

        swarm.Lab.Ip(space, $"link set {name} down");
        swarm.Lab.Ip(space, $"link set {name} up");
        Assert.StartsWith("Hostname", swarm.Curl(), StringComparison.Ordinal);
        swarm.Lab.Ip(space, $"link del {name}");

        Assert.Equal(3, balancer.WaitForExit());
        Assert.Contains($"{name}: the interface was removed", balancer.Log, StringComparison.Ordinal);
    }

    [LabFact("curl")]
    public void A_persistent_service_keeps_a_client_at_its_server()
    {
        using SwarmLab swarm = new();
        swarm.ServeWeb();
        swarm.Folder.Write("lb.yaml", swarm.Config(services: "  - { vip: 10.0.1.31, servers: [10.0.1.3, 10.0.1.4], persistence: 60 }\n"));
        using BalancerProcess balancer = swarm.StartBalancer("--tap", "--workers", "2");

        string host = swarm.Curl(address: "10.0.1.31").Split('\n')[0];

        Assert.All(Enumerable.Range(0, 8), _ => Assert.StartsWith(host, swarm.Curl(address: "10.0.1.31"), StringComparison.Ordinal));
        Assert.Equal(130, balancer.Stop());
    }

    private static double Read(string[] lines, string name, string label)
    {
        string? line = Array.Find(
            lines, item => item.StartsWith($"{name}{{", StringComparison.Ordinal) && item.Contains(label, StringComparison.Ordinal));
        Assert.True(line is not null, $"no {name} with {label} in\n{string.Join('\n', lines)}");

        // NAME{LABELS} VALUE TIME
        return double.Parse(line[(line.LastIndexOf('}') + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
    }
}
