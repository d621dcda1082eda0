using FastPathLb.Live.Tests.Lab;

namespace FastPathLb.Live.Tests.EndToEnd;

/// <summary>Real clients and servers through the emulated virtual address.</summary>
public sealed class WebTests
{

    [LabTheory("curl", "ping")]
    [InlineData("--tap", false)]
    [InlineData("--tap", true)]
    [InlineData("--af-packet", false)]
    [InlineData("--af-packet", true)]
    [InlineData("--af-xdp", false)]
    [InlineData("--af-xdp", true)]
    public void Curl_alternates_over_two_hosts_that_see_the_load_balancers_address(string device, bool isTunnel)
    {
        using SwarmLab swarm = new(isTunnel, isVeth: device != "--tap");
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer(device);

        string[] replies = [.. Enumerable.Range(0, 4).Select(_ => swarm.Curl())];

        string[] expected =
        [
            .. new[] { "web2", "web1", "web2", "web1" }.Select(host => $"Hostname: {host}\nRemoteAddr: {SwarmLab.BalancerAddress}\n"),
        ];
        Assert.Equal(expected, replies);
        Assert.Contains(" 0% packet loss", Shell.Run(swarm.Lab.In("client", "ping", "-c", "3", "-i", "0.1", "-W", "2", SwarmLab.VirtualAddress)));
        Assert.Equal(130, balancer.Stop());
    }
}
