using FastPathLb.Balancer.Node;
using FastPathLb.Balancer.Stack;
using FastPathLb.Balancer.Tunnel;
using FastPathLb.Conntrack;
using FastPathLb.NodeState;
using FastPathLb.Wire;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Engine.Building;

/// <summary>Makes a whole node from its state: the host, each network's bridge and load balancer, docker_gwbridge, and its tasks'
/// ends.</summary>
public sealed class SwarmNodeBuilder
{
    private const string GatewayBridge = "docker_gwbridge";

    // Beyond any number of networks.
    private const int FirstTaskNumber = 0x8000;

    private readonly NodeDump _state;
    private readonly LoadBalancerOptions _options;
    private readonly List<string> _warnings = [];
    private readonly List<ConnectionTable> _tables = [];
    private readonly Dictionary<string, NodeBridge> _overlays = new(StringComparer.Ordinal);

    private int _taskTable = -1;
    private int _taskCount;

    private SwarmNodeBuilder(NodeDump state, LoadBalancerOptions options)
    {
        _state = state;
        _options = options;
    }

    /// <summary>Builds a node.</summary>
    /// <exception cref="NodeStateException">The state lacks the host, or any network's tunnel.</exception>
    public static BuiltNode Build(NodeDump state, LoadBalancerOptions options) => new SwarmNodeBuilder(state, options).Build();

    private BuiltNode Build()
    {
        (NamespaceState Space, InterfaceState Vxlan)[] overlays =
        [
            .. _state.Namespaces.Values.Select(space => (space, UplinkBuilder.FindVxlan(space)))
                .Where(item => item.Item2 is not null).Select(item => (item.space, item.Item2!)),
        ];
        if (overlays.Length == 0)
        {
            throw new NodeStateException(
                $"{_state.Origin}: no network has a VXLAN device; expected one in overlay.ip-addr.txt or ingress-overlay.ip-addr.txt "
                    + $"(ip -d addr)");
        }

        NetworkNamespace host = BuildSpace("host");
        host.HasUnknownListeners = true;
        (Uplink uplink, InterfaceState card) = UplinkBuilder.Build(_state["host"], overlays[0].Vxlan.Vxlan!, _state.Origin);
        SwarmNode node = new(host, NamespaceBuilder.Find(host, card.Name)!, uplink);
        foreach ((NamespaceState space, InterfaceState vxlan) in overlays)
        {
            if (vxlan.Vxlan!.DestinationPort != uplink.Port)
            {
                _warnings.Add(
                    $"{space.Name} has VXLAN on UDP port {vxlan.Vxlan.DestinationPort}: it is left out, for {uplink.Port} is the others'");
                continue;
            }

            AddOverlay(node, space, vxlan);
        }

        AddGatewayBridge(node, host);
        return new BuiltNode(node, _tables, _overlays, _warnings);
    }

    // Each namespace has a table of its own: entries end by their namespace's rules.
    private NetworkNamespace BuildSpace(string name)
    {
        NamespaceState state = _state[name];
        ConnectionTable table = new(_options.Capacity, _options.Seed);
        _tables.Add(table);
        NetworkNamespace space = NamespaceBuilder.Build(state, (ushort)_tables.Count, table, _options.ServerOrder, _warnings);
        space.Translator.PortPolicy = _options.PortPolicy;
        space.Translator.Seed = _options.Seed;
        LoadBalancerBuilder.StartRoundRobin(space.Ipvs, _options.RoundRobinStart);
        return space;
    }

    private void AddOverlay(SwarmNode node, NamespaceState state, InterfaceState vxlan)
    {
        DockerNetwork? network = _state.FindNetwork(state);
        string name = network?.Name ?? state.Name;
        NodeBridge bridge = node.AddOverlay(
            name, vxlan.Vxlan!.Vni.Value, vxlan.Mac, vxlan.Vxlan.Learning, vxlan.Vxlan.Proxy);
        _overlays.Add(state.Name, bridge);
        foreach (FdbEntryState entry in state.Fdb.Where(entry => entry.Destination is not null))
        {
            bridge.Fdb!.Set(entry.Mac, entry.Destination!.Value.Value);
        }

        foreach (NeighborState neighbor in state.Neighbors.Where(neighbor => neighbor.Mac is not null))
        {
            bridge.Neighbors!.Set(neighbor.Address.Value, neighbor.Mac!.Value);
        }

        string balancer = state.Name switch
        {
            "overlay" => "lb",
            "ingress-overlay" => "ingress",
            _ => state.Name.Replace("overlay-", "lb-", StringComparison.Ordinal),
        };
        if (_state.Namespaces.ContainsKey(balancer))
        {
            NetworkNamespace space = BuildSpace(balancer);
            Plug(node, bridge, space, network?.Subnets is [DockerSubnet subnet, ..] ? subnet.Subnet : null);
            AddNeighbors(space, state.Neighbors.Select(neighbor => (neighbor.Address, neighbor.Mac)));
            AddNeighbors(space, (network?.Endpoints ?? []).Select(endpoint => (endpoint.Address, (MacAddress?)endpoint.Mac)));
        }

        AddTasks(node, bridge, network, vxlan.Mtu);
        AddHeardTasks(node, bridge, state, name);
    }

