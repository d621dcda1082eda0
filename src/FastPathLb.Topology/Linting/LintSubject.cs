using FastPathLb.NodeState;
using FastPathLb.Wire;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Topology;

/// <summary>What checks look at: a node's files, and a capture where there is one.</summary>
public sealed class LintSubject
{
    internal LintSubject(NodeDump node, string folder, string prefix, CaptureCensus? capture)
    {
        Node = node;
        Swarm = TopologyReader.Read(node);
        Places = new DumpPlaces(folder, prefix);
        Capture = capture;
        Networks =
        [
            .. OverlaySource.Of(node).Zip(Swarm.Networks.Where(network => network.Driver == "overlay"), (source, network) =>
                new LintNetwork(source.Docker, source.Balancer, source.Bridge, network)),
        ];
        SelfAddress = Swarm.Nodes.FirstOrDefault(item => item.IsSelf)?.Address;
    }

    internal NodeDump Node { get; }

    internal SwarmTopology Swarm { get; }

    internal DumpPlaces Places { get; }

    internal CaptureCensus? Capture { get; }

    internal IReadOnlyList<LintNetwork> Networks { get; }

    internal Ipv4Address? SelfAddress { get; }

    internal NamespaceState? Host => Node.Namespaces.GetValueOrDefault("host");

    /// <summary>The device that carries VXLAN.</summary>
    internal InterfaceState? Uplink =>
        Host?.Interfaces.FirstOrDefault(device => device.Addresses.Any(address => address.Address == SelfAddress));
}

/// <summary>One overlay network, with all that tells of it.</summary>
/// <param name="Docker">Docker's inspect.</param>
/// <param name="Balancer">The load balancer's namespace.</param>
/// <param name="Bridge">The namespace of bridge and tunnel.</param>
/// <param name="Topology">What they say together.</param>
internal sealed record LintNetwork(DockerNetwork? Docker, NamespaceState? Balancer, NamespaceState? Bridge, TopologyNetwork Topology)
{
    /// <summary>Tasks that Docker, the forwarding database or the tunnel's neighbours put on other nodes.</summary>
    public IEnumerable<TopologyTask> RemoteTasks()
    {
        foreach (TopologyTask task in Topology.Services.SelectMany(service => service.Tasks).DistinctBy(task => task.Address))
        {
            // Of dumps alone, a task that nothing is known of may just as well run here and have been silent.
            if (Bridge is not null && !task.IsLocal && !IsAtPort(task) && (task.Node is not null || IsNeighborAtTunnel(task)))
            {
                yield return task;
            }
        }
    }

    /// <summary>The MAC of a task, by Docker's rule where nothing tells it.</summary>
    public static MacAddress MacOf(TopologyTask task) => task.Mac ?? MacAddress.FromDocker(task.Address);

    /// <summary>Virtual addresses that rules mark, with their marks.</summary>
    public IEnumerable<(Ipv4Address Address, uint Mark)> MarkedAddresses() =>
        from rule in MarkRules()
        where rule.Destination is { IsNegated: false, Prefix.Length: Ipv4Prefix.LengthMax }
        select (rule.Destination!.Prefix.Address, rule.MarkAction!.Value);

    /// <summary>Rules that give a mark.</summary>
    public IEnumerable<RuleState> MarkRules() =>
        (Balancer?.Iptables.Mangle.Chains ?? []).SelectMany(chain => chain.Rules).Where(rule => rule.MarkAction is { Value: not 0 });

    /// <summary>Addresses of the load balancer's devices.</summary>
    public IEnumerable<(InterfaceState Device, InterfaceAddress Address)> Addresses() =>
        from device in Balancer?.Interfaces ?? []
        where device.Kind != "loopback"
        from address in device.Addresses
        select (device, address);

    private bool IsNeighborAtTunnel(TopologyTask task) =>
        Bridge!.Neighbors.Any(neighbor => neighbor.Address == task.Address && neighbor.IsPermanent);

    private bool IsAtPort(TopologyTask task)
    {
        MacAddress mac = MacOf(task);
        return Bridge!.Fdb.Any(
            entry => entry.Mac == mac && entry.Destination is null && !entry.Device.StartsWith("vxlan", StringComparison.Ordinal));
    }
}
