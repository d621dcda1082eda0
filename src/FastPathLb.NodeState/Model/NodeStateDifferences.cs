using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>One thing in which two states of a node would make the data path act differently.</summary>
/// <param name="Namespace">Namespace.</param>
/// <param name="Section">
/// <c>interfaces</c>, <c>peers</c>, <c>neighbors</c>, <c>routes</c>, <c>fdb</c>, <c>iptables.TABLE</c>, <c>ipvs</c>,
/// <c>timeouts</c> or <c>sysctls</c>.
/// </param>
/// <param name="Text">What differs, one line.</param>
public sealed record NodeStateDifference(string Namespace, string Section, string Text);

/// <summary>Compares two states of a node in all that the data path uses.</summary>
/// <remarks>
/// Not compared: numbers of devices (but which ends of veth pairs belong together is), the kind of a network card, the order
/// of lists that the kernel looks up by key, forwarding entries of a port's own and of multicast addresses, settings without
/// effect, Docker's inspects.
/// </remarks>
public static class NodeStateDifferences
{
    /// <summary>Which ends of veth pairs belong together: a matter of two namespaces.</summary>
    internal const string PeersSection = "peers";

    /// <summary>The differences; none for equivalent states.</summary>
    public static IReadOnlyList<NodeStateDifference> Between(NodeState left, NodeState right)
    {
        List<NodeStateDifference> found = [];
        foreach (string name in left.Namespaces.Keys.Union(right.Namespaces.Keys).Order(StringComparer.Ordinal))
        {
            NamespaceState? first = left.Namespaces.GetValueOrDefault(name);
            NamespaceState? second = right.Namespaces.GetValueOrDefault(name);
            Compare(name, first ?? new NamespaceState { Name = name }, second ?? new NamespaceState { Name = name }, found);
            if (first is not null && second is not null)
            {
                ComparePeers(name, left, right, found);
            }
        }

        return found;
    }

    private static void Compare(string name, NamespaceState left, NamespaceState right, List<NodeStateDifference> found)
    {
        CompareSets(name, "interfaces", left.Interfaces.Select(TextOf), right.Interfaces.Select(TextOf), found);
        CompareSets(name, "neighbors", left.Neighbors.Select(DumpText.Of), right.Neighbors.Select(DumpText.Of), found);
        CompareSets(name, "routes", left.Routes.Select(DumpText.Of), right.Routes.Select(DumpText.Of), found);
        CompareSets(name, "fdb", EntriesOf(left), EntriesOf(right), found);
        foreach (string table in left.Iptables.Tables.Concat(right.Iptables.Tables).Select(table => table.Name).Distinct())
        {
            CompareLists(
                name,
                $"iptables.{table}",
                LinesOf(left.Iptables.FindTable(table)),
                LinesOf(right.Iptables.FindTable(table)),
                found);
        }

        CompareLists(name, "ipvs", left.IpvsServices.SelectMany(TextsOf), right.IpvsServices.SelectMany(TextsOf), found);
        if (left.IpvsServices.Count > 0 && left.IpvsOrderKnown != right.IpvsOrderKnown)
        {
            found.Add(new NodeStateDifference(name, "ipvs", $"order of servers {Known(left)} | {Known(right)}"));
        }

        if (left.IpvsTimeouts != right.IpvsTimeouts)
        {
            found.Add(new NodeStateDifference(
                name,
                "timeouts",
                $"{left.IpvsTimeouts?.ToString() ?? "none"} | {right.IpvsTimeouts?.ToString() ?? "none"}"));
        }

        foreach (string sysctl in left.Sysctls.Keys.Union(right.Sysctls.Keys).Where(SysctlDefaults.HasEffect).Order(StringComparer.Ordinal))
        {
            if (EffectOf(left, sysctl) != EffectOf(right, sysctl))
            {
                found.Add(new NodeStateDifference(name, "sysctls", $"{sysctl} {EffectOf(left, sysctl)} | {EffectOf(right, sysctl)}"));
            }
        }
    }

    private static string Known(NamespaceState space) => space.IpvsOrderKnown ? "known" : "not known";

    /// <summary>What a setting comes to: its first number, or its text.</summary>
    internal static string EffectOf(NamespaceState space, string name)
    {
        const int NoNumber = int.MinValue;
        int value = space.GetSysctl(name, NoNumber);
        return value != NoNumber
            ? $"{value}"
            : space.Sysctls.TryGetValue(name, out string? text) ? text : $"{SysctlDefaults.Get(name)}";
    }

    private static void ComparePeers(string name, NodeState left, NodeState right, List<NodeStateDifference> found)
    {
        foreach (InterfaceState device in left[name].Interfaces)
        {
            if (right[name].FindInterface(device.Name) is { } same)
            {
                string first = PeerOf(left, name, device);
                string second = PeerOf(right, name, same);
                if (first != second)
                {
                    found.Add(new NodeStateDifference(name, PeersSection, $"{device.Name}'s other end {first} | {second}"));
                }
            }
        }
    }