    // Without an inspect of the network its bridge tells who was heard at its ports, and Docker makes MACs of addresses.
    private static void AddHeardTasks(SwarmNode node, NodeBridge bridge, NamespaceState state, string network)
    {
        foreach (FdbEntryState entry in state.Fdb)
        {
            bool isAtPort = entry is { Destination: null, IsPermanent: false, Master: not null }
                && state.Interfaces.FirstOrDefault(device => device.Name == entry.Device) is { Vxlan: null };
            Ipv4Address address = new((uint)entry.Mac.Value);
            if (isAtPort && MacAddress.FromDocker(address) == entry.Mac && node.Ports.All(port => port.Mac != entry.Mac))
            {
                node.PlugTask(bridge, $"{address}@{network}", entry.Mac, address);
            }
        }
    }

    private static void Plug(SwarmNode node, NodeBridge bridge, NetworkNamespace space, Ipv4Prefix? subnet)
    {
        NetworkInterface? device = space.Interfaces.FirstOrDefault(item =>
            subnet is { } known && item.Addresses.Any(address => known.Contains(address.Address)))
            ?? NamespaceBuilder.Find(space, "eth0");
        if (device is not null)
        {
            node.Plug(bridge, space, device, $"{space.Name}-{device.Name}");
        }
    }

    private void AddGatewayBridge(SwarmNode node, NetworkNamespace host)
    {
        if (NamespaceBuilder.Find(host, GatewayBridge) is not { } device)
        {
            return;
        }

        // dockerd sets route_localnet on its bridges, so that callers on 127.0.0.1 get their answers.
        device.RoutesLoopback = true;
        NodeBridge bridge = node.AddHostBridge(device);
        DockerNetwork? network = _state.Docker.FindNetwork(GatewayBridge);
        NetworkNamespace? sandbox = node.Spaces.FirstOrDefault(space => space.Name == "ingress");
        NetworkInterface? end = sandbox?.Interfaces.FirstOrDefault(item =>
            item.Addresses.Any(address => device.Addresses.Any(own => own.Contains(address.Address))));
        if (sandbox is not null && end is not null)
        {
            node.Plug(bridge, sandbox, end, $"{sandbox.Name}-{end.Name}");
            AddNeighbors(host, end.Addresses.Select(address => (address.Address, (MacAddress?)end.Mac)));
            AddNeighbors(sandbox, device.Addresses.Select(address => (address.Address, (MacAddress?)device.Mac)));
        }

        AddNeighbors(host, (network?.Endpoints ?? []).Select(endpoint => (endpoint.Address, (MacAddress?)endpoint.Mac)));
        AddTasks(node, bridge, network, device.MtuBytes);
    }

    private void AddTasks(SwarmNode node, NodeBridge bridge, DockerNetwork? network, int mtuBytes)
    {
        foreach (DockerEndpoint endpoint in (network?.Endpoints ?? []).Where(endpoint => !endpoint.IsLoadBalancer))
        {
            string name = $"{endpoint.Name}@{network!.Name}";
            NetworkNamespace? inside = TaskRules.Find(_state, network, endpoint) is { } rules
                ? BuildTaskSpace(name, endpoint, rules, mtuBytes)
                : null;
            node.PlugTask(bridge, name, endpoint.Mac, endpoint.Address, inside);
        }
    }

    // All tasks' namespaces have the same timeouts, so that they share a table.
    private NetworkNamespace BuildTaskSpace(string name, DockerEndpoint endpoint, IptablesState rules, int mtuBytes)
    {
        if (_taskTable < 0)
        {
            _taskTable = _tables.Count;
            _tables.Add(new ConnectionTable(_options.Capacity, _options.Seed));
        }

        _taskCount++;
        NetworkNamespace space = new(name, (ushort)(FirstTaskNumber + _taskCount), _tables[_taskTable]) { ForwardsPackets = false };
        NetworkInterface device = new("eth0", 0, endpoint.Mac, mtuBytes);
        space.AddInterface(device);
        space.AddAddress(device, new Ipv4Prefix(endpoint.Address, endpoint.PrefixLength));
        RuleCompiler.Fill(space.Mangle, rules.Mangle, _warnings);
        RuleCompiler.Fill(space.Translator.Table, rules.Nat, _warnings);
        RuleCompiler.Fill(space.Filter, rules.Filter, _warnings);
        return space;
    }

    // What ARP told in the meantime, or will at the first packet; nobody's own addresses.
    private static void AddNeighbors(NetworkNamespace space, IEnumerable<(Ipv4Address Address, MacAddress? Mac)> neighbors)
    {
        foreach ((Ipv4Address address, MacAddress? mac) in neighbors)
        {
            if (mac is { } known && !space.IsLocalAddress(address.Value) && !space.Neighbors.Entries.ContainsKey(address.Value))
            {
                space.Neighbors.Set(address.Value, known);
            }
        }
    }
}
