using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Makes the node's state of a configuration: what Swarm would have set up, then what is said in full.</summary>
internal static class LbConfigExpander
{
    private const int PortIndex = 2;
    private const int BridgeIndex = 2;
    private const int TunnelIndex = 3;

    /// <summary>The state.</summary>
    public static NodeState Expand(LbConfig config, IReadOnlyList<NamespaceSection> sections, string origin)
    {
        NodeDraft node = new(origin, "", DockerState.Empty);
        if (config.Balancer is { } balancer)
        {
            ExpandBalancer(config, balancer, node.GetOrAdd("lb"));
        }

        if (config.Overlay is { } overlay)
        {
            ExpandOverlay(config, overlay, node.GetOrAdd("overlay"));
        }

        if (config.Node is { } host)
        {
            ExpandHost(config, host, node.GetOrAdd("host"));
        }

        foreach (NamespaceSection section in sections)
        {
            Override(node.GetOrAdd(section.Name), section);
        }

        return node.Build() with { NamedServices = NamesOf(config) };
    }

    private static NamedService[] NamesOf(LbConfig config) =>
    [
        .. config.Services.Where(service => service is { Name.Length: > 0, Address: not null }).Select(service => new NamedService(
            service.Name!, service.Address!.Value, [.. service.Service.Servers.Select(server => server.Address).Distinct()])),
    ];

    private static void ExpandBalancer(LbConfig config, BalancerSection section, NamespaceDraft space)
    {
        Ipv4Address[] vips =
        [
            .. config.Services.Where(service => service.Address is not null).Select(service => service.Address!.Value).Distinct(),
        ];
        InterfaceAddress[] addresses =
        [
            new InterfaceAddress(section.Address.Address, section.Address.Length, "global"),
            .. vips.Select(vip => new InterfaceAddress(vip, Ipv4Prefix.LengthMax, "global")),
        ];
        MacAddress mac = section.Mac ?? MacAddress.FromDocker(section.Address.Address);
        int? peer = config.Overlay is null ? null : BalancerInference.BridgePortIndex;
        space.Interfaces = [SwarmDevices.Loopback, SwarmDevices.Port(PortIndex, section.Device, peer, mac, section.Mtu, addresses)];
        space.Routes = Routes(space.Interfaces, section.Gateway, section.Device);
        space.Neighbors = section.Neighbors ?? GuessNeighbors(config, section);
        space.Iptables = new IptablesState(Tables(config, section));
        space.Services = [.. config.Services.Select(service => service.Service)];
        space.IsOrderKnown = true;
        space.Timeouts = config.Timeouts;
        Dictionary<string, string> sysctls = new(
            HasTranslation(config) ? SysctlDefaults.Swarm : SysctlDefaults.SwarmDirectReturn, StringComparer.Ordinal);
        foreach ((string name, string value) in config.Sysctls)
        {
            sysctls[name] = value;
        }

        space.Sysctls = sysctls;
    }

    private static List<TableState> Tables(LbConfig config, BalancerSection section)
    {
        List<RuleState> marks = [];
        foreach (ServiceSection service in config.Services)
        {
            if (service is { Address: { } vip, Service.Fwmark: > 0 })
            {
                marks.Add(SwarmTables.VirtualAddressRule(vip, service.Service.Fwmark));
            }
        }

        RuleState[] nat = HasTranslation(config) ? [SwarmTables.SourceNatRule(section.Address, section.Address.Address)] : [];
        List<TableState> tables = [SwarmTables.Table("mangle", ("INPUT", marks)), SwarmTables.Table("nat", ("POSTROUTING", nat))];
        foreach ((string name, IReadOnlyList<DumpLine> lines) in config.Rules)
        {
            IptablesTableDraft draft = new(tables.Find(table => table.Name == name) ?? SwarmTables.Table(name));
            foreach (DumpLine line in lines)
            {
                draft.Add(line);
            }

            tables.RemoveAll(table => table.Name == name);
            tables.Add(draft.Build());
        }

        return tables;
    }

    private static bool HasTranslation(LbConfig config) => config.Services.Count == 0 || config.Services.Any(IsTranslated);

    private static bool IsTranslated(ServiceSection section) =>
        section.Service.Servers.Count == 0 || section.Service.Servers.Any(server => server.Forwarding == IpvsForwarding.Masq);

