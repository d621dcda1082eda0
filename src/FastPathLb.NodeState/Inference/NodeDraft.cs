using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>A node's state while it is put together.</summary>
internal sealed class NodeDraft(string origin, string prefix, DockerState docker)
{
    private readonly SortedDictionary<string, NamespaceDraft> _namespaces = new(StringComparer.Ordinal);

    private readonly Dictionary<string, string> _leftOut = new(StringComparer.Ordinal);

    public DockerState Docker => docker;

    /// <summary>Sentences about what was inferred.</summary>
    public List<string> Inferred { get; } = [];

    /// <summary>The namespaces, in order of their names.</summary>
    public IReadOnlyCollection<NamespaceDraft> Namespaces => _namespaces.Values;

    /// <summary>The namespace of that name, or null.</summary>
    public NamespaceDraft? Find(string name) => _namespaces.GetValueOrDefault(name);

    /// <summary>The namespace of that name, new if there was none.</summary>
    public NamespaceDraft GetOrAdd(string name)
    {
        if (!_namespaces.TryGetValue(name, out NamespaceDraft? space))
        {
            space = new NamespaceDraft(name);
            _namespaces.Add(name, space);
        }

        return space;
    }

    /// <summary>Leaves out a namespace that cannot be completed.</summary>
    public void LeaveOut(NamespaceDraft space, string reason)
    {
        _namespaces.Remove(space.Name);
        _leftOut[space.Name] = reason;
        Inferred.Add($"{space.Name} is left out: {reason}.");
    }

    /// <summary>Name of a dump file, for a sentence.</summary>
    public string FileOf(NamespaceDraft space, string kind) => $"{prefix}{space.Name}.{kind}.txt";

    /// <summary>An error about the whole dump.</summary>
    public NodeStateException Problem(string problem) => new($"{origin}: {problem}") { Problem = problem };

    /// <summary>The Docker network of a balancer or a bridge, or null.</summary>
    public DockerNetwork? NetworkOf(NamespaceDraft space)
    {
        if (space.Name is "ingress" or "ingress-overlay")
        {
            return docker.Networks.FirstOrDefault(network => network.IsIngress) ?? docker.FindNetwork("ingress");
        }

        int dash = space.Name.IndexOf('-', StringComparison.Ordinal);
        string partner = space.IsBalancer ? space.OverlayName : space.BalancerName;
        return dash > 0
            ? docker.FindNetwork(space.Name[(dash + 1)..]) ?? NetworkByAddress(space.Name, partner)
            : FirstNetwork();
    }

    /// <summary>The state.</summary>
    public NodeState Build() => new()
    {
        Origin = prefix.Length == 0 ? origin : $"{origin} ({prefix}*)",
        Namespaces = _namespaces.ToDictionary(item => item.Key, item => item.Value.Build(), StringComparer.Ordinal),
        LeftOut = _leftOut,
        Inferred = Inferred,
        Docker = docker,
    };

    // The network of "lb" and "overlay": the one that an address there belongs to, else the only one that users made.
    private DockerNetwork? FirstNetwork() =>
        NetworkByAddress("lb", "overlay") ?? (UserNetworks() is [DockerNetwork only] ? only : null);

    private DockerNetwork[] UserNetworks() => [.. docker.Networks.Where(network => network is { IsOverlay: true, IsIngress: false })];

    // By the devices of either namespace, else by the balancer's SNAT rule.
    private DockerNetwork? NetworkByAddress(string one, string other)
    {
        DockerNetwork[] networks = UserNetworks();
        IptablesState iptables = Find(one)?.Iptables ?? IptablesState.Empty;
        IEnumerable<Ipv4Address> translated = SwarmTables.SourceNatRules(iptables).Select(rule => rule.NatAction!.FirstAddress!.Value);
        IEnumerable<Ipv4Address> addresses = ((string[])[one, other])
            .SelectMany(name => Find(name)?.Interfaces ?? [])
            .SelectMany(device => device.Addresses)
            .Select(address => address.Address)
            .Concat(translated);
        foreach (Ipv4Address address in addresses)
        {
            if (Array.Find(networks, network => network.Contains(address)) is { } found)
            {
                return found;
            }
        }

        return null;
    }
}
