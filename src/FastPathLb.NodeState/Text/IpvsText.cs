namespace FastPathLb.NodeState;

/// <summary>IPVS services and servers as ipvsadm-save prints them.</summary>
internal static class IpvsText
{
    /// <summary>What selects the service, in a message: <c>FWM 273</c> or <c>tcp 10.0.1.2:80</c>.</summary>
    public static string NameOf(IpvsServiceState service) => service.Fwmark != 0
        ? $"FWM {service.Fwmark}"
        : $"{ProtocolText.NameOf(service.Protocol)} {service.Address}:{service.Port}";

    /// <summary>The lines that add the service and its servers.</summary>
    public static IEnumerable<string> LinesOf(IpvsServiceState service)
    {
        string key = service.Fwmark != 0
            ? $"-f {service.Fwmark}"
            : $"{OptionOf(service)} {service.Address}:{service.Port}";
        string persistence = service.PersistenceSeconds == 0
            ? ""
            : $" -p {service.PersistenceSeconds}{(service.Netmask == IpvsServiceState.AllOnes ? "" : $" -M {service.Netmask}")}";
        string flags = service.SchedulerFlags.Count == 0 ? "" : $" -b {string.Join(',', service.SchedulerFlags)}";
        yield return $"-A {key} -s {service.Scheduler}{flags}{persistence}{(service.OnePacket ? " -o" : "")}";
        foreach (IpvsServerState server in service.Servers)
        {
            string thresholds = (server.UpperThreshold == 0 ? "" : $" -x {server.UpperThreshold}")
                + (server.LowerThreshold == 0 ? "" : $" -y {server.LowerThreshold}");
            yield return $"-a {key} -r {server.Address}:{server.Port} {OptionOf(server.Forwarding)} -w {server.Weight}{thresholds}";
        }
    }

    /// <summary>Seconds to stick, or no mask: a mask without persistence has no meaning.</summary>
    public static IpvsServiceState Normalized(IpvsServiceState service) => service.PersistenceSeconds == 0
        ? service with { Netmask = IpvsServiceState.AllOnes }
        : service;

    private static string OptionOf(IpvsServiceState service) => service.Protocol switch
    {
        Wire.IpProtocol.Tcp => "-t",
        Wire.IpProtocol.Udp => "-u",
        _ => "--sctp-service",
    };

    private static string OptionOf(IpvsForwarding forwarding) => forwarding switch
    {
        IpvsForwarding.Masq => "-m",
        IpvsForwarding.Tunnel => "-i",
        _ => "-g",
    };
}
