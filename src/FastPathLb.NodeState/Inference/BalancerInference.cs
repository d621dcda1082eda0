using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Fills what a load balancer's dumps lack: rules, services, devices, routes, neighbours, settings.</summary>
internal sealed class BalancerInference(NodeDraft node, NamespaceDraft space)
{
    // Docker numbers marks from here on each node.
    private const uint FirstMark = 0x100;
    private const int PortIndex = 2;

    // Apart from each other, so that the ends of each network's veth pair are found.
    private const int IndexStep = 100;

    /// <summary>Index of the port at the bridge, where both ends are inferred.</summary>
    internal const int BridgePortIndex = 4;

    private readonly int _firstIndex =
        IndexStep * node.FindAll(other => other.IsBalancer && string.CompareOrdinal(other.Name, space.Name) > 0).Count;

    private readonly DockerNetwork? _network = node.NetworkOf(space);
    private readonly bool _isDirectReturn = node.NetworkOf(space) is { IsDirectReturn: true };
    private IReadOnlyList<ServiceHint>? _hints;

    private IReadOnlyList<ServiceHint> Hints => _hints ??= _network is null ? [] : ServiceHint.Of(node.Docker, _network);

    /// <summary>Does all of it.</summary>
    public void Complete()
    {
        InterfaceAddress? address = FindAddress();
        if (address is null && (space.Interfaces is null || space.Iptables is null))
        {
            throw node.Problem(
                $"{node.FileOf(space, "ip-addr")} is missing, and nothing tells the load balancer's own address: neither a "
                + $"network-inspect.NET.json with an endpoint lb-NET, nor an SNAT rule in {node.FileOf(space, "iptables-save")}");
        }

        if (space.Iptables is null)
        {
            InferIptables(address!);
        }

        if (space.Services is null)
        {
            InferServices(space.Iptables!);
        }

        if (space.Interfaces is null)
        {
            InferInterfaces(space.Iptables!, address!);
        }

        if (space.Routes is null)
        {
            InferRoutes(space.Interfaces!);
        }

        if (space.Neighbors is null)
        {
            InferNeighbors(space.Interfaces!, space.Services!);
        }

        if (space.Sysctls is null)
        {
            space.Sysctls = _isDirectReturn ? SysctlDefaults.SwarmDirectReturn : SysctlDefaults.Swarm;
            IEnumerable<string> told = space.Sysctls.Select(item => $"{item.Key["net.ipv4.".Length..]}={item.Value}");
            Say("sysctl", $"Swarm's settings are taken: {string.Join(", ", told)}");
        }
    }

    private void Say(string kind, string what) => node.Inferred.Add($"{node.FileOf(space, kind)} is missing: {what}.");

    // The balancer's own address on its network: dumped, or Docker's endpoint, or what the SNAT rule says.
    private InterfaceAddress? FindAddress()
    {
        foreach (InterfaceState device in space.Interfaces ?? [])
        {
            foreach (InterfaceAddress address in device.Addresses)
            {
                if (device.Kind != "loopback"
                    && address.PrefixLength < Ipv4Prefix.LengthMax
                    && _network?.Contains(address.Address) != false)
                {
                    return address;
                }
            }
        }

        if (_network?.LoadBalancer is { } endpoint)
        {
            return new InterfaceAddress(endpoint.Address, endpoint.PrefixLength, "global");
        }

        foreach (RuleState rule in space.Iptables is null ? [] : SwarmTables.SourceNatRules(space.Iptables))
        {
            return new InterfaceAddress(rule.NatAction!.FirstAddress!.Value, rule.Destination!.Prefix.Length, "global");
        }

        return null;
    }

    private void InferIptables(InterfaceAddress address)
    {
        List<RuleState> input = [];
        List<RuleState> prerouting = [];
        List<string> told = [];
        foreach ((Ipv4Address vip, uint mark, ServiceHint? hint) in FindMarks())
        {
            input.Add(SwarmTables.VirtualAddressRule(vip, mark));
            told.Add($"{vip} has mark 0x{mark:x}");
            if (space.Name == "ingress" && hint is not null)
            {
                prerouting.AddRange(hint.Ports.Select(port => SwarmTables.PublishedPortRule(port.Protocol, port.Port, mark)));
            }
        }

        IReadOnlyList<RuleState> nat = _isDirectReturn
            ? []
            : [SwarmTables.SourceNatRule(new Ipv4Prefix(address.Address, address.PrefixLength), address.Address)];
        space.Iptables = new IptablesState(
        [
            SwarmTables.Table("mangle", ("PREROUTING", prerouting), ("INPUT", input)),
            SwarmTables.Table("nat", ("POSTROUTING", nat)),
        ]);
        Say(
            "iptables-save",
            $"Swarm's rules are taken ({(told.Count == 0 ? "no VIP" : string.Join(", ", told))}; "
            + $"{(_isDirectReturn ? "no SNAT, for servers answer clients themselves" : $"SNAT to {address.Address}")})");
    }

