using FastPathLb.Balancer.Stack;
using FastPathLb.Conntrack;
using FastPathLb.NodeState;

namespace FastPathLb.Engine.Building;

/// <summary>Kernel switches by the names <c>sysctl</c> knows them by.</summary>
internal static class SysctlBinding
{
    private const long Second = 1_000_000_000;
    private const string TrackPrefix = "net.netfilter.nf_conntrack_";
    private const string IpvsPrefix = "net.ipv4.vs.";

    public static void ApplyAll(NetworkNamespace space, NamespaceState state)
    {
        foreach (string name in state.Sysctls.Keys)
        {
            Apply(space, name, state.GetSysctl(name));
        }

        if (!state.Sysctls.ContainsKey("net.ipv4.ip_forward"))
        {
            // Swarm's load balancer does not work without it, and dumps leave it out.
            space.ForwardsPackets = true;
        }
    }

    /// <summary>Sets one switch.</summary>
    /// <returns>Whether the data path knows it.</returns>
    public static bool Apply(NetworkNamespace space, string name, int value)
    {
        if (name.StartsWith(IpvsPrefix, StringComparison.Ordinal))
        {
            return ApplyIpvs(space, name[IpvsPrefix.Length..], value);
        }

        if (name.StartsWith(TrackPrefix, StringComparison.Ordinal))
        {
            return ApplyConntrack(space.Tracker.Timeouts, name[TrackPrefix.Length..], value);
        }

        switch (name)
        {
            case "net.ipv4.ip_forward":
                space.ForwardsPackets = value != 0;
                return true;
            case "net.ipv4.icmp_ratelimit":
                space.IcmpErrors.PerDestinationMilliseconds = value;
                return true;
            case "net.ipv4.icmp_msgs_per_sec":
                space.IcmpErrors.PerSecondMax = value;
                return true;
            case "net.ipv4.icmp_msgs_burst":
                space.IcmpErrors.BurstMax = value;
                return true;
            case "net.ipv4.conf.all.send_redirects":
                space.SendsRedirects = value != 0;
                return true;
            default:
                return false;
        }
    }

    private static bool ApplyIpvs(NetworkNamespace space, string name, int value)
    {
        switch (name)
        {
            case "conntrack":
                space.Ipvs.Settings.UsesConntrack = value != 0;
                return true;
            case "conn_reuse_mode":
                space.Ipvs.Settings.ConnectionReuseMode = value;
                return true;
            case "expire_nodest_conn":
                space.Ipvs.Settings.ExpiresConnectionsWithoutServer = value != 0;
                return true;
            case "expire_quiescent_template":
                space.Ipvs.Settings.ExpiresQuiescentTemplates = value != 0;
                return true;
            case "sloppy_tcp":
                space.Ipvs.Settings.IsSloppyTcp = value != 0;
                return true;
            case "secure_tcp":
                // 1 and 2 are on while memory is short, which no dump tells: there is enough. 3 is always on.
                space.Ipvs.Settings.IsSecureTcp = value == 3;
                return true;
            case "drop_entry":
                // 1 and 2 are automatic, by free memory; 3 is always on.
                space.Ipvs.Settings.DropsEntries = value == 3;
                return true;
            case "drop_packet":
                // As secure_tcp.
                space.Ipvs.Settings.DropsPackets = value == 3;
                return true;
            case "am_droprate":
                space.Ipvs.Settings.DropRate = value;
                return true;
            case "schedule_icmp":
                space.Ipvs.Settings.SchedulesIcmp = value != 0;
                return true;
            case "pmtu_disc":
                space.Ipvs.Settings.DiscoversPathMtu = value != 0;
                return true;
            default:
                return false;
        }
    }

    private static bool ApplyConntrack(ConntrackTimeouts timeouts, string name, int value)
    {
        switch (name)
        {
            case "tcp_timeout_syn_sent":
                timeouts[ConntrackTcpState.SynSent] = value * Second;
                return true;
            case "tcp_timeout_syn_recv":
                timeouts[ConntrackTcpState.SynReceived] = value * Second;
                return true;
            case "tcp_timeout_established":
                timeouts[ConntrackTcpState.Established] = value * Second;
                return true;
            case "tcp_timeout_fin_wait":
                timeouts[ConntrackTcpState.FinWait] = value * Second;
                return true;
            case "tcp_timeout_close_wait":
                timeouts[ConntrackTcpState.CloseWait] = value * Second;
                return true;
            case "tcp_timeout_last_ack":
                timeouts[ConntrackTcpState.LastAck] = value * Second;
                return true;
            case "tcp_timeout_time_wait":
                timeouts[ConntrackTcpState.TimeWait] = value * Second;
                return true;
            case "tcp_timeout_close":
                timeouts[ConntrackTcpState.Close] = value * Second;
                return true;
            case "tcp_timeout_max_retrans":
                timeouts.Retransmitted = value * Second;
                return true;
            case "tcp_timeout_unacknowledged":
                timeouts.Unacknowledged = value * Second;
                return true;
            case "udp_timeout":
                timeouts.Udp = value * Second;
                return true;
            case "udp_timeout_stream":
                timeouts.UdpStream = value * Second;
                return true;
            case "icmp_timeout":
                timeouts.Icmp = value * Second;
                return true;
            case "generic_timeout":
                timeouts.Generic = value * Second;
                return true;
            case "tcp_be_liberal":
                timeouts.TcpLiberal = value != 0;
                return true;
            case "tcp_loose":
                timeouts.TcpLoose = value != 0;
                return true;
            case "tcp_ignore_invalid_rst":
                timeouts.TcpIgnoreInvalidReset = value != 0;
                return true;
            case "tcp_max_retrans":
                timeouts.TcpRetransmissionsMax = value;
                return true;
            default:
                return false;
        }
    }
}
