namespace FastPathLb.NodeState;

/// <summary>Kernel settings of the data path: what holds where a dump doesn't list them.</summary>
/// <remarks>
/// Values of Linux 6.1, but for <c>ip_forward</c>: Docker turns it on, and without it no reply passes a load balancer.
/// </remarks>
public static class SysctlDefaults
{
    private static readonly Dictionary<string, int> s_values = new(StringComparer.Ordinal)
    {
        ["net.ipv4.ip_default_ttl"] = 64,
        ["net.ipv4.ip_forward"] = 1,
        ["net.ipv4.ip_forward_update_priority"] = 1,
        ["net.ipv4.ip_forward_use_pmtu"] = 0,
        ["net.ipv4.ip_nonlocal_bind"] = 0,
        ["net.ipv4.icmp_echo_ignore_all"] = 0,
        ["net.ipv4.icmp_ratelimit"] = 1000,
        ["net.ipv4.icmp_ratemask"] = 6168,
        ["net.ipv4.vs.am_droprate"] = 10,
        ["net.ipv4.vs.amemthresh"] = 1024,
        ["net.ipv4.vs.backup_only"] = 0,
        ["net.ipv4.vs.cache_bypass"] = 0,
        ["net.ipv4.vs.conn_reuse_mode"] = 1,
        ["net.ipv4.vs.conntrack"] = 0,
        ["net.ipv4.vs.drop_entry"] = 0,
        ["net.ipv4.vs.drop_packet"] = 0,
        ["net.ipv4.vs.expire_nodest_conn"] = 0,
        ["net.ipv4.vs.expire_quiescent_template"] = 0,
        ["net.ipv4.vs.ignore_tunneled"] = 0,
        ["net.ipv4.vs.nat_icmp_send"] = 0,
        ["net.ipv4.vs.pmtu_disc"] = 1,
        ["net.ipv4.vs.run_estimation"] = 1,
        ["net.ipv4.vs.schedule_icmp"] = 0,
        ["net.ipv4.vs.secure_tcp"] = 0,
        ["net.ipv4.vs.sloppy_sctp"] = 0,
        ["net.ipv4.vs.sloppy_tcp"] = 0,
        ["net.ipv4.vs.snat_reroute"] = 1,
        ["net.ipv4.vs.sync_persist_mode"] = 0,
        ["net.ipv4.vs.sync_ports"] = 1,
        ["net.ipv4.vs.sync_refresh_period"] = 0,
        ["net.ipv4.vs.sync_retries"] = 0,
        ["net.ipv4.vs.sync_sock_size"] = 0,
        ["net.ipv4.vs.sync_threshold"] = 3,
        ["net.ipv4.vs.sync_version"] = 1,
        ["net.netfilter.nf_conntrack_acct"] = 0,
        ["net.netfilter.nf_conntrack_checksum"] = 1,
        ["net.netfilter.nf_conntrack_dccp_loose"] = 1,
        ["net.netfilter.nf_conntrack_dccp_timeout_closereq"] = 64,
        ["net.netfilter.nf_conntrack_dccp_timeout_closing"] = 64,
        ["net.netfilter.nf_conntrack_dccp_timeout_open"] = 43200,
        ["net.netfilter.nf_conntrack_dccp_timeout_partopen"] = 480,
        ["net.netfilter.nf_conntrack_dccp_timeout_request"] = 240,
        ["net.netfilter.nf_conntrack_dccp_timeout_respond"] = 480,
        ["net.netfilter.nf_conntrack_dccp_timeout_timewait"] = 240,
        ["net.netfilter.nf_conntrack_events"] = 2,
        ["net.netfilter.nf_conntrack_generic_timeout"] = 600,
        ["net.netfilter.nf_conntrack_gre_timeout"] = 30,
        ["net.netfilter.nf_conntrack_gre_timeout_stream"] = 180,
        ["net.netfilter.nf_conntrack_icmp_timeout"] = 30,
        ["net.netfilter.nf_conntrack_icmpv6_timeout"] = 30,
        ["net.netfilter.nf_conntrack_log_invalid"] = 0,
        ["net.netfilter.nf_conntrack_sctp_timeout_closed"] = 10,
        ["net.netfilter.nf_conntrack_sctp_timeout_cookie_echoed"] = 3,
        ["net.netfilter.nf_conntrack_sctp_timeout_cookie_wait"] = 3,
        ["net.netfilter.nf_conntrack_sctp_timeout_established"] = 210,
        ["net.netfilter.nf_conntrack_sctp_timeout_heartbeat_sent"] = 30,
        ["net.netfilter.nf_conntrack_sctp_timeout_shutdown_ack_sent"] = 3,
        ["net.netfilter.nf_conntrack_sctp_timeout_shutdown_recd"] = 3,
        ["net.netfilter.nf_conntrack_sctp_timeout_shutdown_sent"] = 3,
        ["net.netfilter.nf_conntrack_tcp_be_liberal"] = 0,
        ["net.netfilter.nf_conntrack_tcp_ignore_invalid_rst"] = 0,
        ["net.netfilter.nf_conntrack_tcp_loose"] = 1,
        ["net.netfilter.nf_conntrack_tcp_max_retrans"] = 3,
        ["net.netfilter.nf_conntrack_tcp_timeout_close"] = 10,
        ["net.netfilter.nf_conntrack_tcp_timeout_close_wait"] = 60,
        ["net.netfilter.nf_conntrack_tcp_timeout_established"] = 432000,
        ["net.netfilter.nf_conntrack_tcp_timeout_fin_wait"] = 120,
        ["net.netfilter.nf_conntrack_tcp_timeout_last_ack"] = 30,
        ["net.netfilter.nf_conntrack_tcp_timeout_max_retrans"] = 300,
        ["net.netfilter.nf_conntrack_tcp_timeout_syn_recv"] = 60,
        ["net.netfilter.nf_conntrack_tcp_timeout_syn_sent"] = 120,
        ["net.netfilter.nf_conntrack_tcp_timeout_time_wait"] = 120,
        ["net.netfilter.nf_conntrack_tcp_timeout_unacknowledged"] = 300,
        ["net.netfilter.nf_conntrack_timestamp"] = 0,
        ["net.netfilter.nf_conntrack_udp_timeout"] = 30,
        ["net.netfilter.nf_conntrack_udp_timeout_stream"] = 120,
    };

