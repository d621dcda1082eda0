namespace FastPathLb.NodeState;

/// <summary>A node's state while it is put together.</summary>
internal sealed class NodeDraft(string origin, string prefix, DockerState docker)
{
    // In order of their names. A list, since they are few and a sorted dictionary would be compiled as the program starts.
    private readonly List<NamespaceDraft> _namespaces = [];

    private readonly Dictionary<string, string> _leftOut = new(StringComparer.Ordinal);

    public DockerState Docker => docker;

    /// <summary>Sentences about what was inferred.</summary>
    public List<string> Inferred { get; } = [];

    /// <summary>The namespaces, in order of their names.</summary>
    public IReadOnlyCollection<NamespaceDraft> Namespaces => _namespaces;

    /// <summary>The namespace of that name, or null.</summary>
    public NamespaceDraft? Find(string name)
    {
        foreach (NamespaceDraft space in _namespaces)
        {
            if (space.Name == name)
            {
                return space;
            }
        }

        return null;
    }

    /// <summary>Some of the namespaces, in order of their names; others may come and go meanwhile.</summary>
    public List<NamespaceDraft> FindAll(Predicate<NamespaceDraft> match) => _namespaces.FindAll(match);

    /// <summary>The namespace of that name, new if there was none.</summary>
    public NamespaceDraft GetOrAdd(string name)
    {
        int place = 0;
        while (place < _namespaces.Count && string.CompareOrdinal(_namespaces[place].Name, name) < 0)
        {
            place++;
        }

        if (place == _namespaces.Count || _namespaces[place].Name != name)
        {
            _namespaces.Insert(place, new NamespaceDraft(name));
        }

        return _namespaces[place];
    }

    /// <summary>Leaves out a namespace that cannot be completed.</summary>
    public void LeaveOut(NamespaceDraft space, string reason)
    {
        _namespaces.Remove(space);
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
    public NodeState Build()
    {
        Dictionary<string, NamespaceState> namespaces = new(StringComparer.Ordinal);
        foreach (NamespaceDraft space in _namespaces)
        {
            namespaces.Add(space.Name, space.Build());
        }

        return new NodeState
        {
            Origin = prefix.Length == 0 ? origin : $"{origin} ({prefix}*)",
            Namespaces = namespaces,
            LeftOut = _leftOut,
            Inferred = Inferred,
            Docker = docker,
        };
    }

    // The network of "lb" and "overlay": the one that an address there belongs to, else the only one that users made.
    private DockerNetwork? FirstNetwork() =>
        NetworkByAddress("lb", "overlay") ?? (UserNetworks() is [DockerNetwork only] ? only : null);

    private List<DockerNetwork> UserNetworks()
    {
        List<DockerNetwork> networks = [];
        foreach (DockerNetwork network in docker.Networks)
        {
            if (network is { IsOverlay: true, IsIngress: false })
            {
                networks.Add(network);
            }
        }

        return networks;
    }

    // By the devices of either namespace, else by the balancer's SNAT rule.
    private DockerNetwork? NetworkByAddress(string one, string other)
    {
        List<DockerNetwork> networks = UserNetworks();
        if (networks.Count == 0)
        {
            return null;
        }

        foreach (string name in (string[])[one, other])
        {
            foreach (InterfaceState device in Find(name)?.Interfaces ?? [])
            {
                foreach (InterfaceAddress address in device.Addresses)
                {
                    if (networks.Find(network => network.Contains(address.Address)) is { } found)
                    {
                        return found;
                    }
                }
            }
        }

        foreach (RuleState rule in SwarmTables.SourceNatRules(Find(one)?.Iptables ?? IptablesState.Empty))
        {
            if (networks.Find(network => network.Contains(rule.NatAction!.FirstAddress!.Value)) is { } found)
            {
                return found;
            }
        }

        return null;
    }
}
