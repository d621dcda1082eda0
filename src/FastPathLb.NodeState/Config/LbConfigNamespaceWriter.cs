namespace FastPathLb.NodeState;

/// <summary>Writes parts of a namespace in full.</summary>
internal static class LbConfigNamespaceWriter
{
    private const string TablePrefix = "iptables.";

    /// <summary>What the written parts will be read back as.</summary>
    public static NamespaceSection SectionOf(NamespaceState space, IReadOnlySet<string> parts) => new()
    {
        Name = space.Name,
        Interfaces = parts.Contains("interfaces") ? space.Interfaces : null,
        Neighbors = parts.Contains("neighbors") ? space.Neighbors : null,
        Routes = parts.Contains("routes") ? space.Routes : null,
        Fdb = parts.Contains("fdb") ? space.Fdb : null,
        Tables =
        [
            .. TablesIn(parts).Select(name => space.Iptables.FindTable(name) ?? SwarmTables.Table(name)),
        ],
        Services = parts.Contains("ipvs") ? space.IpvsServices : null,
        IsOrderKnown = parts.Contains("ipvs") ? space.IpvsOrderKnown : null,
        Timeouts = parts.Contains("timeouts") ? space.IpvsTimeouts : null,
        Sysctls = parts.Contains("sysctls") ? space.Sysctls : null,
    };

    /// <summary>Writes them.</summary>
    public static void Write(YamlText text, NamespaceState space, IReadOnlySet<string> parts)
    {
        text.Line(2, $"{YamlText.Scalar(space.Name)}:");
        if (parts.Contains("interfaces"))
        {
            text.Maps(4, "interfaces", [.. space.Interfaces.Where(device => device.Kind != "loopback" || IsUnusual(device)).Select(MapOf)]);
        }

        WriteLines(text, "neighbors", parts, space.Neighbors.Select(DumpText.Of));
        WriteLines(text, "routes", parts, space.Routes.Select(DumpText.Of));
        WriteLines(text, "fdb", parts, NodeStateDifferences.EntriesOf(space));
        string[] tables = [.. TablesIn(parts)];
        if (tables.Length > 0)
        {
            text.Line(4, "iptables:");
            foreach (string table in tables)
            {
                text.List(6, table, [.. LinesOf(space.Iptables.FindTable(table))], isShort: false);
            }
        }

        WriteLines(text, "ipvs", parts, space.IpvsServices.SelectMany(IpvsText.LinesOf));
        if (parts.Contains("ipvs") && !space.IpvsOrderKnown)
        {
            text.Field(4, "ipvs-order-known", "false");
        }

        if (parts.Contains("timeouts"))
        {
            WriteTimeouts(text, 4, space.IpvsTimeouts);
        }

        if (parts.Contains("sysctls"))
        {
            // What stands here takes the place of all that the short form makes.
            NamespaceState nothing = new() { Name = space.Name };
            WriteSysctls(text, 4, LbConfigSummary.SysctlsOf(space, nothing));
        }

    }

    /// <summary>Writes <c>timeouts</c>, if there are any.</summary>
    public static void WriteTimeouts(YamlText text, int indent, IpvsTimeouts? timeouts)
    {
        if (timeouts is not null)
        {
            (int tcp, int tcpFin, int udp) = timeouts;
            text.Line(indent, $"timeouts: {YamlText.Map(("tcp", $"{tcp}"), ("tcpfin", $"{tcpFin}"), ("udp", $"{udp}"))}");
        }
    }

    /// <summary>Writes <c>sysctls</c>.</summary>
    public static void WriteSysctls(YamlText text, int indent, IReadOnlyDictionary<string, string> sysctls)
    {
        if (sysctls.Count == 0)
        {
            if (indent > 0)
            {
                text.Line(indent, "sysctls: {}");
            }

            return;
        }

        text.Line(indent, "sysctls:");
        foreach ((string name, string value) in sysctls)
        {
            text.Field(indent + 2, name, value);
        }
    }

    private static IEnumerable<string> TablesIn(IReadOnlySet<string> parts) =>
        parts.Where(part => part.StartsWith(TablePrefix, StringComparison.Ordinal)).Select(part => part[TablePrefix.Length..]);

    private static void WriteLines(YamlText text, string part, IReadOnlySet<string> parts, IEnumerable<string> lines)
    {
        if (parts.Contains(part))
        {
            text.List(4, part, [.. lines], isShort: false);
        }
    }

    // Chains that are not as the kernel makes them, then rules.
    private static IEnumerable<string> LinesOf(TableState? table)
    {
        foreach (ChainState chain in table?.Chains ?? [])
        {
            if (chain is not { Policy: "ACCEPT", Packets: 0, Bytes: 0 } || !SwarmTables.ChainsOf(table!.Name).Contains(chain.Name))
            {
                yield return DumpText.Of(chain);
            }
        }

        foreach (ChainState chain in table?.Chains ?? [])
        {
            foreach (RuleState rule in chain.Rules)
            {
                yield return DumpText.Of(chain, rule);
            }
        }
    }

    private static string TextOf(InterfaceAddress address) =>
        $"{address.Address}/{address.PrefixLength}{(address.Scope == "global" ? "" : $" {address.Scope}")}";

    private static bool IsUnusual(InterfaceState device) =>
        device.Name != "lo" || device.Mtu != SwarmDevices.Loopback.Mtu || !device.IsUp
        || !device.Addresses.SequenceEqual(SwarmDevices.Loopback.Addresses);

    private static string MapOf(InterfaceState device) => YamlText.Map(
        ("name", YamlText.Scalar(device.Name)),
        ("index", $"{device.Index}"),
        ("peer", device.PeerIndex?.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        ("up", device.IsUp ? null : "false"),
        ("mac", device.Mac.IsZero ? null : $"{device.Mac}"),
        ("mtu", $"{device.Mtu}"),
        ("kind", device.Kind == (device.Vxlan is null ? "veth" : "vxlan") ? null : YamlText.Scalar(device.Kind)),
        ("master", device.Master is null ? null : YamlText.Scalar(device.Master)),
        ("addresses", device.Addresses.Count == 0
            ? null
            : $"[{string.Join(", ", device.Addresses.Select(TextOf))}]"),
        ("vxlan", device.Vxlan is null ? null : YamlText.Map([.. LbConfigWriter.VxlanFields(device.Vxlan)])));
}
