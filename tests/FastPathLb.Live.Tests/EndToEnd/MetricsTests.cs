using System.Net;
using System.Net.Sockets;
using System.Text;
using FastPathLb.Live.Tests.Lab;

namespace FastPathLb.Live.Tests.EndToEnd;

/// <summary>What monitoring sees.</summary>
public sealed class MetricsTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    [LabFact("curl")]
    public void Prometheus_reads_frames_drops_connections_services_servers_and_histograms()
    {
        using SwarmLab swarm = new();
        swarm.ServeWeb();
        using BalancerProcess balancer = swarm.StartBalancer("--tap", "--metrics", "127.0.0.1:9464");
        swarm.Curl();
        swarm.Curl();
        Thread.Sleep(300);

        string text = Shell.Run(swarm.Lab.In("lb", "curl", "-sS", "--fail", "http://127.0.0.1:9464/metrics"));

        string[] lines = text.Split('\n');
        AssertLine(lines, "fastpathlb_frames_in_total", "worker=\"0\"", least: 10);
        AssertLine(lines, "fastpathlb_received_bytes_total", "worker=\"0\"", least: 1000);
        AssertLine(lines, "fastpathlb_frames_total", "verdict=\"forwarded\"", least: 10);
        AssertLine(lines, "fastpathlb_drops_total", "reason=\"neighbor-unresolved\"", least: 1);
        AssertLine(lines, "fastpathlb_device_drops_total", "reason=\"queue-full\"", least: 0);
        AssertLine(lines, "fastpathlb_connections", "state=\"TIME_WAIT\"", least: 2);
        AssertLine(lines, "fastpathlb_connections_capacity", string.Empty, least: 262_144);
        AssertLine(lines, "fastpathlb_connections_used", string.Empty, least: 2);
        AssertLine(lines, "fastpathlb_service_connections_total", "address=\"10.0.1.2\"", least: 2);
        AssertLine(lines, "fastpathlb_server_packets_in_total", "server=\"10.0.1.3:0\"", least: 5);
        AssertLine(lines, "fastpathlb_server_weight", "server=\"10.0.1.4:0\"", least: 1);
        AssertLine(lines, "fastpathlb_batch_size_count", string.Empty, least: 5);
        AssertLine(lines, "fastpathlb_batch_latency_seconds_bucket", "le=\"+Inf\"", least: 5);
    }

    [LabFact]
    public void A_collector_gets_metrics_by_OTLP()
    {
        using SwarmLab swarm = new();
        using Socket listener = swarm.Lab.Within("lb", () =>
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 4318));
            socket.Listen();
            return socket;
        });
        using BalancerProcess balancer = swarm.StartBalancer("--tap", "--otlp", "http://127.0.0.1:4318/v1/metrics");

        // At its end it sends what it has.
        Task<Socket> accepted = listener.AcceptAsync();
        balancer.Signal("TERM");
        Assert.True(accepted.Wait(s_patience), balancer.Log);
        using Socket collector = accepted.Result;
        collector.ReceiveTimeout = (int)s_patience.TotalMilliseconds;
        StringBuilder text = new();
        byte[] buffer = new byte[65536];
        while (!text.ToString().Contains("fastpathlb.frames.in", StringComparison.Ordinal))
        {
            int count = collector.Receive(buffer);
            Assert.True(count > 0, text.ToString());
            text.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }

        collector.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8);
        Assert.StartsWith("POST /v1/metrics HTTP/1.1", text.ToString(), StringComparison.Ordinal);
        Assert.Equal(143, balancer.WaitForExit());
    }

    private static void AssertLine(string[] lines, string name, string label, double least)
    {
        string? line = Array.Find(
            lines, item => item.StartsWith($"{name}{{", StringComparison.Ordinal) && item.Contains(label, StringComparison.Ordinal));
        Assert.True(line is not null, $"no {name} with {label} in:\n{string.Join('\n', lines)}");
        Assert.True(double.Parse(line.AsSpan(line.LastIndexOf(' ') + 1), System.Globalization.CultureInfo.InvariantCulture) >= least, line);
    }
}
