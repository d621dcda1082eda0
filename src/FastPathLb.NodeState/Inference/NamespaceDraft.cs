namespace FastPathLb.NodeState;

/// <summary>A namespace while it is put together; what is null was not dumped.</summary>
internal sealed class NamespaceDraft(string name)
{
    public string Name => name;

    public IReadOnlyList<InterfaceState>? Interfaces { get; set; }

    public IReadOnlyList<NeighborState>? Neighbors { get; set; }

    public IReadOnlyList<RouteState>? Routes { get; set; }

    public IReadOnlyList<FdbEntryState>? Fdb { get; set; }

    public IptablesState? Iptables { get; set; }

    public IReadOnlyList<IpvsServiceState>? Services { get; set; }

    public bool IsOrderKnown { get; set; }

    public IpvsTimeouts? Timeouts { get; set; }

    public IReadOnlyDictionary<string, string>? Sysctls { get; set; }

    /// <summary>Whether it balances load: the <c>lb</c> namespaces and the ingress sandbox.</summary>
    public bool IsBalancer => name is "lb" or "ingress" || name.StartsWith("lb-", StringComparison.Ordinal);

    /// <summary>Whether it is a network's bridge and tunnel.</summary>
    public bool IsOverlay => name is "overlay" or "ingress-overlay" || name.StartsWith("overlay-", StringComparison.Ordinal);

    /// <summary>Name of the namespace with the bridge that this balancer is a port of.</summary>
    public string OverlayName => name == "ingress" ? "ingress-overlay" : name == "lb" ? "overlay" : $"overlay-{name["lb-".Length..]}";

    /// <summary>Name of the balancer at this bridge.</summary>
    public string BalancerName => name == "ingress-overlay" ? "ingress" : name == "overlay" ? "lb" : $"lb-{name["overlay-".Length..]}";

    /// <summary>The state; what is still null is empty.</summary>
    public NamespaceState Build() => new()
    {
        Name = name,
        Interfaces = Interfaces ?? [],
        Neighbors = Neighbors ?? [],
        Routes = Routes ?? [],
        Fdb = Fdb ?? [],
        Iptables = Iptables ?? IptablesState.Empty,
        IpvsServices = Services ?? [],
        IpvsOrderKnown = Services is not null && IsOrderKnown,
        IpvsTimeouts = Timeouts,
        Sysctls = Sysctls ?? new Dictionary<string, string>(),
    };
}
