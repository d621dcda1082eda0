using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Stack;
using FastPathLb.Conntrack;
using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Building;

/// <summary>Makes a namespace of the data path from a namespace as dumped.</summary>
internal static class NamespaceBuilder
{
    private const long Second = 1_000_000_000;

    public static NetworkNamespace Build(
        NamespaceState state, ushort number, ConnectionTable table, ServerOrder order, ICollection<string> warnings)
    {
        NetworkNamespace space = new(state.Name, number, table);
        AddInterfaces(space, state);
        AddRoutes(space, state);
        AddNeighbors(space, state);
        RuleCompiler.Fill(space.Mangle, state.Iptables.Mangle, warnings);
        RuleCompiler.Fill(space.Translator.Table, state.Iptables.Nat, warnings);
        RuleCompiler.Fill(space.Filter, state.Iptables.Filter, warnings);
        SysctlBinding.ApplyAll(space, state);
        if (state.IpvsTimeouts is { } timeouts)
        {
            SetTimeouts(space.Ipvs, timeouts);
        }

        foreach (IpvsServiceState service in state.IpvsServices)
        {
            AddService(space.Ipvs, service, order);
        }

        return space;
    }

    public static void SetTimeouts(IpvsCore ipvs, NodeState.IpvsTimeouts timeouts)
    {
        if (timeouts.TcpSeconds > 0)
        {
            ipvs.Timeouts[IpvsTcpState.Established] = timeouts.TcpSeconds * Second;
        }

        if (timeouts.TcpFinSeconds > 0)
        {
            ipvs.Timeouts[IpvsTcpState.FinWait] = timeouts.TcpFinSeconds * Second;
        }

        if (timeouts.UdpSeconds > 0)
        {
            ipvs.Timeouts.Udp = timeouts.UdpSeconds * Second;
        }
    }

    public static ServiceKey KeyOf(IpvsKey key) => new(key.Fwmark, key.Protocol, key.Address.Value, key.Port);

    public static void AddService(IpvsCore ipvs, IpvsServiceState state, ServerOrder order)
    {
        VirtualService service = ipvs.AddService(KeyOf(state.Key), state.Scheduler, state.SchedulerFlags);
        ipvs.SetPersistence(service, state.PersistenceSeconds, state.Netmask.Value);
        IpvsCore.SetOnePacket(service, state.OnePacket);
        IEnumerable<IpvsServerState> servers = order == ServerOrder.Reversed ? state.Servers.Reverse() : state.Servers;
        foreach (IpvsServerState server in servers)
        {
            AddServer(ipvs, service, server);
        }
    }

    public static void AddServer(IpvsCore ipvs, VirtualService service, IpvsServerState server) =>
        ipvs.AddServer(
            service, server.Address.Value, server.Port, MethodOf(server.Forwarding), server.Weight, server.UpperThreshold,
            server.LowerThreshold);

    public static ForwardingMethod MethodOf(IpvsForwarding forwarding) => forwarding switch
    {
        IpvsForwarding.Masq => ForwardingMethod.Masquerade,
        IpvsForwarding.Route => ForwardingMethod.Route,
        IpvsForwarding.Tunnel => ForwardingMethod.Tunnel,
        _ => ForwardingMethod.Local,
    };

    private static void AddInterfaces(NetworkNamespace space, NamespaceState state)
    {
        foreach (InterfaceState device in state.Interfaces)
        {
            if (device.Kind == "loopback" || device.Name == "lo")
            {
                continue;
            }

            NetworkInterface added = new(device.Name, space.Interfaces.Count, device.Mac, device.Mtu);
            space.AddInterface(added);
            foreach (InterfaceAddress address in device.Addresses)
            {
                space.AddAddress(added, new Ipv4Prefix(address.Address, address.PrefixLength));
            }
        }
    }

    private static void AddRoutes(NetworkNamespace space, NamespaceState state)
    {
        foreach (RouteState route in state.Routes)
        {
            if (route.Type == "unicast" && Find(space, route.Device) is { } device)
            {
                space.AddRoute(new Route(
                    new Ipv4Prefix(route.Destination.Network, route.Destination.Length), route.Via?.Value ?? 0, device,
                    route.Source?.Value ?? (route.Via is null ? device.PrimaryAddress : 0)));
            }
        }
    }

    private static void AddNeighbors(NetworkNamespace space, NamespaceState state)
    {
        foreach (NeighborState neighbor in state.Neighbors)
        {
            if (neighbor.Mac is { } mac)
            {
                space.Neighbors.Set(neighbor.Address.Value, mac, neighbor.IsPermanent);
            }
        }
    }

    public static NetworkInterface? Find(NetworkNamespace space, string name)
    {
        foreach (NetworkInterface device in space.Interfaces)
        {
            if (device.Name == name)
            {
                return device;
            }
        }

        return null;
    }
}
