namespace FastPathLb.Balancer.Ipvs;

/// <summary>Traffic of a service or a server, as <c>ipvsadm -L --stats</c> shows it. Bytes are IPv4 lengths.</summary>
public sealed class IpvsCounters
{
    /// <summary>Connections scheduled.</summary>
    public long Connections { get; internal set; }

    /// <summary>Packets from clients.</summary>
    public long InPackets { get; internal set; }

    /// <summary>Packets from servers.</summary>
    public long OutPackets { get; internal set; }

    /// <summary>Bytes from clients.</summary>
    public long InBytes { get; internal set; }

    /// <summary>Bytes from servers.</summary>
    public long OutBytes { get; internal set; }

    internal void Take(IpvsCounters other)
    {
        Connections += other.Connections;
        InPackets += other.InPackets;
        OutPackets += other.OutPackets;
        InBytes += other.InBytes;
        OutBytes += other.OutBytes;
        other.Clear();
    }

    internal void Clear()
    {
        Connections = 0;
        InPackets = 0;
        OutPackets = 0;
        InBytes = 0;
        OutBytes = 0;
    }
}