    private List<(Ipv4Address Address, uint Mark, ServiceHint? Hint)> FindMarks()
    {
        List<(Ipv4Address, uint, ServiceHint?)> found = [];
        foreach (ServiceHint hint in Hints)
        {
            if (hint.Fwmark != 0)
            {
                found.Add((hint.Address, hint.Fwmark, hint));
            }
            else if (space.Services is null && (hint.Servers is not null || space.Name == "ingress"))
            {
                found.Add((hint.Address, FirstMark + (uint)found.Count, hint));
            }
            else if (space.Services?.FirstOrDefault(service => HasServers(service, hint)) is { } same)
            {
                found.Add((hint.Address, same.Fwmark, hint));
            }
        }

        uint[] marks = [.. (space.Services ?? []).Where(service => service.Fwmark != 0).Select(service => service.Fwmark)];
        if (found.Count > 0 || marks.Length == 0)
        {
            return found;
        }

        // Docker adds a service's VIP and its IPVS service together, so both lists have one order.
        Ipv4Address[] vips =
        [
            .. (space.Interfaces ?? []).SelectMany(device => device.Addresses)
                .Where(address => address.PrefixLength == Ipv4Prefix.LengthMax).Select(address => address.Address),
        ];
        if (vips.Length == 0)
        {
            vips = [.. Hints.Select(hint => hint.Address)];
        }

        return vips.Length == marks.Length
            ? [.. vips.Zip(marks, (vip, mark) => (vip, mark, (ServiceHint?)null))]
            : throw node.Problem(
                $"{node.FileOf(space, "iptables-save")} is missing, and nothing tells which of {vips.Length} VIPs has which of the "
                + $"{marks.Length} marks of IPVS: a network-inspect-v.NET.json would");
    }

    private static bool HasServers(IpvsServiceState service, ServiceHint hint) => service.Fwmark != 0
        && hint.Servers is not null
        && service.Servers.Select(server => server.Address).Order().SequenceEqual(hint.Servers.Order());

    private void InferServices(IptablesState iptables)
    {
        List<IpvsServiceState> services = [];
        List<string> told = [];
        IReadOnlyList<(Ipv4Address Address, uint Mark)> vips = SwarmTables.VirtualAddresses(iptables);
        foreach (uint mark in SwarmTables.Marks(iptables).Order())
        {
            ServiceHint? hint = Hints.FirstOrDefault(item => item.Fwmark == mark)
                ?? Hints.FirstOrDefault(item => vips.Contains((item.Address, mark)));
            IEnumerable<string> names = vips.Where(vip => vip.Mark == mark).Select(vip => $" (VIP {vip.Address})");
            IReadOnlyList<Ipv4Address> servers = hint?.Servers ?? throw node.Problem(
                $"neither {node.FileOf(space, "ipvsadm-save")} nor {node.FileOf(space, "ipvsadm-Ln")} is there, and nothing tells the "
                + $"servers behind mark 0x{mark:x}{string.Concat(names)}: a network-inspect-v.NET.json would");
            IpvsForwarding forwarding = _isDirectReturn ? IpvsForwarding.Route : IpvsForwarding.Masq;
            services.Add(new IpvsServiceState
            {
                Fwmark = mark,
                Scheduler = "rr",
                Servers = [.. servers.Select(server => new IpvsServerState(server, 0, forwarding))],
            });
            told.Add($"mark 0x{mark:x} ({hint.Name}){(_isDirectReturn ? ", direct return," : "")} has {(servers.Count == 0 ? "no server" : string.Join(", ", servers))}");
        }

        space.Services = services;
        space.IsOrderKnown = false;
        Say("ipvsadm-save", told.Count == 0
            ? "no rule gives a mark, so there is no service"
            : $"services by rr from Docker's inspects: {string.Join("; ", told)}");
    }

