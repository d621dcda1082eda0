using System.Security.Cryptography;
using FastPathLb.Balancer;
using FastPathLb.Engine.Building;
using FastPathLb.NodeState;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Live.Running;

/// <summary>Makes a load balancer that is a host on a real network.</summary>
internal static class LiveBuilder
{
    /// <summary>Builds it for one worker.</summary>
    /// <exception cref="NodeStateException">The state lacks what it cannot do without.</exception>
    public static BuiltLoadBalancer Build(NodeDump node, LoadBalancerOptions options) =>
        BeHost(LoadBalancerBuilder.Build(WithoutGuesses(node, options.AttachPoint), options), DrawSeed());

    /// <summary>Builds it for a number of workers.</summary>
    /// <exception cref="NodeStateException">The state lacks what it cannot do without.</exception>
    public static LiveMembers Build(NodeDump node, LoadBalancerOptions options, int workers)
    {
        if (workers == 1)
        {
            return new LiveMembers(Build(node, options));
        }

        BuiltWorkers built = LoadBalancerBuilder.BuildWorkers(WithoutGuesses(node, options.AttachPoint), options, workers);

        // One seed: an answer to one is an answer to all, and lasts as long for each.
        ulong seed = DrawSeed();
        foreach (BuiltLoadBalancer member in built.Members)
        {
            BeHost(member, seed);
        }

        return new LiveMembers(built);
    }

    private static ulong DrawSeed() => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));

    private static BuiltLoadBalancer BeHost(BuiltLoadBalancer built, ulong seed)
    {
        if (built.Network is { } network)
        {
            // Behind the tunnel dockerd's entries are for good.
            network.Uplink.SpeaksArp = true;
            network.Uplink.AgeNeighbors(seed);
        }
        else
        {
            built.Namespace.Neighbors.InfersDockerMacs = false;
            built.Namespace.AgeNeighbors(built.Device, seed);
        }

        return built;
    }

    /// <summary>
    /// The state without hardware addresses that were only inferred by Docker's rule, where the link can be asked for the real ones. Behind a
    /// tunnel it cannot: there dockerd's permanent entries stand in, and so does the rule.
    /// </summary>
    public static NodeDump WithoutGuesses(NodeDump node, AttachPoint attachPoint)
    {
        Dictionary<string, NamespaceState> spaces = [];
        foreach ((string name, NamespaceState space) in node.Namespaces)
        {
            bool isAsked = name == "host" || attachPoint == AttachPoint.Overlay;
            spaces[name] = isAsked
                ? space with { Neighbors = [.. space.Neighbors.Where(known => known.State != NeighborState.InferredState)] }
                : space;
        }

        return node with { Namespaces = spaces };
    }

    /// <summary>The VTEPs that the state names.</summary>
    public static IReadOnlyList<uint> VtepsOf(NodeDump node) =>
        node.Namespaces.TryGetValue("overlay", out NamespaceState? overlay)
            ? [.. overlay.Fdb.Where(entry => entry.Destination is not null).Select(entry => entry.Destination!.Value.Value).Distinct()]
            : [];
}
