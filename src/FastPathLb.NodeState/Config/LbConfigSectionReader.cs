using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Reads the sections of the short form, but for services.</summary>
internal static class LbConfigSectionReader
{
    private const int MtuMin = 68;
    private const int MtuMax = 65535;

    private static readonly string[] s_vxlanKeys =
    [
        "vni", "port", "local", "proxy", "learning", "l2miss", "l3miss", "udp-checksum", "ageing", "source-ports",
    ];

    private static readonly string[] s_states =
    [
        "PERMANENT", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "INCOMPLETE", "NOARP", "NONE", NeighborState.InferredState,
    ];

    private static readonly string[] s_sysctlPrefixes = ["net.ipv4.", "net.netfilter."];

    /// <summary>Keys of a VXLAN device's settings.</summary>
    public static ReadOnlySpan<string> VxlanKeys => s_vxlanKeys;

    /// <summary><c>node</c>.</summary>
    public static NodeSection? ReadNode(YamlNode? node)
    {
        if (node is null)
        {
            return null;
        }

        YamlFields fields = new(node, "node", "address", "device", "mac", "mtu", "gateway");
        NodeSection section = new() { Address = YamlFields.Prefix(fields.Required("address")) };
        return section with
        {
            Device = fields["device"] is { } device ? YamlFields.Text(device) : section.Device,
            Mac = fields["mac"] is { } mac ? YamlFields.Mac(mac) : null,
            Mtu = ReadMtu(fields["mtu"]) ?? section.Mtu,
            Gateway = fields["gateway"] is { } gateway ? YamlFields.Address(gateway) : null,
        };
    }

    /// <summary><c>overlay</c>.</summary>
    public static OverlaySection? ReadOverlay(YamlNode? node)
    {
        if (node is null)
        {
            return null;
        }

        YamlFields fields = new(
            node,
            "overlay",
            [.. VxlanKeys, "gateway", "mac", "vxlan-mac"]);
        return new OverlaySection
        {
            Vxlan = ReadVxlan(fields),
            Gateway = fields["gateway"] is { } gateway ? YamlFields.Prefix(gateway) : null,
            Mac = fields["mac"] is { } mac ? YamlFields.Mac(mac) : null,
            VxlanMac = fields["vxlan-mac"] is { } tunnelMac ? YamlFields.Mac(tunnelMac) : null,
        };
    }

    /// <summary>The settings of a VXLAN device.</summary>
    public static VxlanState ReadVxlan(YamlFields fields)
    {
        VxlanState state = new() { Vni = YamlFields.ReadVni(fields.Required("vni")) };
        (int low, int high) = ReadPortRange(fields["source-ports"]);
        return state with
        {
            DestinationPort = fields["port"] is { } port
                ? YamlFields.Number(port, "a UDP port", 1, ushort.MaxValue)
                : state.DestinationPort,
            Local = fields["local"] is { } local ? YamlFields.Address(local) : null,
            Proxy = fields["proxy"] is { } proxy ? YamlFields.Flag(proxy) : state.Proxy,
            Learning = fields["learning"] is { } learning ? YamlFields.Flag(learning) : state.Learning,
            L2Miss = fields["l2miss"] is { } l2miss ? YamlFields.Flag(l2miss) : state.L2Miss,
            L3Miss = fields["l3miss"] is { } l3miss ? YamlFields.Flag(l3miss) : state.L3Miss,
            UdpChecksum = fields["udp-checksum"] is { } checksum ? YamlFields.Flag(checksum) : state.UdpChecksum,
            AgeingSeconds = fields["ageing"] is { } ageing ? YamlFields.Number(ageing, "seconds", 0, int.MaxValue) : state.AgeingSeconds,
            SourcePortLow = low,
            SourcePortHigh = high,
        };
    }

    /// <summary><c>lb</c>.</summary>
    public static BalancerSection? ReadBalancer(YamlNode? node)
    {
        if (node is null)
        {
            return null;
        }

        YamlFields fields = new(node, "lb", "address", "device", "mac", "mtu", "gateway", "neighbors");
        BalancerSection section = new() { Address = YamlFields.Prefix(fields.Required("address")) };
        string device = fields["device"] is { } name ? YamlFields.Text(name) : section.Device;
        return section with
        {
            Device = device,
            Mac = fields["mac"] is { } mac ? YamlFields.Mac(mac) : null,
            Mtu = ReadMtu(fields["mtu"]) ?? section.Mtu,
            Gateway = fields["gateway"] is { } gateway ? YamlFields.Address(gateway) : null,
            Neighbors = fields["neighbors"] is { } neighbors
                ? [.. YamlFields.Items(neighbors).Select(item => ReadNeighbor(item, device))]
                : null,
        };
    }