    private void InferInterfaces(IptablesState iptables, InterfaceAddress address)
    {
        MacAddress mac = _network?.LoadBalancer?.Mac ?? MacAddress.FromDocker(address.Address);
        Ipv4Address[] vips = [.. SwarmTables.VirtualAddresses(iptables).Select(vip => vip.Address).Distinct()];
        InterfaceAddress[] addresses = [address, .. vips.Select(vip => new InterfaceAddress(vip, Ipv4Prefix.LengthMax, "global"))];
        int mtu = SwarmDevices.MtuOf(_network);
        bool isBridgeInferred = node.Find(space.OverlayName) is not { Interfaces: not null };
        int? peer = isBridgeInferred ? _firstIndex + BridgePortIndex : null;
        List<InterfaceState> devices =
        [
            SwarmDevices.Loopback,
            SwarmDevices.Port(_firstIndex + PortIndex, "eth0", peer, mac, mtu, addresses),
        ];
        if (space.Name == "ingress" && GatewayEndpoint() is { } outside)
        {
            InterfaceAddress second = new(outside.Address, outside.PrefixLength, "global");
            devices.Add(SwarmDevices.Port(_firstIndex + PortIndex + 1, "eth1", null, outside.Mac, SwarmDevices.UnderlayMtu, [second]));
        }

        space.Interfaces = devices;
        Say(
            "ip-addr",
            $"eth0 has {address.Address}/{address.PrefixLength}, MAC {mac}, MTU {mtu}"
            + (vips.Length == 0 ? "" : $" and the VIPs {string.Join(", ", vips)}")
            + (devices.Count > 2 ? $"; eth1 has {devices[2].Addresses[0].Address}, MAC {devices[2].Mac}" : ""));
    }

    // The ingress sandbox's place on docker_gwbridge.
    private DockerEndpoint? GatewayEndpoint() =>
        GatewayNetwork()?.Endpoints.FirstOrDefault(endpoint => endpoint.ContainerId == "ingress-sbox");

    private DockerNetwork? GatewayNetwork() => node.Docker.FindNetwork("docker_gwbridge");

    private void InferRoutes(IReadOnlyList<InterfaceState> devices)
    {
        List<RouteState> routes = [.. SwarmDevices.OnLinkRoutes(devices)];
        Ipv4Address? gateway = space.Name != "ingress" ? null
            : GatewayNetwork() is { Subnets: [DockerSubnet subnet, ..] } ? subnet.Gateway
            : GatewayBridgeInference.AddressOf(node, space)?.Address;
        InterfaceState? outside = devices.FirstOrDefault(device => gateway is { } address
            && SwarmDevices.OnLinkRoutes([device]).Any(route => route.Destination.Contains(address)));
        if (outside is not null)
        {
            routes.Insert(0, new RouteState { Destination = default, Via = gateway, Device = outside.Name });
        }

        space.Routes = routes;
        string rest = outside is null ? ", without a default route" : $" and the default via {gateway}";
        Say("ip-route", $"the routes are those of its addresses{rest}");
    }

    private void InferNeighbors(IReadOnlyList<InterfaceState> devices, IReadOnlyList<IpvsServiceState> services)
    {
        SortedDictionary<Ipv4Address, MacAddress> known = [];
        foreach (IpvsServerState server in services.SelectMany(service => service.Servers))
        {
            known[server.Address] = MacAddress.FromDocker(server.Address);
        }

        NamespaceDraft? bridge = node.Find(space.OverlayName);
        foreach (NeighborState neighbor in bridge?.Neighbors ?? [])
        {
            known[neighbor.Address] = neighbor.Mac ?? MacAddress.FromDocker(neighbor.Address);
        }

        foreach (DockerNetworkTask task in _network?.Services.SelectMany(service => service.Tasks) ?? [])
        {
            known[task.Address] = MacAddress.FromDocker(task.Address);
        }

        foreach (DockerEndpoint endpoint in _network?.Endpoints ?? [])
        {
            known[endpoint.Address] = endpoint.Mac;
        }

        List<NeighborState> neighbors = [];
        foreach ((Ipv4Address address, MacAddress mac) in known)
        {
            InterfaceState? device = devices.FirstOrDefault(item => SwarmDevices.OnLinkRoutes([item])
                .Any(route => route.Destination.Contains(address)));
            if (device is not null && !device.Addresses.Any(own => own.Address == address))
            {
                neighbors.Add(new NeighborState(address, device.Name, mac, NeighborState.InferredState));
            }
        }

        space.Neighbors = neighbors;
        Say("ip-neigh", neighbors.Count == 0
            ? "no neighbour is known"
            : $"{string.Join(", ", neighbors.Select(item => item.Address))} "
                + $"{(neighbors.Count == 1 ? "has its MAC" : "have their MACs")} by Docker's rule (02:42 and the address)");
    }
}
