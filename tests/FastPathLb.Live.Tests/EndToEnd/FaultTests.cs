using System.Net;
using System.Net.Sockets;
using FastPathLb.Io.Captures;
using FastPathLb.Live.Tests.Lab;

namespace FastPathLb.Live.Tests.EndToEnd;

/// <summary>What goes wrong on real machines, and what happens then.</summary>
public sealed class FaultTests
{
    private const int DeviceLost = 3;
    private const int BadInput = 2;

    [LabTheory("curl", "ethtool")]
    [InlineData("--tap")]
    [InlineData("--af-packet")]
    [InlineData("--af-xdp")]
    public void An_interface_that_goes_down_and_up_serves_again_and_one_that_is_removed_ends_the_run(string device)
    {
        using SwarmLab swarm = new(isVeth: device != "--tap");
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer(device, "--pcap", swarm.Folder["live.pcap"]);
        (string space, string name) = swarm.IsVeth ? ("lb2", "lb0") : ("lb", "tap0");
        swarm.Curl();

        swarm.Lab.Ip(space, $"link set {name} down");
        Assert.NotEqual(0, Shell.TryRun(swarm.Lab.In("client", "curl", "-sS", "--max-time", "1", $"http://{SwarmLab.VirtualAddress}/")).Code);
        swarm.Lab.Ip(space, $"link set {name} up");
        Assert.StartsWith("Hostname", swarm.Curl(), StringComparison.Ordinal);

        swarm.Lab.Ip(space, $"link del {name}");
        Assert.Equal(DeviceLost, balancer.WaitForExit());
        Assert.Contains($"{name}: the interface was removed", balancer.Log, StringComparison.Ordinal);
        Assert.True(CountFrames(swarm.Folder["live.pcap"]) > 10);
    }

    [LabTheory("curl", "ethtool")]
    [InlineData("--tap")]
    [InlineData("--af-packet")]
    [InlineData("--af-xdp")]
    public void A_killed_run_leaves_a_valid_capture_and_nothing_at_the_interface(string device)
    {
        using SwarmLab swarm = new(isVeth: device != "--tap");
        swarm.ServeWeb();
        using (BalancerProcess killed = swarm.StartBalancer(device, "--pcap", swarm.Folder["live.pcap"]))
        {
            swarm.Curl();
            Thread.Sleep(1200);
            killed.Signal("KILL");
            killed.WaitForExit();
        }

        Assert.True(CountFrames(swarm.Folder["live.pcap"]) > 10);
        string links = swarm.Lab.Ip(swarm.IsVeth ? "lb2" : "lb", "-d link");
        Assert.DoesNotContain("tap0", links, StringComparison.Ordinal);
        Assert.DoesNotContain("prog/xdp", links, StringComparison.Ordinal);
        using BalancerProcess again = swarm.StartBalancer(device);
        Assert.StartsWith("Hostname", swarm.Curl(), StringComparison.Ordinal);
    }

