namespace FastPathLb.Live.Metrics;

/// <summary>A virtual service's figures at one moment.</summary>
/// <param name="Service">The service, as <c>ipvsadm</c> shows it: <c>FWM  273</c>.</param>
/// <param name="Address">The virtual address, where a rule or the service tells it.</param>
/// <param name="Scheduler">The scheduler.</param>
/// <param name="Traffic">Connections, packets and bytes.</param>
/// <param name="Servers">Its real servers, in the order of their addresses.</param>
public sealed record ServiceFigures(
    string Service, string? Address, string Scheduler, TrafficFigures Traffic, IReadOnlyList<ServerFigures> Servers)
{
    /// <summary>The service with single blanks: <c>FWM 273</c>.</summary>
    public string Name => string.Join(' ', Service.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>The service with the traffic that another worker counted of it as well.</summary>
    internal ServiceFigures With(ServiceFigures other) => this with
    {
        Traffic = Traffic + other.Traffic,
        Servers = [.. Servers.Zip(other.Servers, (server, same) => server with { Traffic = server.Traffic + same.Traffic })],
    };
}
