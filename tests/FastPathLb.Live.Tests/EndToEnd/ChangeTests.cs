using System.Diagnostics;
using FastPathLb.Live.Tests.Lab;

namespace FastPathLb.Live.Tests.EndToEnd;

/// <summary>What an operator changes while clients are served.</summary>
public sealed class ChangeTests
{
    private const string Second = "10.0.1.4";

    [LabFact("wrk")]
    public void A_server_is_drained_removed_and_added_under_load_and_clients_of_the_other_notice_nothing()
    {
        using SwarmLab swarm = new();
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer();
        using KeptConnection first = new(swarm);
        using KeptConnection second = new(swarm);
        KeptConnection kept = first.Host == "web1" ? first : second;
        KeptConnection drained = first.Host == "web1" ? second : first;
        Assert.Equal("web2", drained.Host);
        using Process load = Shell.Start(swarm.Lab.In(
            "client", "wrk", "-t1", "-c8", "-d3s", "--timeout", "10s", "-H", "Connection: close", $"http://{SwarmLab.VirtualAddress}/"));

        Thread.Sleep(500);
        balancer.Ctl("ipvsadm", "-e", "-f", "256", "-r", Second, "-m", "-w", "0");
        Thread.Sleep(500);
        int answersWhileDraining = drained.Answers;

        // A frame that the load makes the device drop is sent again after 200 ms at the soonest, and twice that the second time.
        Assert.True(
            SpinWait.SpinUntil(() => drained.Answers > answersWhileDraining, TimeSpan.FromSeconds(5)), "weight 0 leaves open connections alone");
        Assert.Equal(["Hostname: web1", "Hostname: web1"], Enumerable.Range(0, 2).Select(_ => swarm.Curl().Split('\n')[0]));
        Assert.Empty(drained.Stop());
        balancer.Command($"ipvsadm -d -f 256 -r {Second}");
        Thread.Sleep(300);
        balancer.Command($"ipvsadm -a -f 256 -r {Second} -m -w 1");
        Assert.Equal(
            ["Hostname: web1", "Hostname: web2"], Enumerable.Range(0, 12).Select(_ => swarm.Curl().Split('\n')[0]).Distinct().Order());
        string text = load.StandardOutput.ReadToEnd();
        load.WaitForExit();

        WrkReport report = WrkReport.Parse(text);
        Assert.True(report.IsClean && report.Requests > 100, report.Text);
        Assert.Empty(kept.Stop());
        Assert.True(kept.Answers > 100);
    }

    [LabFact("wrk", "curl")]
    public void A_reload_under_load_loses_no_request_and_an_invalid_file_leaves_the_old_one_in_force()
    {
        using SwarmLab swarm = new();
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer("--tap", "--no-watch");
        using KeptConnection kept = new(swarm);
        using Process load = Shell.Start(swarm.Lab.In(
            "client", "wrk", "-t1", "-c8", "-d3s", "--timeout", "10s", "-H", "Connection: close", $"http://{SwarmLab.VirtualAddress}/"));

        swarm.Folder.Write("lb.yaml", swarm.Config("  - { vip: 10.0.1.30, servers: [10.0.1.4] }\n"));
        balancer.Signal("HUP");
        balancer.WaitForLog("1 service added");
        Assert.StartsWith("Hostname: web2", swarm.Curl(address: "10.0.1.30"), StringComparison.Ordinal);

        swarm.Folder.Write("lb.yaml", swarm.Config().Replace("servers:", "serverz:", StringComparison.Ordinal));
        balancer.Signal("HUP");
        balancer.WaitForLog("Not reloaded, the old configuration stays");
        Assert.Contains("did you mean 'servers'?", balancer.Log, StringComparison.Ordinal);
        Assert.StartsWith("Hostname: web2", swarm.Curl(address: "10.0.1.30"), StringComparison.Ordinal);

        swarm.Folder.Write("lb.yaml", swarm.Config().Replace("mtu: 1450", "mtu: 1400", StringComparison.Ordinal));
        balancer.Signal("HUP");
        balancer.WaitForLog("its MTU 1450 is fixed while the load balancer runs, found 1400");

        swarm.Folder.Write("lb.yaml", swarm.Config(servers: "[{ address: 10.0.1.3, weight: 3 }, 10.0.1.4]"));
        balancer.Signal("HUP");
        balancer.WaitForLog("1 server changed, 1 service removed");
        string text = load.StandardOutput.ReadToEnd();
        load.WaitForExit();

        WrkReport report = WrkReport.Parse(text);
        Assert.True(report.IsClean && report.Requests > 100, report.Text);
        Assert.Empty(kept.Stop());
        Assert.NotEqual(0, Shell.TryRun(swarm.Lab.In("client", "curl", "-sS", "--max-time", "1", "http://10.0.1.30/")).Code);
    }

    [LabFact("curl")]
    public void A_changed_file_is_reloaded_by_itself()
    {
        using SwarmLab swarm = new();
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer();

        swarm.Folder.Write("lb.yaml", swarm.Config(servers: "[10.0.1.4]"));
        balancer.WaitForLog("1 server removed");

        Assert.All(Enumerable.Range(0, 3), _ => Assert.StartsWith("Hostname: web2", swarm.Curl(), StringComparison.Ordinal));
    }

    [LabFact("curl")]
    public void The_control_socket_tells_services_connections_counters_drops_and_neighbours_and_refuses_nonsense()
    {
        using SwarmLab swarm = new();
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer();
        swarm.Curl();

        System.Text.Json.JsonElement service = balancer.Show("services").GetProperty("services")[0];
        Assert.Equal("FWM 256", service.GetProperty("service").GetString());
        Assert.Equal(SwarmLab.VirtualAddress, service.GetProperty("address").GetString());
        Assert.Equal(1, service.GetProperty("connections").GetInt64());
        System.Text.Json.JsonElement connection = balancer.Show("connections").GetProperty("connections")[0];
        Assert.Equal("10.0.1.4:80", connection.GetProperty("server").GetString());
        Assert.Equal("TIME_WAIT", connection.GetProperty("state").GetString());
        Assert.True(balancer.Show("counters").GetProperty("framesIn").GetInt64() >= 10);
        Assert.Contains(
            balancer.Show("neighbors").GetProperty("neighbors").EnumerateArray(),
            neighbor => neighbor.GetProperty("mac").GetString() == "02:42:0a:00:01:04");
        Assert.Contains("-> 10.0.1.4:0", balancer.Ctl("services"), StringComparison.Ordinal);
        Assert.Contains("neighbor-unresolved", balancer.Ctl("drops"), StringComparison.Ordinal);

        InvalidOperationException refusal = Assert.Throws<InvalidOperationException>(
            () => balancer.Ctl("ipvsadm", "-e", "-f", "999", "-r", Second, "-m"));
        Assert.Contains("no such service or server", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("is expected", Assert.Throws<InvalidOperationException>(() => balancer.Ctl("nonsense")).Message, StringComparison.Ordinal);
        Assert.Contains(
            "scheduler fair is not known",
            Assert.Throws<InvalidOperationException>(() => balancer.Ctl("ipvsadm", "-A", "-f", "9", "-s", "fair")).Message,
            StringComparison.Ordinal);
    }
}
