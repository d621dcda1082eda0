namespace FastPathLb.Balancer;

/// <summary>What conntrack says of a packet (enum ip_conntrack_info, without the direction).</summary>
public enum TrackInfo : byte
{
    /// <summary>No entry: not looked up yet, invalid, or let go.</summary>
    Untracked = 0,

    /// <summary>First packets of a connection; no reply was seen.</summary>
    New = 1,

    /// <summary>Packet of a connection that has packets both ways.</summary>
    Established = 2,

    /// <summary>An ICMP error about a connection.</summary>
    Related = 3,
}
