using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Reads <c>namespaces</c>: devices as keys and values, all else as lines that the tools print.</summary>
internal static class LbConfigNamespaceReader
{
    /// <summary>Reads one namespace.</summary>
    public static NamespaceSection Read(YamlScalar name, YamlNode node)
    {
        if (name.Value.Length == 0 || name.Value.Contains('.', StringComparison.Ordinal))
        {
            throw name.Place.Expected("a namespace's name, such as lb or ingress", name.Value);
        }

        YamlFields fields = new(
            node,
            "a namespace",
            ["interfaces", "neighbors", "routes", "fdb", "iptables", "ipvs", "ipvs-order-known", "timeouts", "sysctls"]);
        return new NamespaceSection
        {
            Name = name.Value,
            Interfaces = fields["interfaces"] is { } interfaces ? ReadInterfaces(interfaces) : null,
            Neighbors = ReadLines(fields["neighbors"], ReadNeighbor),
            Routes = ReadLines(fields["routes"], ReadRoute),
            Fdb = ReadLines(fields["fdb"], line => BridgeFdbReader.ParseLine(line.Words())),
            Tables = [.. YamlFields.Entries(fields["iptables"]).Select(entry => ReadTable(entry.Key, entry.Value))],
            Services = fields["ipvs"] is { } services ? ReadServices(services) : null,
            IsOrderKnown = fields["ipvs-order-known"] is { } known ? YamlFields.Flag(known) : null,
            Timeouts = LbConfigSectionReader.ReadTimeouts(fields["timeouts"]),
            Sysctls = fields["sysctls"] is { } sysctls ? LbConfigSectionReader.ReadSysctls(sysctls) : null,
        };
    }

    /// <summary>The lines of a list of texts.</summary>
    public static DumpLine[] Lines(YamlNode? node) =>
        [.. YamlFields.Items(node).Select(item => new DumpLine(item.Place, YamlFields.Text(item)))];

    private static T[]? ReadLines<T>(YamlNode? node, Func<DumpLine, T> read) => node is null ? null : [.. Lines(node).Select(read)];

    private static NeighborState ReadNeighbor(DumpLine line) =>
        IpNeighReader.ParseLine(line.Words()) ?? throw line.Place.Expected("an IPv4 neighbour", line.Text);

    private static RouteState ReadRoute(DumpLine line) =>
        IpRouteReader.ParseLine(line.Words()) ?? throw line.Place.Expected("an IPv4 route", line.Text);

    private static TableState ReadTable(YamlScalar name, YamlNode node)
    {
        IptablesTableDraft table = new(SwarmTables.Table(YamlFields.OneOf(name, "table", "mangle", "nat", "filter", "raw")));
        foreach (DumpLine line in Lines(node))
        {
            table.Add(line);
        }

        return table.Build();
    }

    private static IReadOnlyList<IpvsServiceState> ReadServices(YamlNode node)
    {
        IpvsTableDraft table = new();
        foreach (DumpLine line in Lines(node))
        {
            table.Add(line);
        }

        return table.Build();
    }

    private static List<InterfaceState> ReadInterfaces(YamlNode node)
    {
        List<InterfaceState> devices = [];
        foreach (YamlNode item in YamlFields.Items(node))
        {
            InterfaceState device = ReadInterface(item, devices.Count + 2);
            if (devices.Exists(other => other.Name == device.Name))
            {
                throw item.Place.Problem($"device {TextPlace.Quote(device.Name)} stands here twice");
            }

            devices.Add(device);
        }

        if (!devices.Exists(device => device.Kind == "loopback"))
        {
            devices.Insert(0, SwarmDevices.Loopback);
        }

        return devices;
    }

    private static InterfaceState ReadInterface(YamlNode node, int index)
    {
        YamlFields fields = new(node, "a device", "name", "index", "peer", "up", "mac", "mtu", "kind", "master", "addresses", "vxlan");
        VxlanState? tunnel = fields["vxlan"] is { } vxlan
            ? LbConfigSectionReader.ReadVxlan(new YamlFields(
                vxlan,
                "vxlan",
                LbConfigSectionReader.VxlanKeys))
            : null;
        return new InterfaceState
        {
            Name = YamlFields.Text(fields.Required("name")),
            Index = fields["index"] is { } number ? YamlFields.Number(number, "a device's number", 1, int.MaxValue) : index,
            PeerIndex = fields["peer"] is { } peer ? YamlFields.Number(peer, "a device's number", 0, int.MaxValue) : null,
            IsUp = fields["up"] is not { } up || YamlFields.Flag(up),
            Mac = fields["mac"] is { } mac ? YamlFields.Mac(mac) : default,
            Mtu = fields["mtu"] is { } mtu ? YamlFields.Number(mtu, "an MTU", 0, int.MaxValue) : SwarmDevices.UnderlayMtu,
            Kind = fields["kind"] is { } kind ? YamlFields.Text(kind) : tunnel is null ? "veth" : "vxlan",
            Master = fields["master"] is { } master ? YamlFields.Text(master) : null,
            Addresses = [.. YamlFields.Items(fields["addresses"]).Select(ReadAddress)],
            Vxlan = tunnel,
        };
    }

    // "10.0.1.5/24", or with a scope behind it: "127.0.0.1/8 host".
    private static InterfaceAddress ReadAddress(YamlNode node)
    {
        string[] parts = YamlFields.Text(node).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return parts.Length is 1 or 2 && Ipv4Prefix.TryParse(parts[0], out Ipv4Prefix prefix)
            ? new InterfaceAddress(prefix.Address, prefix.Length, parts.Length == 2 ? parts[1] : "global")
            : throw node.Place.Expected("an address such as 10.0.1.5/24", YamlFields.Text(node));
    }
}
