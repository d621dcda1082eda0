using FastPathLb.NodeState;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Topology;

/// <summary>What tells of one overlay network: Docker's inspect, the load balancer's namespace, the bridge's; each may lack.</summary>
/// <param name="Name">The network's name.</param>
/// <param name="Docker">Docker's inspect.</param>
/// <param name="Balancer">The load balancer's namespace.</param>
/// <param name="Bridge">The namespace with the bridge and the tunnel.</param>
internal sealed record OverlaySource(string Name, DockerNetwork? Docker, NamespaceState? Balancer, NamespaceState? Bridge)
{
    /// <summary>The networks of a node, the routing mesh's first.</summary>
    public static IReadOnlyList<OverlaySource> Of(NodeDump node)
    {
        List<OverlaySource> sources = [];
        foreach ((string balancer, string bridge) in Names(node))
        {
            NamespaceState? balancerSpace = node.Namespaces.GetValueOrDefault(balancer);
            NamespaceState? bridgeSpace = node.Namespaces.GetValueOrDefault(bridge);
            DockerNetwork? network = FindNetwork(node, balancer, balancerSpace, bridgeSpace);
            sources.Add(new OverlaySource(network?.Name ?? PlainName(balancer), network, balancerSpace, bridgeSpace));
        }

        foreach (DockerNetwork network in node.Docker.Networks.Where(item => item.IsOverlay))
        {
            if (!sources.Exists(source => source.Docker == network))
            {
                sources.Add(new OverlaySource(network.Name, network, null, null));
            }
        }

        return [.. sources.OrderByDescending(source => source.Docker is { IsIngress: true } || source.Name == "ingress")];
    }

    private static IEnumerable<(string Balancer, string Bridge)> Names(NodeDump node)
    {
        SortedSet<string> balancers = new(StringComparer.Ordinal);
        foreach (string name in node.Namespaces.Keys)
        {
            string? balancer = name switch
            {
                "ingress" or "ingress-overlay" => "ingress",
                "lb" or "overlay" => "lb",
                _ when name.StartsWith("lb-", StringComparison.Ordinal) => name,
                _ when name.StartsWith("overlay-", StringComparison.Ordinal) => $"lb-{name["overlay-".Length..]}",
                _ => null,
            };
            if (balancer is not null)
            {
                balancers.Add(balancer);
            }
        }

        foreach (string balancer in balancers)
        {
            yield return (balancer, balancer switch
            {
                "ingress" => "ingress-overlay",
                "lb" => "overlay",
                _ => $"overlay-{balancer["lb-".Length..]}",
            });
        }
    }

    private static DockerNetwork? FindNetwork(NodeDump node, string balancer, NamespaceState? balancerSpace, NamespaceState? bridgeSpace)
    {
        if (balancer == "ingress")
        {
            return node.Docker.Networks.FirstOrDefault(network => network.IsIngress) ?? node.Docker.FindNetwork("ingress");
        }

        return (balancerSpace is null ? null : node.FindNetwork(balancerSpace))
            ?? (bridgeSpace is null ? null : node.FindNetwork(bridgeSpace))
            ?? (balancer == "lb" ? null : node.Docker.FindNetwork(balancer["lb-".Length..]));
    }

    private static string PlainName(string balancer) => balancer switch
    {
        "ingress" => "ingress",
        "lb" => "overlay",
        _ => balancer["lb-".Length..],
    };
}
