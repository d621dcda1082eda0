using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Says a node's state in the short form, as far as that goes.</summary>
internal static class LbConfigSummary
{
    /// <summary>The short form; what it cannot say, the writer says in full.</summary>
    public static LbConfig Of(NodeState node)
    {
        InterfaceState? port = SwarmDevices.Uplink(Interfaces(node, "lb"));
        InterfaceAddress? own = port?.Addresses.FirstOrDefault(address => address.PrefixLength < Ipv4Prefix.LengthMax);
        if (port is null || own is null)
        {
            return new LbConfig();
        }

        NamespaceState space = node["lb"];
        OverlaySection? overlay = OverlayOf(node, port);
        LbConfig config = new()
        {
            Node = NodeOf(node),
            Overlay = overlay,
            Balancer = new BalancerSection
            {
                Address = new Ipv4Prefix(own.Address, own.PrefixLength),
                Device = port.Name,
                Mac = port.Mac == MacAddress.FromDocker(own.Address) ? null : port.Mac,
                Mtu = port.Mtu,
                Gateway = GatewayOf(space),
                Neighbors = [.. space.Neighbors.Where(neighbor => neighbor.Device == port.Name)],
            },
            Services = ServicesOf(node, space, own.Address),
            Vteps = overlay is null ? [] : VtepsOf(node),
            Timeouts = space.IpvsTimeouts,
        };
        NamespaceState made = LbConfigExpander.Expand(config, [], node.Origin)["lb"];
        return config with
        {
            Sysctls = SysctlsOf(space, made),
        };
    }

    /// <summary>The settings by which one namespace differs from another.</summary>
    public static IReadOnlyDictionary<string, string> SysctlsOf(NamespaceState space, NamespaceState made)
    {
        SortedDictionary<string, string> settings = new(StringComparer.Ordinal);
        foreach (string name in space.Sysctls.Keys.Union(made.Sysctls.Keys).Where(SysctlDefaults.HasEffect))
        {
            string effect = NodeStateDifferences.EffectOf(space, name);
            if (effect != NodeStateDifferences.EffectOf(made, name))
            {
                settings[name] = effect;
            }
        }

        return settings;
    }

    private static IReadOnlyList<InterfaceState> Interfaces(NodeState node, string name) =>
        node.Namespaces.TryGetValue(name, out NamespaceState? space) ? space.Interfaces : [];

    private static Ipv4Address? GatewayOf(NamespaceState space)
    {
        foreach (RouteState route in space.Routes)
        {
            if (route is { Destination.Length: 0, Type: "unicast", Via: not null })
            {
                return route.Via;
            }
        }

        return null;
    }

    private static NodeSection? NodeOf(NodeState node)
    {
        if (SwarmDevices.Uplink(Interfaces(node, "host")) is not { } card)
        {
            return null;
        }

        InterfaceAddress address = card.Addresses[0];
        return new NodeSection
        {
            Address = new Ipv4Prefix(address.Address, address.PrefixLength),
            Device = card.Name,
            Mac = card.Mac,
            Mtu = card.Mtu,
            Gateway = GatewayOf(node["host"]),
        };
    }

    private static OverlaySection? OverlayOf(NodeState node, InterfaceState port)
    {
        InterfaceState? tunnel = Interfaces(node, "overlay").FirstOrDefault(device => device.Vxlan is not null);
        if (tunnel is null)
        {
            return null;
        }

        InterfaceState? bridge = Interfaces(node, "overlay").FirstOrDefault(device => device.Kind == "bridge");
        InterfaceAddress? gateway = bridge is { Addresses.Count: > 0 } ? bridge.Addresses[0] : null;
        InterfaceAddress own = port.Addresses[0];
        Ipv4Prefix usual = new(new Ipv4Address(new Ipv4Prefix(own.Address, own.PrefixLength).Network.Value + 1), own.PrefixLength);
        Ipv4Prefix? told = gateway is null ? null : new Ipv4Prefix(gateway.Address, gateway.PrefixLength);
        return new OverlaySection
        {
            Vxlan = tunnel.Vxlan!,
            Gateway = told == usual ? null : told,
        };
    }

    private static List<ServiceSection> ServicesOf(NodeState node, NamespaceState space, Ipv4Address own)
    {
        IReadOnlyList<(Ipv4Address Address, uint Mark)> vips = SwarmTables.VirtualAddresses(space.Iptables);
        List<ServiceSection> services = [];
        foreach (IpvsServiceState service in space.IpvsServices)
        {
            Ipv4Address? vip = service.Fwmark == 0
                ? service.Address
                : vips.FirstOrDefault(item => item.Mark == service.Fwmark && item.Address != own) is { Mark: > 0 } found
                    ? found.Address
                    : null;
            string? name = vip is null ? null : NameOf(node, vip.Value);
            services.Add(new ServiceSection(name, vip, IpvsText.Normalized(service)));
        }

        return services;
    }

    private static string? NameOf(NodeState node, Ipv4Address vip) =>
        node.Docker.Services.FirstOrDefault(service => service.VirtualAddresses.Any(address => address.Address == vip))?.Name
        ?? node.Docker.Networks.SelectMany(network => network.Services).FirstOrDefault(service => service.VirtualAddress == vip)?.Name;

    private static List<VtepSection> VtepsOf(NodeState node)
    {
        NamespaceState overlay = node["overlay"];
        IReadOnlyList<NeighborState> hosts = node.Namespaces.TryGetValue("host", out NamespaceState? host) ? host.Neighbors : [];
        List<VtepSection> vteps = [];
        foreach (Ipv4Address destination in overlay.Fdb.Select(entry => entry.Destination).OfType<Ipv4Address>().Distinct().Order())
        {
            List<(Ipv4Address Address, MacAddress Mac)> endpoints = [];
            foreach (FdbEntryState entry in overlay.Fdb.Where(entry => entry.Destination == destination))
            {
                Ipv4Address? address = overlay.Neighbors.FirstOrDefault(neighbor => neighbor.Mac == entry.Mac)?.Address
                    ?? SwarmDevices.AddressOf(entry.Mac);
                if (address is not null && !endpoints.Exists(other => other.Mac == entry.Mac))
                {
                    endpoints.Add((address.Value, entry.Mac));
                }
            }

            NeighborState? hop = hosts.FirstOrDefault(neighbor => neighbor.Address == destination);
            MacAddress? mac = hop is { State: not NeighborState.InferredState } ? hop.Mac : null;
            vteps.Add(new VtepSection(destination, mac, [.. endpoints.OrderBy(endpoint => endpoint.Address)]));
        }

        return vteps;
    }
}
