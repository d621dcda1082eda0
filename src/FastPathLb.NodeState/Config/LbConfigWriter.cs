using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Prints a node's state as the YAML that <see cref="LbConfigReader"/> reads.</summary>
/// <remarks>
/// First the short form, as far as it goes; then, in full, each part of a namespace that the short form would make otherwise.
/// So what is read back acts as what was written: <see cref="NodeStateDifferences"/> finds nothing.
/// </remarks>
public static class LbConfigWriter
{
    // Once for the parts that differ, once more for the ends of veth pairs that then do not fit yet.
    private const int RoundsMax = 4;

    /// <summary>The YAML text.</summary>
    public static string Write(NodeState node)
    {
        LbConfig config = LbConfigSummary.Of(node);
        SortedDictionary<string, SortedSet<string>> parts = new(StringComparer.Ordinal);
        NodeState current = LbConfigExpander.Expand(config, [], node.Origin);
        for (int round = 0; round < RoundsMax; round++)
        {
            IReadOnlyList<NodeStateDifference> differences = NodeStateDifferences.Between(node, current);
            if (differences.Count == 0)
            {
                break;
            }

            // The ends of veth pairs may fit once the devices themselves do.
            bool isAboutPeers = differences.All(difference => difference.Section == NodeStateDifferences.PeersSection);
            foreach (NodeStateDifference difference in differences)
            {
                bool isPeer = difference.Section == NodeStateDifferences.PeersSection;
                if (isPeer && !isAboutPeers)
                {
                    continue;
                }

                if (!parts.TryGetValue(difference.Namespace, out SortedSet<string>? sections))
                {
                    sections = new SortedSet<string>(StringComparer.Ordinal);
                    parts.Add(difference.Namespace, sections);
                }

                sections.Add(isPeer ? "interfaces" : difference.Section);
            }

            current = LbConfigExpander.Expand(
                config,
                [.. parts.Select(item => LbConfigNamespaceWriter.SectionOf(node[item.Key], item.Value))],
                node.Origin);
        }

        YamlText text = new();
        text.Line(0, $"# {Path.GetFileName(node.Origin.TrimEnd('/'))}, as 'fastpathlb config' wrote it.");
        foreach (string sentence in node.Inferred)
        {
            text.Line(0, $"# Inferred: {sentence}");
        }

        WriteShortForm(text, config);
        if (parts.Count > 0)
        {
            text.Line(0, "namespaces:");
            foreach ((string name, SortedSet<string> sections) in parts)
            {
                LbConfigNamespaceWriter.Write(text, node[name], sections);
            }
        }

        return text.ToString();
    }

    private static void WriteShortForm(YamlText text, LbConfig config)
    {
        if (config.Node is { } host)
        {
            text.Line(0, "node:");
            text.Field(2, "address", $"{host.Address}");
            WriteOptional(text, "device", host.Device, "eth0");
            WriteOptional(text, "mac", host.Mac?.ToString(), null);
            WriteOptional(text, "mtu", $"{host.Mtu}", $"{SwarmDevices.UnderlayMtu}");
            WriteOptional(text, "gateway", host.Gateway?.ToString(), null);
        }

        if (config.Overlay is { } overlay)
        {
            text.Line(0, "overlay:");
            foreach ((string key, string? value) in VxlanFields(overlay.Vxlan))
            {
                WriteOptional(text, key, value, null);
            }

            WriteOptional(text, "gateway", overlay.Gateway?.ToString(), null);
        }

        if (config.Balancer is { } balancer)
        {
            text.Line(0, "lb:");
            text.Field(2, "address", $"{balancer.Address}");
            WriteOptional(text, "device", balancer.Device, "eth0");
            WriteOptional(text, "mac", balancer.Mac?.ToString(), null);
            WriteOptional(text, "mtu", $"{balancer.Mtu}", $"{SwarmDevices.OverlayMtu}");
            WriteOptional(text, "gateway", balancer.Gateway?.ToString(), null);
            WriteNeighbors(text, balancer.Neighbors ?? []);
        }

        WriteServices(text, config.Services);
        WriteVteps(text, config.Vteps);
        LbConfigNamespaceWriter.WriteTimeouts(text, 0, config.Timeouts);
        LbConfigNamespaceWriter.WriteSysctls(text, 0, config.Sysctls);
    }

    /// <summary>The settings of a VXLAN device that are not Swarm's.</summary>
    internal static IEnumerable<(string Key, string? Value)> VxlanFields(VxlanState vxlan)
    {
        static string? Flag(bool value) => value ? null : "false";
        yield return ("vni", $"{vxlan.Vni}");
        yield return ("port", vxlan.DestinationPort == VxlanState.DefaultPort ? null : $"{vxlan.DestinationPort}");
        yield return ("local", vxlan.Local?.ToString());
        yield return ("proxy", Flag(vxlan.Proxy));
        yield return ("learning", Flag(vxlan.Learning));
        yield return ("l2miss", Flag(vxlan.L2Miss));
        yield return ("l3miss", Flag(vxlan.L3Miss));
        yield return ("udp-checksum", Flag(vxlan.UdpChecksum));
        yield return ("ageing", vxlan.AgeingSeconds == 300 ? null : $"{vxlan.AgeingSeconds}");
        yield return ("source-ports", vxlan.SourcePortHigh == 0 ? null : $"[{vxlan.SourcePortLow}, {vxlan.SourcePortHigh}]");
    }

