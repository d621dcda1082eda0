namespace FastPathLb.NodeState;

/// <summary>Lines as the tools print them.</summary>
internal static class DumpText
{
    /// <summary>A line of <c>ip neigh</c>.</summary>
    public static string Of(NeighborState neighbor) =>
        $"{neighbor.Address} dev {neighbor.Device}{(neighbor.Mac is { } mac ? $" lladdr {mac}" : "")} {neighbor.State}";

    /// <summary>A line of <c>ip route</c>.</summary>
    public static string Of(RouteState route) =>
        (route.Type == "unicast" ? "" : $"{route.Type} ")
        + (route.Destination.Length == 0 ? "default" : $"{route.Destination}")
        + (route.Via is { } via ? $" via {via}" : "")
        + (route.Device.Length == 0 ? "" : $" dev {route.Device}")
        + (route.Source is { } source ? $" src {source}" : "")
        + (route.Metric == 0 ? "" : $" metric {route.Metric}");

    /// <summary>A line of <c>bridge fdb</c>.</summary>
    public static string Of(FdbEntryState entry) =>
        $"{entry.Mac} dev {entry.Device}"
        + (entry.Destination is { } destination ? $" dst {destination}" : "")
        + (entry.Vni is { } vni ? $" vni {vni}" : "")
        + (entry.IsSelf ? " self" : "")
        + (entry.Master is null ? "" : $" master {entry.Master}")
        + (entry.IsPermanent ? " permanent" : "");

    /// <summary>A chain's line of iptables-save.</summary>
    public static string Of(ChainState chain) => $":{chain.Name} {chain.Policy} [{chain.Packets}:{chain.Bytes}]";

    /// <summary>A rule's line of iptables-save; with counters where there are any.</summary>
    public static string Of(ChainState chain, RuleState rule) =>
        $"{(rule.Packets == 0 && rule.Bytes == 0 ? "" : $"[{rule.Packets}:{rule.Bytes}] ")}-A {chain.Name} {rule.Text}";
}
