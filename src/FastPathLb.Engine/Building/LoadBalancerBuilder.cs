using FastPathLb.Balancer;
using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Ipvs.Scheduling;
using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Balancer.Workers;
using FastPathLb.Conntrack;
using FastPathLb.NodeState;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Engine.Building;

/// <summary>Makes a load balancer from a node's state.</summary>
public static class LoadBalancerBuilder
{
    /// <summary>Builds the load balancer of one network.</summary>
    /// <exception cref="NodeStateException">The state lacks what the load balancer cannot do without.</exception>
    public static BuiltLoadBalancer Build(NodeDump node, LoadBalancerOptions options) =>
        Build(node, options, new ConnectionTable(options.Capacity, options.Seed, isShared: false, options.Memory));

    /// <summary>Builds the load balancer of one network for several workers, 1 to <see cref="ConnectionStore.WorkersMax"/>.</summary>
    /// <exception cref="NodeStateException">The state lacks what the load balancer cannot do without.</exception>
    public static BuiltWorkers BuildWorkers(NodeDump node, LoadBalancerOptions options, int workers)
    {
        ConnectionStore store = new(options.Capacity, options.Seed, workers, options.Memory);
        BuiltLoadBalancer[] members = new BuiltLoadBalancer[workers];
        for (int worker = 0; worker < workers; worker++)
        {
            // Each draws ports of its own.
            members[worker] = Build(node, options with { Seed = options.Seed + (ulong)worker }, store.Tables[worker]);
        }

        return new BuiltWorkers(members, new WorkerGroup([.. members.Select(member => member.Balancer)]));
    }

    private static BuiltLoadBalancer Build(NodeDump node, LoadBalancerOptions options, ConnectionTable table)
    {
        List<string> warnings = [];
        NamespaceState state = node[options.NamespaceName];
        NetworkNamespace space = NamespaceBuilder.Build(state, 1, table, options.ServerOrder, warnings);
        space.Translator.PortPolicy = options.PortPolicy;
        space.Translator.Seed = options.Seed;
        space.Neighbors.InfersDockerMacs = !HasNeighborDump(node, options.NamespaceName) && !HasNeighborDump(node, "overlay");
        NetworkInterface device = FindDevice(space, node);
        AdoptOverlayNeighbors(space, node);
        StartRoundRobin(space.Ipvs, options.RoundRobinStart);

        LoadBalancer balancer;
        OverlayNetwork? network = null;
        if (options.AttachPoint == AttachPoint.Underlay)
        {
            (Uplink uplink, network) = BuildTunnel(node, space, device);
            balancer = new LoadBalancer(space, device, uplink);
        }
        else
        {
            balancer = new LoadBalancer(space, device);
        }

        return new BuiltLoadBalancer(balancer, device, network, table, warnings);
    }

    private static NetworkInterface FindDevice(NetworkNamespace space, NodeDump node)
    {
        NetworkInterface? device = NamespaceBuilder.Find(space, "eth0");
        if (device is null && space.Interfaces.Count > 0)
        {
            device = space.Interfaces[0];
        }

        return device ?? throw new NodeStateException(
            $"{node.Origin}: namespace '{space.Name}' has no interface but lo; expected eth0 in {space.Name}.ip-addr.txt");
    }

    /// <summary>Whether the state says which next hops there are: then one that it does not name is not there.</summary>
    private static bool HasNeighborDump(NodeDump node, string name) =>
        node.Namespaces.TryGetValue(name, out NamespaceState? space)
        && space.Neighbors.Any(neighbor => neighbor.State != NeighborState.InferredState);

    /// <summary>What the VXLAN device answers ARP with is what the load balancer's own table will hold.</summary>
    private static void AdoptOverlayNeighbors(NetworkNamespace space, NodeDump node)
    {
        if (!node.Namespaces.TryGetValue("overlay", out NamespaceState? overlay))
        {
            return;
        }

        foreach (NeighborState neighbor in overlay.Neighbors)
        {
            if (neighbor.Mac is { } mac && !space.IsLocalAddress(neighbor.Address.Value))
            {
                space.Neighbors.Set(neighbor.Address.Value, mac);
            }
        }
    }

    internal static void StartRoundRobin(IpvsCore ipvs, int picked)
    {
        foreach (VirtualService service in ipvs.Services)
        {
            if (service.Scheduler is RoundRobinScheduler scheduler && service.Servers.Count > 0 && picked > 0)
            {
                scheduler.ContinueAfter(service.Servers[(picked - 1) % service.Servers.Count]);
            }
        }
    }

    private static (Uplink Uplink, OverlayNetwork Network) BuildTunnel(
        NodeDump node, NetworkNamespace space, NetworkInterface device)
    {
        NamespaceState overlay = node["overlay"];
        InterfaceState vxlan = UplinkBuilder.FindVxlan(overlay)
            ?? throw new NodeStateException(
                $"{node.Origin}: namespace 'overlay' has no VXLAN device; expected one in overlay.ip-addr.txt (ip -d addr)");
        (Uplink uplink, _) = UplinkBuilder.Build(node["host"], vxlan.Vxlan!, node.Origin);
        OverlayNetwork network = new(vxlan.Vxlan!.Vni.Value, uplink, space, device)
        {
            DeviceMac = vxlan.Mac,
            Learns = vxlan.Vxlan.Learning,
            AnswersArp = vxlan.Vxlan.Proxy,
        };
        foreach (FdbEntryState entry in overlay.Fdb)
        {
            if (entry.Destination is { } vtep)
            {
                network.Fdb.Set(entry.Mac, vtep.Value);
            }
        }

        return (uplink, network);
    }
}
