using FastPathLb.Live.Tests.Lab;

namespace FastPathLb.Live.Tests.EndToEnd;

/// <summary>Many requests, many bytes, every size of packet.</summary>
public sealed class LoadTests
{
    private const int RequestsMin = 10_000;
    private const int RoundsMax = 10;
    private const double LossPercentMax = 5;

    /// <summary>Set to 1, the tests run over every size they know: minutes instead of seconds.</summary>
    private static readonly bool s_isLong = Environment.GetEnvironmentVariable("FASTPATHLB_LIVE_LONG") == "1";

    public static TheoryData<int, bool> Mtus()
    {
        TheoryData<int, bool> all = new() { { 576, false }, { 1450, true }, { 9000, false }, { 9000, true } };
        for (int mtu = 600; s_isLong && mtu < 9000; mtu += 100)
        {
            all.Add(mtu, false);
        }

        return all;
    }

    [LabTheory("wrk", "ethtool")]
    [InlineData("--tap", false, false)]
    [InlineData("--tap", true, false)]
    [InlineData("--tap", true, true)]
    [InlineData("--af-xdp", false, false)]
    [InlineData("--af-xdp", true, true)]
    public void Ten_thousand_requests_are_answered_without_an_error(string device, bool areShort, bool isTunnel)
    {
        using SwarmLab swarm = new(isTunnel, isVeth: device != "--tap");
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer(device);
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
        Assert.Equal(130, balancer.Stop());
    }

    [LabTheory("iperf3", "ethtool")]
    [InlineData("--tap", false)]
    [InlineData("--tap", true)]
    [InlineData("--af-packet", false)]
    [InlineData("--af-xdp", false)]
    public void Iperf_passes_TCP_and_UDP(string device, bool isTunnel)
    {
        using SwarmLab swarm = new(isTunnel, isVeth: device != "--tap");
        using BalancerProcess balancer = swarm.StartBalancer(device);

        IperfReport tcp = IperfReport.Run(swarm, "-t", "1");
        IperfReport udp = IperfReport.Run(swarm, "-t", "1", "-u", "-b", "20M");

        Assert.True(tcp.Bytes > 5_000_000, $"{tcp}");
        Assert.True(udp.Bytes > 1_000_000 && udp.LostPercent < LossPercentMax, $"{udp} {balancer.Show("drops")}");
    }

    [LabTheory("curl")]
    [MemberData(nameof(Mtus))]
    public void A_large_transfer_arrives_whole_whatever_the_MTU(int mtu, bool isTunnel)
    {
        const int Count = 3_000_000;
        using SwarmLab swarm = new(isTunnel, mtu);
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer();
        string file = swarm.Folder["body"];

        swarm.Curl("/");
        Shell.Run(swarm.Lab.In("client", "curl", "-sS", "--fail", "--max-time", "20", "-o", file, $"http://{SwarmLab.VirtualAddress}/bytes/{Count}"));

        Assert.True(WebServer.Pattern(Count).AsSpan().SequenceEqual(File.ReadAllBytes(file)), "the bytes differ");
        Assert.Equal(0, balancer.Show("drops").GetProperty("device").GetProperty("tooLong").GetInt64());
    }
}