    private static NeighborState[] GuessNeighbors(LbConfig config, BalancerSection section)
    {
        SortedDictionary<Ipv4Address, MacAddress> known = [];
        foreach (IpvsServerState server in config.Services.SelectMany(service => service.Service.Servers))
        {
            known[server.Address] = MacAddress.FromDocker(server.Address);
        }

        foreach ((Ipv4Address address, MacAddress mac) in config.Vteps.SelectMany(vtep => vtep.Endpoints))
        {
            known[address] = mac;
        }

        return
        [
            .. known.Where(item => section.Address.Contains(item.Key))
                .Select(item => new NeighborState(item.Key, section.Device, item.Value, NeighborState.InferredState)),
        ];
    }

    private static void ExpandOverlay(LbConfig config, OverlaySection section, NamespaceDraft space)
    {
        int mtu = config.Balancer?.Mtu ?? SwarmDevices.OverlayMtu;
        Ipv4Prefix? gateway = section.Gateway ?? (config.Balancer is { } balancer
            ? new Ipv4Prefix(new Ipv4Address(balancer.Address.Network.Value + 1), balancer.Address.Length)
            : null);
        MacAddress mac = section.Mac ?? MacAddress.FromDocker(gateway?.Address ?? default);
        MacAddress tunnelMac = section.VxlanMac ?? SwarmDevices.StandInMac(section.Vxlan.Vni);
        InterfaceState tunnel = SwarmDevices.Tunnel(TunnelIndex, tunnelMac, mtu, section.Vxlan);
        space.Interfaces =
        [
            SwarmDevices.Loopback,
            SwarmDevices.Bridge(BridgeIndex, mac, mtu, gateway),
            tunnel,
            SwarmDevices.Port(BalancerInference.BridgePortIndex, "veth0", PortIndex, mac, mtu) with { Master = "br0" },
        ];
        space.Routes = SwarmDevices.OnLinkRoutes(space.Interfaces);
        space.Fdb =
        [
            .. config.Vteps.SelectMany(vtep => vtep.Endpoints.Select(endpoint =>
                new FdbEntryState(endpoint.Mac, tunnel.Name, vtep.Address, null, IsPermanent: true, IsSelf: true, null))),
        ];
        space.Neighbors =
        [
            .. config.Vteps.SelectMany(vtep => vtep.Endpoints)
                .Select(endpoint => new NeighborState(endpoint.Address, tunnel.Name, endpoint.Mac, "PERMANENT")),
        ];
    }

    private static void ExpandHost(LbConfig config, NodeSection section, NamespaceDraft space)
    {
        MacAddress mac = section.Mac ?? MacAddress.FromDocker(section.Address.Address);
        InterfaceAddress address = new(section.Address.Address, section.Address.Length, "global");
        InterfaceState card = SwarmDevices.Port(PortIndex, section.Device, null, mac, section.Mtu, [address]) with { Kind = "ether" };
        space.Interfaces = [SwarmDevices.Loopback, card];
        space.Routes = Routes(space.Interfaces, section.Gateway, section.Device);
        space.Neighbors =
        [
            .. config.Vteps.Select(vtep => new NeighborState(
                vtep.Address,
                section.Device,
                vtep.Mac ?? MacAddress.FromDocker(vtep.Address),
                vtep.Mac is null ? NeighborState.InferredState : "PERMANENT")),
        ];
    }

    private static List<RouteState> Routes(IReadOnlyList<InterfaceState> devices, Ipv4Address? gateway, string device)
    {
        List<RouteState> routes = [.. SwarmDevices.OnLinkRoutes(devices)];
        if (gateway is not null)
        {
            routes.Insert(0, new RouteState { Destination = default, Via = gateway, Device = device });
        }

        return routes;
    }

    private static void Override(NamespaceDraft space, NamespaceSection section)
    {
        space.Interfaces = section.Interfaces ?? space.Interfaces;
        space.Neighbors = section.Neighbors ?? space.Neighbors;
        space.Routes = section.Routes ?? space.Routes ?? SwarmDevices.OnLinkRoutes(space.Interfaces ?? []);
        space.Fdb = section.Fdb ?? space.Fdb;
        space.Services = section.Services ?? space.Services;
        space.IsOrderKnown = section.IsOrderKnown ?? (section.Services is not null || space.IsOrderKnown);
        space.Timeouts = section.Timeouts ?? space.Timeouts;
        space.Sysctls = section.Sysctls ?? space.Sysctls ?? (space.IsBalancer ? SysctlDefaults.Swarm : null);
        if (section.Tables.Count > 0)
        {
            IptablesState given = space.Iptables ?? IptablesState.Empty;
            IEnumerable<TableState> others = given.Tables.Where(table => !section.Tables.Any(own => own.Name == table.Name));
            space.Iptables = new IptablesState([.. others, .. section.Tables]);
        }
    }
}
