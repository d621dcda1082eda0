namespace FastPathLb.Balancer.Ipvs;

/// <summary>IPVS's switches (net.ipv4.vs.*), with the kernel's defaults. Between batches only.</summary>
public sealed class IpvsSettings
{
    /// <summary>conntrack: the conntrack entry beneath is kept and translated.</summary>
    public bool UsesConntrack { get; set; }

    /// <summary>conn_reuse_mode.</summary>
    public int ConnectionReuseMode { get; set; } = 1;

    /// <summary>expire_nodest_conn: connections of a removed server end at once.</summary>
    public bool ExpiresConnectionsWithoutServer { get; set; }

    /// <summary>expire_quiescent_template: templates of a server of weight 0 are not used.</summary>
    public bool ExpiresQuiescentTemplates { get; set; }

    /// <summary>sloppy_tcp: connections are picked up in the middle.</summary>
    public bool IsSloppyTcp { get; set; }

    /// <summary>secure_tcp: the state table of an attack is in force.</summary>
    public bool IsSecureTcp { get; set; }

    /// <summary>drop_packet in its mode 3: packets that would open a connection are dropped.</summary>
    public bool DropsPackets { get; set; }

    /// <summary>drop_entry in its mode 3: half open and idle connections are ended by chance.</summary>
    public bool DropsEntries { get; set; }

    /// <summary>Of so many packets that would open a connection drop_packet drops one (am_droprate).</summary>
    public int DropRate { get; set; } = 10;

    /// <summary>schedule_icmp: errors open connections.</summary>
    public bool SchedulesIcmp { get; set; }

    /// <summary>pmtu_disc: a tunnel's packets must not be cut where those inside must not.</summary>
    public bool DiscoversPathMtu { get; set; } = true;
}
