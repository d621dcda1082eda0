using System.Globalization;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Stack;
using FastPathLb.Conntrack;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Tables;

/// <summary>IPVS's tables as <c>ipvsadm</c> 1.31 prints them.</summary>
public static class IpvsadmTables
{
    private const string Version = "IP Virtual Server version 1.2.1 (size=4096)";
    private const long Second = 1_000_000_000;

    /// <summary><c>ipvsadm -Ln</c>: services, servers, weights and connection counts.</summary>
    public static void WriteList(TextWriter writer, NetworkNamespace space)
    {
        writer.WriteLine(Version);
        writer.WriteLine("Prot LocalAddress:Port Scheduler Flags");
        writer.WriteLine("  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn");
        foreach (VirtualService service in Sorted(space.Ipvs))
        {
            writer.WriteLine($"{NameOf(service.Key)} {service.SchedulerName}{FlagsOf(service)}");
            foreach (RealServer server in Sorted(service))
            {
                string address = $"{new Ipv4Address(server.Address)}:{server.Port}";
                writer.WriteLine(
                    $"  -> {address,-28} {MethodOf(server.Method),-7} {server.Weight,-6} "
                    + $"{server.ActiveConnections,-10} {server.InactiveConnections,-10}");
            }
        }
    }

    /// <summary><c>ipvsadm -Ln --stats --exact</c>: connections, packets and bytes.</summary>
    public static void WriteStatistics(TextWriter writer, NetworkNamespace space)
    {
        writer.WriteLine(Version);
        writer.WriteLine("Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes");
        writer.WriteLine("  -> RemoteAddress:Port");
        foreach (VirtualService service in Sorted(space.Ipvs))
        {
            writer.WriteLine($"{NameOf(service.Key),-33} {ColumnsOf(service.Counters)}");
            foreach (RealServer server in Sorted(service))
            {
                string address = $"{new Ipv4Address(server.Address)}:{server.Port}";
                writer.WriteLine($"  -> {address,-28} {ColumnsOf(server.Counters)}");
            }
        }
    }

    /// <summary><c>ipvsadm -Lnc</c>: connection entries with the time they have left.</summary>
    public static void WriteConnections(TextWriter writer, NetworkNamespace space, long now)
    {
        writer.WriteLine("IPVS connection entries");
        writer.WriteLine("pro expire state       source             virtual            destination");
        ConnectionTable table = space.Connections;
        for (int number = 0; number < table.NumbersUsed; number++)
        {
            ref Connection connection = ref table[number];
            if (!connection.IsBalanced || connection.Original.Network != space.Number || connection.IpvsExpires <= now)
            {
                continue;
            }

            RealServer server = space.Ipvs.Servers[connection.Server];
            bool isTemplate = (connection.Flags & ConnectionFlags.Template) != 0;
            ushort port = isTemplate ? (ushort)0 : server.PortFor(connection.Original.DestinationPort);
            long left = (connection.IpvsExpires - now) / Second;
            string client = $"{new Ipv4Address(connection.Original.Source)}:{connection.Original.SourcePort}";
            string called = $"{new Ipv4Address(connection.Original.Destination)}:{connection.Original.DestinationPort}";
            string destination = $"{new Ipv4Address(server.Address)}:{port}";
            writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{ProtocolOf(connection.Original.Protocol),-3} {left / 60:00}:{left % 60:00}  {StateOf(connection),-11} "
                + $"{client,-18} {called,-18} {destination}"));
        }
    }

    /// <summary>The name of a connection's state as ipvsadm shows it.</summary>
    public static string StateOf(in Connection connection)
    {
        if ((connection.Flags & ConnectionFlags.Template) != 0)
        {
            return (connection.Flags & ConnectionFlags.TemplateAssured) != 0 ? "ASSURED" : "NONE";
        }

        return connection.Original.Protocol == IpProtocol.Udp ? "UDP" : IpvsTcpTransitions.Name(connection.IpvsState);
    }

    /// <summary>A service's name as ipvsadm shows it.</summary>
    public static string NameOf(ServiceKey key) => key.Fwmark != 0
        ? $"FWM  {key.Fwmark}"
        : $"{ProtocolOf(key.Protocol)}  {new Ipv4Address(key.Address)}:{key.Port}";

    private static string ProtocolOf(IpProtocol protocol) => protocol switch
    {
        IpProtocol.Tcp => "TCP",
        IpProtocol.Udp => "UDP",
        IpProtocol.Sctp => "SCTP",
        IpProtocol.Ip => "IP",
        _ => protocol.ToString().ToUpperInvariant(),
    };

    private static string MethodOf(ForwardingMethod method) => method switch
    {
        ForwardingMethod.Masquerade => "Masq",
        ForwardingMethod.Route => "Route",
        ForwardingMethod.Tunnel => "Tunnel",
        _ => "Local",
    };

    private static string FlagsOf(VirtualService service)
    {
        string flags = service.SchedulerFlags.Count > 0 ? $" ({string.Join(',', service.SchedulerFlags)})" : string.Empty;
        if (service.PersistenceNanoseconds > 0)
        {
            flags += $" persistent {service.PersistenceNanoseconds / Second}";
            if (service.PersistenceMask != uint.MaxValue)
            {
                flags += $" mask {new Ipv4Address(service.PersistenceMask)}";
            }
        }

        return service.IsOnePacket ? flags + " ops" : flags;
    }

    private static string ColumnsOf(IpvsCounters counters) =>
        $"{counters.Connections,8} {counters.InPackets,8} {counters.OutPackets,8} {counters.InBytes,8} {counters.OutBytes,8}";

    /// <summary>The services in the order in which <c>ipvsadm</c> lists them, unless told <c>--nosort</c>.</summary>
    /// <remarks>Sorted in place, as are servers: a query's sort by numbers would be compiled as the program runs.</remarks>
    internal static List<VirtualService> Sorted(IpvsCore ipvs)
    {
        List<VirtualService> services = [.. ipvs.Services];
        services.Sort(Compare);
        return services;
    }

    /// <summary>A service's servers in the order in which <c>ipvsadm</c> lists them.</summary>
    internal static List<RealServer> Sorted(VirtualService service)
    {
        List<RealServer> servers = [.. service.Servers];
        servers.Sort(Compare);
        return servers;
    }

    private static int Compare(VirtualService left, VirtualService right)
    {
        (ServiceKey one, ServiceKey other) = (left.Key, right.Key);
        int order = one.Fwmark.CompareTo(other.Fwmark);
        order = order != 0 ? order : ((byte)one.Protocol).CompareTo((byte)other.Protocol);
        order = order != 0 ? order : one.Address.CompareTo(other.Address);
        return order != 0 ? order : one.Port.CompareTo(other.Port);
    }

    private static int Compare(RealServer left, RealServer right)
    {
        int order = left.Address.CompareTo(right.Address);
        return order != 0 ? order : left.Port.CompareTo(right.Port);
    }
}
