namespace FastPathLb.Live.Metrics;

/// <summary>Traffic of a service or a server at one moment. Bytes are IPv4 lengths.</summary>
/// <param name="Connections">Connections scheduled.</param>
/// <param name="InPackets">Packets from clients.</param>
/// <param name="OutPackets">Packets from servers.</param>
/// <param name="InBytes">Bytes from clients.</param>
/// <param name="OutBytes">Bytes from servers.</param>
public readonly record struct TrafficFigures(long Connections, long InPackets, long OutPackets, long InBytes, long OutBytes)
{
    /// <summary>Both together.</summary>
    public static TrafficFigures operator +(TrafficFigures left, TrafficFigures right) => new(
        left.Connections + right.Connections, left.InPackets + right.InPackets, left.OutPackets + right.OutPackets,
        left.InBytes + right.InBytes, left.OutBytes + right.OutBytes);

    /// <summary>Both together.</summary>
    public static TrafficFigures Add(TrafficFigures left, TrafficFigures right) => left + right;
}