    /// <summary><c>vteps</c>.</summary>
    public static IReadOnlyList<VtepSection> ReadVteps(YamlNode? node)
    {
        List<VtepSection> vteps = [];
        HashSet<MacAddress> seen = [];
        foreach (YamlNode item in YamlFields.Items(node))
        {
            YamlFields fields = new(item, "a VTEP", "address", "mac", "endpoints");
            List<(Ipv4Address, MacAddress)> endpoints = [];
            foreach (YamlNode endpoint in YamlFields.Items(fields["endpoints"]))
            {
                (Ipv4Address address, MacAddress mac) = ReadEndpoint(endpoint);
                endpoints.Add(seen.Add(mac)
                    ? (address, mac)
                    : throw endpoint.Place.Problem($"endpoint {address} ({mac}) stands here twice"));
            }

            MacAddress? ownMac = fields["mac"] is { } text ? YamlFields.Mac(text) : null;
            vteps.Add(new VtepSection(YamlFields.Address(fields.Required("address")), ownMac, endpoints));
        }

        return vteps;
    }

    /// <summary><c>sysctls</c>; the beginnings <c>net.ipv4.</c> and <c>net.netfilter.</c> may be left out.</summary>
    public static IReadOnlyDictionary<string, string> ReadSysctls(YamlNode? node)
    {
        Dictionary<string, string> settings = new(StringComparer.Ordinal);
        foreach ((YamlScalar key, YamlNode value) in YamlFields.Entries(node))
        {
            string name = key.Value;
            if (!name.StartsWith("net.", StringComparison.Ordinal))
            {
                name = s_sysctlPrefixes[name.StartsWith("nf_", StringComparison.Ordinal) ? 1 : 0] + name;
            }

            settings[name] = YamlFields.Text(value);
        }

        return settings;
    }

    /// <summary><c>timeouts</c>.</summary>
    public static IpvsTimeouts? ReadTimeouts(YamlNode? node)
    {
        if (node is null)
        {
            return null;
        }

        YamlFields fields = new(node, "timeouts", "tcp", "tcpfin", "udp");
        int Seconds(string key) => fields[key] is { } value ? YamlFields.Number(value, "seconds", 0, int.MaxValue / 1000) : 0;
        return new IpvsTimeouts(Seconds("tcp"), Seconds("tcpfin"), Seconds("udp"));
    }

    private static int? ReadMtu(YamlNode? node) => node is null ? null : YamlFields.Number(node, "an MTU", MtuMin, MtuMax);

    private static (int Low, int High) ReadPortRange(YamlNode? node)
    {
        if (node is null)
        {
            return (0, 0);
        }

        IReadOnlyList<YamlNode> ends = YamlFields.Items(node);
        return ends.Count == 2
            ? (YamlFields.Number(ends[0], "a port", 0, ushort.MaxValue), YamlFields.Number(ends[1], "a port", 0, ushort.MaxValue))
            : throw node.Place.Expected("two ports, such as [32768, 61000]", node.Shown);
    }

    // "10.0.1.3", whose MAC is Docker's; or address and mac.
    private static (Ipv4Address Address, MacAddress Mac) ReadEndpoint(YamlNode node)
    {
        if (node is YamlScalar)
        {
            Ipv4Address own = YamlFields.Address(node);
            return (own, MacAddress.FromDocker(own));
        }

        YamlFields fields = new(node, "an endpoint", "address", "mac");
        Ipv4Address address = YamlFields.Address(fields.Required("address"));
        return (address, fields["mac"] is { } mac ? YamlFields.Mac(mac) : MacAddress.FromDocker(address));
    }

    // As an endpoint, and with a state: a plain address is a neighbour spoken to before (STALE).
    private static NeighborState ReadNeighbor(YamlNode node, string device)
    {
        if (node is YamlScalar)
        {
            Ipv4Address own = YamlFields.Address(node);
            return new NeighborState(own, device, MacAddress.FromDocker(own), "STALE");
        }

        YamlFields fields = new(node, "a neighbor", "address", "mac", "state");
        Ipv4Address address = YamlFields.Address(fields.Required("address"));
        string state = fields["state"] is { } text
            ? YamlFields.OneOf(text, "state", s_states)
            : "STALE";
        MacAddress? usual = state is "FAILED" or "INCOMPLETE" ? null : MacAddress.FromDocker(address);
        MacAddress? mac = fields["mac"] is { } macText ? YamlFields.Mac(macText) : usual;
        return new NeighborState(address, device, mac, state);
    }
}
