using FastPathLb.Live.Tests.Lab;
using FastPathLb.TestKit;

namespace FastPathLb.Live.Tests.EndToEnd;

/// <summary>Names that a running load balancer answers, as a client's own resolver asks for them.</summary>
public sealed class NameTests
{
    private const string Nameserver = "10.0.1.1";

    [LabFact("curl", "getent")]
    public void A_client_fetches_http_web_by_the_services_name_and_a_reload_brings_new_names()
    {
        using SwarmLab swarm = new();
        swarm.ServeWeb();
        AddNameserver(swarm);
        using BalancerProcess balancer = swarm.StartBalancer("--tap", "--dns", Nameserver);
        Assert.Contains($"Names of network lb are answered at {Nameserver}:53", balancer.Log, StringComparison.Ordinal);

        AssertBalanced(swarm, "web", SwarmLab.BalancerAddress);
        AssertBalanced(swarm, "web.lb", SwarmLab.BalancerAddress);
        Assert.Equal(["10.0.1.3", "10.0.1.4"], Resolve(swarm, "tasks.web"));

        // Past the load balancer, to the task itself: it sees the client.
        Assert.Equal("Hostname: web1\nRemoteAddr: 10.0.1.8\n", swarm.Curl(address: "tasks.one"));
        Assert.NotEqual(0, Shell.TryRun(swarm.Lab.In("client", "getent", "hosts", "example.org")).Code);
        Assert.Empty(Resolve(swarm, "shop"));

        swarm.Folder.Write("lb.yaml", swarm.Config("  - { name: shop, vip: 10.0.1.30, servers: [10.0.1.4] }\n"));
        balancer.WaitForLog("1 service added");
        Assert.Equal($"Hostname: web2\nRemoteAddr: {SwarmLab.BalancerAddress}\n", swarm.Curl(address: "shop"));
        Assert.Equal(130, balancer.Stop());
    }

    /// <summary>The lab's hosts have the addresses and MACs of the recorded swarm's tasks and client.</summary>
    [LabFact("curl", "getent")]
    public void A_real_swarms_files_answer_with_Dockers_names()
    {
        const string OwnAddress = "10.0.1.6";
        using SwarmLab swarm = new();
        swarm.ServeWeb();
        AddNameserver(swarm);
        using BalancerProcess balancer = BalancerProcess.Start(
            swarm.Lab, "lb", swarm.Folder.Path, "--tap", "tap0", "--node", Recordings.PathOf("swarm-web"), "--dns", Nameserver);
        swarm.Lab.Ip("lb", "link set tap0 master br0");

        AssertBalanced(swarm, "web", OwnAddress);
        AssertBalanced(swarm, "web.mynet", OwnAddress);
        Assert.Equal(["10.0.1.3", "10.0.1.4"], Resolve(swarm, "tasks.web"));
        string name = Shell.Run(swarm.Lab.In("client", "getent", "hosts", "10.0.1.3"));
        Assert.Contains("web.1.mc5seird2uab95ojhim0biikn.mynet", name, StringComparison.Ordinal);
        Assert.Equal(130, balancer.Stop());
    }

    [LabTheory]
    [InlineData("10.99.0.1", "10.99.0.1:53: ")]
    [InlineData("fe80::1", "--dns fe80::1: an IPv4 address")]
    [InlineData("nowhere", "--dns nowhere: an IPv4 address")]
    public void An_address_that_cannot_be_had_is_one_line(string address, string expected)
    {
        using SwarmLab swarm = new();
        swarm.Folder.Write("lb.yaml", swarm.Config());

        ShellResult result = Shell.TryRun(swarm.Lab.In(
            "lb", "dotnet", BalancerProcess.Program, "run", "--tap", "tap0", "--config", swarm.ConfigPath, "--dns", address));

        Assert.Equal(2, result.Code);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    private static void AddNameserver(SwarmLab swarm)
    {
        swarm.Lab.Ip("lb", $"addr add {Nameserver}/24 dev br0");
        swarm.Lab.SetNameserver("client", Nameserver);
    }

    // Two calls, two tasks; each sees the load balancer.
    private static void AssertBalanced(SwarmLab swarm, string name, string balancer) => Assert.Equal(
        [$"Hostname: web1\nRemoteAddr: {balancer}\n", $"Hostname: web2\nRemoteAddr: {balancer}\n"],
        Enumerable.Range(0, 2).Select(_ => swarm.Curl(address: name)).Order());

    private static string[] Resolve(SwarmLab swarm, string name) =>
    [
        .. Shell.TryRun(swarm.Lab.In("client", "getent", "ahostsv4", name)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ')[0]).Distinct().Order(),
    ];
}
