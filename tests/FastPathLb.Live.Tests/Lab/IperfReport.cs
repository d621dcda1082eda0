using System.Text.Json;

namespace FastPathLb.Live.Tests.Lab;

/// <summary>What iperf3 says at its end.</summary>
internal sealed record IperfReport(double Bytes, double LostPercent)
{
    /// <summary>Runs a client against a server that is started for it.</summary>
    public static IperfReport Run(SwarmLab swarm, params string[] options)
    {
        using System.Diagnostics.Process server = Shell.Start(swarm.Lab.In("web1", "iperf3", "-s", "-1"));
        try
        {
            Thread.Sleep(300);
            string text = Shell.Run(swarm.Lab.In("client", ["iperf3", "-J", "-c", SwarmLab.OneServerAddress, .. options]));
            using JsonDocument document = JsonDocument.Parse(text);
            JsonElement end = document.RootElement.GetProperty("end");
            return end.TryGetProperty("sum_received", out JsonElement received) && received.GetProperty("bytes").GetDouble() > 0
                && !received.TryGetProperty("lost_percent", out _)
                ? new IperfReport(received.GetProperty("bytes").GetDouble(), 0)
                : new IperfReport(end.GetProperty("sum").GetProperty("bytes").GetDouble(), end.GetProperty("sum").GetProperty("lost_percent").GetDouble());
        }
        finally
        {
            server.Kill();
            server.WaitForExit();
        }
    }
}