    private static void WriteOptional(YamlText text, string key, string? value, string? usual)
    {
        if (value is not null && value != usual)
        {
            text.Line(2, $"{key}: {(value.StartsWith('[') ? value : YamlText.Scalar(value))}");
        }
    }

    private static void WriteNeighbors(YamlText text, IReadOnlyList<NeighborState> neighbors)
    {
        string[] items =
        [
            .. neighbors.OrderBy(neighbor => neighbor.Address).Select(neighbor => neighbor == UsualNeighbor(neighbor)
                ? $"{neighbor.Address}"
                : YamlText.Map(("address", $"{neighbor.Address}"), ("mac", neighbor.Mac?.ToString()), ("state", neighbor.State))),
        ];
        bool isPlain = items.All(item => item[0] != '{');
        if (isPlain)
        {
            text.List(2, "neighbors", items, isShort: true);
        }
        else
        {
            text.Maps(2, "neighbors", items);
        }
    }

    private static NeighborState UsualNeighbor(NeighborState neighbor) =>
        neighbor with { Mac = MacAddress.FromDocker(neighbor.Address), State = "STALE" };

    private static void WriteServices(YamlText text, IReadOnlyList<ServiceSection> services)
    {
        if (services.Count == 0)
        {
            return;
        }

        text.Line(0, "services:");
        foreach (ServiceSection section in services)
        {
            IpvsServiceState service = section.Service;
            List<(string Key, string Value)> fields = [];
            Add(fields, "name", section.Name is null ? null : YamlText.Scalar(section.Name));
            Add(fields, "vip", section.Address?.ToString());
            Add(fields, "mark", service.Fwmark == 0 ? null : $"0x{service.Fwmark:x}");
            bool isUsual = service.Fwmark != 0 || service.Protocol == IpProtocol.Tcp;
            Add(fields, "protocol", isUsual ? null : ProtocolText.NameOf(service.Protocol));
            Add(fields, "port", service.Fwmark != 0 ? null : $"{service.Port}");
            Add(fields, "scheduler", YamlText.Scalar(service.Scheduler));
            Add(fields, "flags", service.SchedulerFlags.Count == 0 ? null : $"[{string.Join(", ", service.SchedulerFlags)}]");
            Add(fields, "persistence", service.PersistenceSeconds == 0 ? null : $"{service.PersistenceSeconds}");
            Add(fields, "netmask", service.Netmask == IpvsServiceState.AllOnes ? null : $"{service.Netmask}");
            Add(fields, "one-packet", service.OnePacket ? "true" : null);
            for (int index = 0; index < fields.Count; index++)
            {
                text.Line(2, $"{(index == 0 ? "- " : "  ")}{fields[index].Key}: {fields[index].Value}");
            }

            WriteServers(text, service);
        }
    }

    private static void Add(List<(string Key, string Value)> fields, string key, string? value)
    {
        if (value is not null)
        {
            fields.Add((key, value));
        }
    }

    private static void WriteServers(YamlText text, IpvsServiceState service)
    {
        if (service.Servers.All(server => server == new IpvsServerState(server.Address, service.Port)))
        {
            text.List(4, "servers", [.. service.Servers.Select(server => $"{server.Address}")], isShort: true);
            return;
        }

        text.Maps(
            4,
            "servers",
            [
                .. service.Servers.Select(server => YamlText.Map(
                    ("address", $"{server.Address}"),
                    ("port", server.Port == service.Port ? null : $"{server.Port}"),
                    ("weight", $"{server.Weight}"),
                    ("forwarding", server.Forwarding == IpvsForwarding.Masq ? null : $"{server.Forwarding}".ToLowerInvariant()),
                    ("upper", server.UpperThreshold == 0 ? null : $"{server.UpperThreshold}"),
                    ("lower", server.LowerThreshold == 0 ? null : $"{server.LowerThreshold}"))),
            ]);
    }

    private static void WriteVteps(YamlText text, IReadOnlyList<VtepSection> vteps)
    {
        if (vteps.Count == 0)
        {
            return;
        }

        text.Line(0, "vteps:");
        foreach (VtepSection vtep in vteps)
        {
            text.Line(2, $"- address: {vtep.Address}");
            if (vtep.Mac is { } mac)
            {
                text.Field(4, "mac", $"{mac}");
            }

            if (vtep.Endpoints.All(endpoint => endpoint.Mac == MacAddress.FromDocker(endpoint.Address)))
            {
                text.List(4, "endpoints", [.. vtep.Endpoints.Select(endpoint => $"{endpoint.Address}")], isShort: true);
            }
            else
            {
                text.Maps(
                    4,
                    "endpoints",
                    [.. vtep.Endpoints.Select(endpoint => YamlText.Map(("address", $"{endpoint.Address}"), ("mac", $"{endpoint.Mac}")))]);
            }
        }
    }
}
