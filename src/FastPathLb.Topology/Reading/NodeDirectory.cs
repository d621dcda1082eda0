using FastPathLb.NodeState;
using FastPathLb.Wire;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Topology;

/// <summary>Which node has which underlay address: <c>docker info</c> says both of its own node, and tasks tie them together.</summary>
internal sealed class NodeDirectory
{
    private readonly Dictionary<Ipv4Address, DockerNode> _byAddress = [];
    private readonly DockerState _docker;
    private readonly Ipv4Address[] _tunnelEnds;

    public NodeDirectory(NodeDump node)
    {
        _docker = node.Docker;
        _tunnelEnds =
        [
            .. node.Namespaces.Values.SelectMany(space => space.Fdb).Where(entry => !entry.Mac.IsMulticast)
                .Select(entry => entry.Destination).OfType<Ipv4Address>(),
        ];
        SelfAddress = FindSelfAddress(node);
        Tie(_docker.Info?.NodeAddress, _docker.Nodes.FirstOrDefault(other => other.Id == _docker.Info?.NodeId));
        foreach (DockerNetworkTask task in _docker.Networks.SelectMany(network => network.Services).SelectMany(service => service.Tasks))
        {
            Tie(task.HostAddress, NodeOfTask(task.Name));
        }

        foreach (DockerEndpoint endpoint in _docker.Networks.SelectMany(network => network.Endpoints))
        {
            Tie(SelfAddress, NodeOfTask(endpoint.Name));
        }

        foreach (DockerContainer container in _docker.Containers)
        {
            Tie(SelfAddress, _docker.Nodes.FirstOrDefault(other => other.Id == container.NodeId));
        }

        TieWhatIsLeft();
    }

    /// <summary>This node's underlay address; null where nothing tells it.</summary>
    public Ipv4Address? SelfAddress { get; }

    /// <summary>The nodes, this one first.</summary>
    public IReadOnlyList<TopologyNode> Nodes
    {
        get
        {
            List<TopologyNode> nodes = [];
            foreach (Ipv4Address address in Addresses())
            {
                DockerNode? known = _byAddress.GetValueOrDefault(address);
                nodes.Add(NodeOf(known, address, address == SelfAddress));
            }

            if (SelfAddress is null)
            {
                nodes.Insert(0, NodeOf(_docker.Nodes.FirstOrDefault(other => other.IsSelf), null, isSelf: true));
            }

            nodes.AddRange(
                _docker.Nodes.Where(known => nodes.TrueForAll(node => node.Id != known.Id)).Select(known => NodeOf(known, null, false)));
            return nodes;
        }
    }

    /// <summary>Name of the node with an underlay address; null: this node.</summary>
    public string NameOf(Ipv4Address? address) =>
        (address ?? SelfAddress) is not { } known ? "this node"
        : _byAddress.TryGetValue(known, out DockerNode? node) ? node.HostName
        : known.ToString();

    private static TopologyNode NodeOf(DockerNode? node, Ipv4Address? address, bool isSelf) => new()
    {
        Name = node?.HostName ?? address?.ToString() ?? "this node",
        Id = node?.Id ?? "",
        Address = address,
        IsSelf = isSelf,
        Status = node?.Status ?? "",
        Availability = node?.Availability ?? "",
        ManagerStatus = node?.ManagerStatus ?? "",
        EngineVersion = node?.EngineVersion ?? "",
    };

    private static Ipv4Address? FindSelfAddress(NodeDump node)
    {
        if (node.Docker.Info?.NodeAddress is { } told)
        {
            return told;
        }

        if (!node.Namespaces.TryGetValue("host", out NamespaceState? host))
        {
            return null;
        }

        InterfaceAddress[] own = [.. host.Interfaces.SelectMany(device => device.Addresses).Where(address => address.Scope == "global")];
        DockerPeer? peer = node.Docker.Networks.SelectMany(network => network.Peers)
            .FirstOrDefault(item => own.Any(address => address.Address == item.Address));
        return peer?.Address
            ?? host.Interfaces.FirstOrDefault(
                device => device is { Kind: "ether" or "veth", Master: null, Addresses.Count: > 0 })?.Addresses[0].Address
            ?? own.FirstOrDefault()?.Address;
    }

    private IEnumerable<Ipv4Address> Addresses()
    {
        IEnumerable<Ipv4Address> peers = _docker.Networks.SelectMany(network => network.Peers).Select(peer => peer.Address);
        IEnumerable<Ipv4Address> hosts = _docker.Networks.SelectMany(network => network.Services).SelectMany(service => service.Tasks)
            .Select(task => task.HostAddress).OfType<Ipv4Address>();
        IEnumerable<Ipv4Address> all = peers.Concat(hosts).Concat(_tunnelEnds).Distinct().Where(address => address != SelfAddress).Order();
        return SelfAddress is { } self ? all.Prepend(self) : all;
    }

    private void Tie(Ipv4Address? address, DockerNode? node)
    {
        if (address is { } known && node is not null)
        {
            _byAddress.TryAdd(known, node);
        }
    }

    // "web.1.mc5seird2uab95ojhim0biikn": the task's identifier is the name's last part, and lists shorten it.
    private DockerNode? NodeOfTask(string taskName)
    {
        string id = taskName[(taskName.LastIndexOf('.') + 1)..];
        string? nodeId = _docker.Tasks.FirstOrDefault(task => task.Id == id)?.NodeId
            ?? _docker.Containers.FirstOrDefault(container => container.TaskId == id)?.NodeId;
        string? name = _docker.ListedTasks.FirstOrDefault(task => id.StartsWith(task.Id, StringComparison.Ordinal))?.NodeName;
        return _docker.Nodes.FirstOrDefault(node => node.Id == nodeId || node.HostName == name);
    }

    // One node and one address without each other belong together.
    private void TieWhatIsLeft()
    {
        DockerNode[] nodes = [.. _docker.Nodes.Where(node => !_byAddress.ContainsValue(node))];
        Ipv4Address[] addresses = [.. Addresses().Where(address => !_byAddress.ContainsKey(address))];
        if (nodes.Length == 1 && addresses.Length == 1)
        {
            _byAddress[addresses[0]] = nodes[0];
        }
    }
}
