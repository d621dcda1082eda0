namespace FastPathLb.Live.Metrics;

/// <summary>A real server's figures at one moment.</summary>
/// <param name="Server">Address and port.</param>
/// <param name="Weight">Weight.</param>
/// <param name="Active">Connections in an active state.</param>
/// <param name="Inactive">The others.</param>
/// <param name="Traffic">Connections, packets and bytes.</param>
public sealed record ServerFigures(string Server, int Weight, int Active, int Inactive, TrafficFigures Traffic);
