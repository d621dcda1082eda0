namespace FastPathLb.NodeState;

/// <summary>What a node is set up to do, as dumped or configured: the network namespaces of the data path and Docker's own view.</summary>
/// <remarks>
/// Immutable. Namespaces are keyed by the prefix of their dump files: <c>host</c>, <c>overlay</c>, <c>lb</c>,
/// <c>ingress</c>, <c>ingress-overlay</c>, and <c>lb-NET</c>, <c>overlay-NET</c> for further networks.
/// </remarks>
public sealed record NodeState
{
    private const string Balancer = "lb";
    private const string Overlay = "overlay";
    private const string Ingress = "ingress";

    /// <summary>Folder or file the state was read from.</summary>
    public required string Origin { get; init; }

    /// <summary>The namespaces, by name.</summary>
    public required IReadOnlyDictionary<string, NamespaceState> Namespaces { get; init; }

    /// <summary>Namespaces that had dumps but not enough to be completed, with the reason.</summary>
    public IReadOnlyDictionary<string, string> LeftOut { get; init; } = new Dictionary<string, string>();

    /// <summary>One plain sentence for each thing that was not in the dump and was inferred.</summary>
    public IReadOnlyList<string> Inferred { get; init; } = [];

    /// <summary>Docker's inspects, empty where there were none.</summary>
    public DockerState Docker { get; init; } = DockerState.Empty;

    /// <summary>Services that a hand-written configuration names; of a folder of dumps, Docker's inspects tell the names.</summary>
    public IReadOnlyList<NamedService> NamedServices { get; init; } = [];

    /// <summary>The namespace of that name; an error that names what is missing if there is none.</summary>
#pragma warning disable CA1065 // The user's files are to blame, as everywhere here, and Program prints the message.
    public NamespaceState this[string name] => Namespaces.TryGetValue(name, out NamespaceState? found)
        ? found
        : throw new NodeStateException(LeftOut.TryGetValue(name, out string? reason)
            ? $"{Origin}: namespace '{name}' was left out: {reason}"
            : $"{Origin}: there is no namespace '{name}' (no {name}.* dump, and nothing to infer it from); "
            + $"there is {string.Join(", ", Namespaces.Keys.Order(StringComparer.Ordinal))}");
#pragma warning restore CA1065

    /// <summary>
    /// The same node seen from another of its networks: that network's balancer and bridge are <c>lb</c> and <c>overlay</c>, and those
    /// of further networks are left out.
    /// </summary>
    /// <param name="network">Name of the network; <c>ingress</c> is the routing mesh's.</param>
    /// <exception cref="NodeStateException">The node has no balancer of such a network.</exception>
    public NodeState OfNetwork(string network)
    {
        if (Namespaces.TryGetValue(Balancer, out NamespaceState? first) && FindNetwork(first)?.Name == network)
        {
            return this;
        }

        string name = network == Ingress ? Ingress : $"{Balancer}-{network}";
        string overlayName = network == Ingress ? $"{Ingress}-{Overlay}" : $"{Overlay}-{network}";
        if (!Namespaces.TryGetValue(name, out NamespaceState? balancer))
        {
            throw new NodeStateException(
                $"{Origin}: there is no load balancer of a network '{network}' (no {name}.* dump); "
                + $"there are balancers {string.Join(", ", Namespaces.Keys.Where(IsBalancer).Order(StringComparer.Ordinal))}");
        }

        Dictionary<string, NamespaceState> kept = Namespaces
            .Where(item => !IsBalancer(item.Key) && item.Key != Overlay && !item.Key.StartsWith($"{Overlay}-", StringComparison.Ordinal)
                && item.Key != $"{Ingress}-{Overlay}")
            .ToDictionary(item => item.Key, item => item.Value, StringComparer.Ordinal);
        kept[Balancer] = balancer with { Name = Balancer };
        if (Namespaces.TryGetValue(overlayName, out NamespaceState? overlay))
        {
            kept[Overlay] = overlay with { Name = Overlay };
        }

        return this with { Namespaces = kept };
    }

    private static bool IsBalancer(string name) =>
        name is Balancer or Ingress || name.StartsWith($"{Balancer}-", StringComparison.Ordinal);

    /// <summary>The Docker network that a namespace belongs to: the one whose subnet holds one of its addresses.</summary>
    public DockerNetwork? FindNetwork(NamespaceState space)
    {
        foreach (InterfaceState device in space.Interfaces)
        {
            foreach (InterfaceAddress address in device.Addresses)
            {
                DockerNetwork? network = Docker.FindNetworkOf(address.Address, device.Mac);
                if (network is { IsOverlay: true })
                {
                    return network;
                }
            }
        }

        return null;
    }

    /// <summary>The other end of a veth pair, where exactly one interface in another namespace points back.</summary>
    public (string Namespace, InterfaceState Interface)? FindPeer(string namespaceName, InterfaceState device)
    {
        (string, InterfaceState)? found = null;
        if (device.PeerIndex is null || device.Vxlan is not null)
        {
            return null;
        }

        foreach ((string name, NamespaceState space) in Namespaces)
        {
            if (name == namespaceName)
            {
                continue;
            }

            foreach (InterfaceState other in space.Interfaces)
            {
                if (other.Vxlan is null && other.Index == device.PeerIndex && other.PeerIndex == device.Index)
                {
                    if (found is not null)
                    {
                        return null;
                    }

                    found = (name, other);
                }
            }
        }

        return found;
    }
}