    // Sizes that the kernel derives from the machine's memory, live counts, and IPv6: nothing the data path does depends on them.
    private static readonly string[] s_withoutEffect =
    [
        "net.ipv6.",
        "net.netfilter.nf_conntrack_buckets",
        "net.netfilter.nf_conntrack_count",
        "net.netfilter.nf_conntrack_expect_max",
        "net.netfilter.nf_conntrack_frag6_",
        "net.netfilter.nf_conntrack_max",
        "net.ipv4.vs.sync_qlen_max",
    ];

    /// <summary>What Swarm sets in the namespaces that balance load.</summary>
    public static IReadOnlyDictionary<string, string> Swarm { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["net.ipv4.vs.conn_reuse_mode"] = "0",
        ["net.ipv4.vs.conntrack"] = "1",
        ["net.ipv4.vs.expire_nodest_conn"] = "1",
        ["net.ipv4.vs.expire_quiescent_template"] = "1",
    };

    /// <summary>
    /// What it sets where servers answer clients themselves (<c>--opt dsr</c>): conntrack is switched on for IPVS with the SNAT rule, and
    /// there is none.
    /// </summary>
    public static IReadOnlyDictionary<string, string> SwarmDirectReturn { get; } = WithoutConntrack(Swarm);

    /// <summary>The value that holds where a dump doesn't list the setting; 0 for one not known here.</summary>
    public static int Get(string name) => s_values.TryGetValue(name, out int value)
        ? value
        : name.EndsWith(".arp_evict_nocarrier", StringComparison.Ordinal) ? 1 : 0;

    private static Dictionary<string, string> WithoutConntrack(IReadOnlyDictionary<string, string> settings)
    {
        Dictionary<string, string> left = new(settings, StringComparer.Ordinal);
        left.Remove("net.ipv4.vs.conntrack");
        return left;
    }

    /// <summary>Whether the setting can change what the data path does.</summary>
    public static bool HasEffect(string name)
    {
        foreach (string prefix in s_withoutEffect)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }
}