    private static string PeerOf(NodeState node, string name, InterfaceState device) =>
        node.FindPeer(name, device) is { } peer ? $"{peer.Namespace}/{peer.Interface.Name}" : "unknown";

    private static string TextOf(InterfaceState device)
    {
        string kind = device.Kind is "loopback" or "bridge" or "vxlan" ? device.Kind : "card";
        string addresses = string.Join(
            ' ',
            device.Addresses.Select(address => $"{address.Address}/{address.PrefixLength} {address.Scope}"));
        string state = device.IsUp ? "up" : "down";
        return $"{device.Name} {kind} {state} {device.Mac} mtu {device.Mtu} master {device.Master} [{addresses}] {device.Vxlan}";
    }

    /// <summary>
    /// The forwarding entries that count, as lines: addresses of the ports themselves and of multicast groups come with
    /// the devices.
    /// </summary>
    internal static IEnumerable<string> EntriesOf(NamespaceState space)
    {
        HashSet<MacAddress> own = [.. space.Interfaces.Select(device => device.Mac)];
        return space.Fdb
            .Where(entry => !entry.Mac.IsMulticast && !(entry is { IsPermanent: true, Destination: null } && own.Contains(entry.Mac)))
            .Select(DumpText.Of);
    }

    private static List<string> LinesOf(TableState? table)
    {
        List<string> lines = [];
        foreach (ChainState chain in table?.Chains ?? [])
        {
            bool isFresh = chain is { Policy: "ACCEPT", Packets: 0, Bytes: 0 };
            if (!isFresh)
            {
                lines.Add(DumpText.Of(chain));
            }
        }

        lines.Sort(StringComparer.Ordinal);
        foreach (ChainState chain in (table?.Chains ?? []).OrderBy(chain => chain.Name, StringComparer.Ordinal))
        {
            lines.AddRange(chain.Rules.Select(rule => TextOf(chain, rule)));
        }

        return lines;
    }

    // Two spellings of one rule are one text: the parts, not the words.
    private static string TextOf(ChainState chain, RuleState rule) => string.Join(
        ' ',
        $"[{rule.Packets}:{rule.Bytes}] {chain.Name}: {rule.Source} {rule.Destination} {rule.Protocol}",
        Join(rule.SourcePorts),
        Join(rule.DestinationPorts),
        Join(rule.EitherPorts),
        $"{rule.InInterface} {rule.OutInterface} {rule.IpvsMatch} {rule.FragmentMatch} {rule.ConntrackStates}",
        Join(rule.SourceType),
        Join(rule.DestinationType),
        $"{rule.Mark} {rule.TcpFlags} {rule.IcmpType} {rule.Comment} {string.Join(';', rule.Unsupported)}",
        $"{rule.Target} {rule.TargetKind} {rule.IsGoto} {rule.MarkAction} {rule.NatAction} {rule.RejectWith}");

    private static string Join(PortMatch? match) => match is null ? "-" : $"{(match.IsNegated ? "!" : "")}{string.Join(',', match.Ranges)}";

    private static string Join(AddressTypeMatch? match) =>
        match is null ? "-" : $"{(match.IsNegated ? "!" : "")}{string.Join(',', match.Types)}";

    private static IEnumerable<string> TextsOf(IpvsServiceState service)
    {
        string local = string.Concat(service.Servers.Where(server => server.Forwarding == IpvsForwarding.Local)
            .Select(server => $" local {server.Address}"));
        return IpvsText.LinesOf(IpvsText.Normalized(service)).Append(local).Where(text => text.Length > 0);
    }

    private static void CompareSets(
        string name,
        string section,
        IEnumerable<string> left,
        IEnumerable<string> right,
        List<NodeStateDifference> found) =>
        CompareLists(name, section, left.Order(StringComparer.Ordinal), right.Order(StringComparer.Ordinal), found);

    private static void CompareLists(
        string name,
        string section,
        IEnumerable<string> left,
        IEnumerable<string> right,
        List<NodeStateDifference> found)
    {
        string[] first = [.. left];
        string[] second = [.. right];
        if (first.SequenceEqual(second))
        {
            return;
        }

        string[] onlyFirst = [.. first.Except(second)];
        string[] onlySecond = [.. second.Except(first)];
        string text = onlyFirst.Length + onlySecond.Length == 0
            ? "the same in another order, or as often"
            : $"{string.Join("; ", onlyFirst)} | {string.Join("; ", onlySecond)}";
        found.Add(new NodeStateDifference(name, section, text));
    }
}