    [LabFact("curl")]
    public void A_full_disk_ends_the_recording_and_not_the_service()
    {
        using SwarmLab swarm = new();
        swarm.ServeWeb();
        string disk = Directory.CreateDirectory(swarm.Folder["disk"]).FullName;
        Shell.Run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk);
        try
        {
            using BalancerProcess balancer = swarm.StartBalancer("--tap", "--pcap", Path.Combine(disk, "live.pcap"));
            swarm.Curl("/bytes/1000000");
            balancer.WaitForLog("Recording ended after");

            Assert.StartsWith("Hostname", swarm.Curl(), StringComparison.Ordinal);
            Assert.Contains("No space left", balancer.Show("counters").GetProperty("recordingFailure").GetString(), StringComparison.Ordinal);
            balancer.Stop();
            CountFrames(Path.Combine(disk, "live.pcap"));
        }
        finally
        {
            Shell.Run("umount", disk);
        }
    }

    [LabFact("curl")]
    public void A_ring_of_captures_keeps_the_newest()
    {
        using SwarmLab swarm = new();
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer(
            "--tap", "--pcap", swarm.Folder["live.pcap"], "--pcap-size", "1", "--pcap-files", "2");

        swarm.Curl("/bytes/2000000");
        balancer.Stop();

        string[] files = [.. Directory.GetFiles(swarm.Folder.Path, "live.*.pcap").Select(Path.GetFileName).Order(StringComparer.Ordinal)!];
        Assert.Equal(2, files.Length);
        Assert.DoesNotContain("live.0.pcap", files);
        Assert.All(files, file => Assert.True(CountFrames(swarm.Folder[file]) > 0));
    }

    [LabFact]
    public void A_flood_fills_a_queue_which_is_counted_and_passes()
    {
        using SwarmLab swarm = new(isVeth: true);
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer("--af-packet");
        swarm.Curl();
        Shell.Run("kill", "-STOP", $"{balancer.Id}");
        using (Socket flood = swarm.Lab.Within("client", () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)))
        {
            byte[] datagram = new byte[1400];
            for (int count = 0; count < 30_000; count++)
            {
                flood.SendTo(datagram, new IPEndPoint(IPAddress.Parse(SwarmLab.VirtualAddress), 9));
            }
        }

        Shell.Run("kill", "-CONT", $"{balancer.Id}");
        Thread.Sleep(500);

        Assert.True(balancer.Show("drops").GetProperty("device").GetProperty("receiveQueueFull").GetInt64() > 0, $"{balancer.Show("drops")}");
        Assert.StartsWith("Hostname", swarm.Curl(), StringComparison.Ordinal);
    }

    [LabTheory]
    [InlineData(BadInput, "nowhere: its MTU cannot be read", "--af-xdp", "nowhere")]
    [InlineData(BadInput, "nowhere: there is no such interface", "--af-packet", "nowhere")]
    [InlineData(BadInput, "lo: cannot be attached to as a TAP device: Invalid argument; there is an interface of that name which is no TAP device", "--tap", "lo")]
    [InlineData(BadInput, "a name that is too long: no name for an interface", "--tap", "a name that is too long")]
    [InlineData(BadInput, "tap0: its MTU cannot be set to 100000: Invalid argument", "--tap", "tap0", "--mtu", "100000")]
    [InlineData(BadInput, "--mac ff:ff:ff:ff:ff:ff: the hardware address of one host is expected", "--tap", "tap0", "--mac", "ff:ff:ff:ff:ff:ff")]
    [InlineData(BadInput, "--mac is for --tap", "--af-packet", "lo", "--mac", "02:00:00:00:00:01")]
    [InlineData(BadInput, "x0: no AF_XDP socket can be bound to queue 7", "--af-xdp", "x0", "--queue", "7")]
    [InlineData(BadInput, "lo: its MTU 65536 is too large for AF_XDP, 3818 is the most", "--af-xdp", "lo")]
    [InlineData(BadInput, "--workers 17: 1 to 16 is expected", "--tap", "tap0", "--workers", "17")]
    [InlineData(BadInput, "--workers", "--tap", "tap0", "--workers", "0")]
    [InlineData(BadInput, "x0: 2 workers need a receive queue each, and it has 1: 'ethtool -L x0 combined 2'", "--af-xdp", "x0", "--workers", "2")]
    [InlineData(BadInput, "one0: cannot be attached to as a TAP device: Invalid argument; several workers need a TAP device with several queues", "--tap", "one0", "--workers", "2")]
    [InlineData(BadInput, "one of --tap NAME, --af-packet IF and --af-xdp IF is expected, found several", "--tap", "tap0", "--af-packet", "lo")]
    [InlineData(BadInput, "/nowhere/live.pcap", "--tap", "tap0", "--pcap", "/nowhere/live.pcap")]
    [InlineData(BadInput, "ADDRESS:PORT is expected", "--tap", "tap0", "--metrics", "9464")]
    public void What_cannot_be_is_said_in_one_line_with_its_remedy(int code, string line, params string[] options)
    {
        using NetworkLab lab = new();
        using TemporaryFolder folder = new();
        lab.AddNamespace("lb");
        lab.Ip("lb", "link add x0 type veth peer name x1");
        lab.Ip("lb", "tuntap add dev one0 mode tap");
        folder.Write("lb.yaml", "lb: { address: 10.0.1.5/24 }\nservices: [{ vip: 10.0.1.2, servers: [10.0.1.3] }]\n");

        ShellResult result = Shell.TryRun(lab.In(
            "lb", ["dotnet", BalancerProcess.Program, "run", "--config", folder["lb.yaml"], "--no-control", "--log-level", "error", .. options]));

        Assert.Contains(line, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
        Assert.Equal(code, result.Code);
    }

    [LabFact("setpriv")]
    public void Who_may_not_is_told_which_rights_are_missing()
    {
        using TemporaryFolder folder = new();
        folder.Write("lb.yaml", "lb: { address: 10.0.1.5/24 }\nservices: [{ vip: 10.0.1.2, servers: [10.0.1.3] }]\n");

        foreach (string device in (string[])["--tap", "--af-packet"])
        {
            ShellResult result = Shell.TryRun(
                "setpriv", "--bounding-set=-all", "--inh-caps=-all", "dotnet", BalancerProcess.Program, "run", device, device == "--tap" ? "tapx" : "lo",
                "--config", folder["lb.yaml"], "--no-control");

            Assert.Contains("setcap cap_net_admin,cap_net_raw,cap_bpf+ep", result.Error, StringComparison.Ordinal);
            Assert.Equal(BadInput, result.Code);
        }
    }

    /// <summary>Reads a capture to its end.</summary>
    private static long CountFrames(string path)
    {
        using CaptureReader reader = CaptureReader.Open(path);
        long count = 0;
        while (reader.TryRead(out _))
        {
            count++;
        }

        return count;
    }

}
