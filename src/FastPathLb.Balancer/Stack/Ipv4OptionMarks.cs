namespace FastPathLb.Balancer.Stack;

/// <summary>What a packet's IPv4 options ask of whoever sends it on (struct ip_options). Offsets count from the IPv4 header, 0 is none.</summary>
internal struct Ipv4OptionMarks
{
    /// <summary>Where the record-route option is.</summary>
    public byte RecordRoute;

    /// <summary>Where the timestamp option is.</summary>
    public byte Timestamp;

    /// <summary>Whether there is a source route.</summary>
    public bool HasSourceRoute;

    /// <summary>Whether the address of the way out belongs into the record's last entry (rr_needaddr).</summary>
    public bool RecordsRoute;

    /// <summary>Whether the address of the way out belongs into the timestamp's last entry (ts_needaddr).</summary>
    public bool StampsAddress;

    /// <summary>Whether the time belongs into the timestamp's last entry (ts_needtime).</summary>
    public bool StampsTime;

    /// <summary>Whether bytes were changed since the header's checksum was computed (is_changed).</summary>
    public bool IsChanged;
}
