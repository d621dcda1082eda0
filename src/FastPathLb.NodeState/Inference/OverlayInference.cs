using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Fills what the dumps of a network's bridge and tunnel lack.</summary>
internal sealed class OverlayInference(NodeDraft node, NamespaceDraft space)
{
    private const int BridgeIndex = 2;
    private const int TunnelIndex = 3;

    private readonly DockerNetwork? _network = node.NetworkOf(space);

    // One for all networks of a swarm.
    private readonly int _port = node.Docker.Info?.DataPathPort ?? VxlanState.DefaultPort;

    /// <summary>Does all of it; <paramref name="local"/> is the node's underlay address, where known.</summary>
    public void Complete(Ipv4Address? local)
    {
        if (space.Interfaces is null)
        {
            InferInterfaces();
        }
        else
        {
            CompleteTunnel();
        }

        string tunnel = FindTunnel()?.Name ?? "vxlan0";
        space.Routes ??= SwarmDevices.OnLinkRoutes(space.Interfaces!);
        if (space.Fdb is null)
        {
            InferFdb(tunnel, local);
        }

        if (space.Neighbors is null)
        {
            InferNeighbors(tunnel, local);
        }
    }

    private InterfaceState? FindTunnel()
    {
        foreach (InterfaceState device in space.Interfaces!)
        {
            if (device.Vxlan is not null)
            {
                return device;
            }
        }

        return null;
    }

    private void Say(string kind, string what) => node.Inferred.Add($"{node.FileOf(space, kind)} is missing: {what}.");

    private Vni FindVni(string file)
    {
        if (_network is null || _network.Vnis.Count == 0)
        {
            throw node.Problem($"{file}, and no network-inspect.NET.json tells the VNI");
        }

        // One VNI for each subnet: the one of the balancer's address.
        List<InterfaceAddress> addresses = [.. (node.Find(space.BalancerName)?.Interfaces ?? []).SelectMany(device => device.Addresses)];
        for (int index = 0; index < Math.Min(_network.Subnets.Count, _network.Vnis.Count); index++)
        {
            if (addresses.Exists(address => _network.Subnets[index].Subnet.Contains(address.Address)))
            {
                return _network.Vnis[index];
            }
        }

        return _network.Vnis[0];
    }

    private void InferInterfaces()
    {
        Vni vni = FindVni($"{node.FileOf(space, "ip-addr")} is missing");
        InterfaceState? balancer = SwarmDevices.Uplink(node.Find(space.BalancerName)?.Interfaces ?? []);
        int mtu = balancer?.Mtu ?? SwarmDevices.MtuOf(_network);
        Ipv4Prefix? gateway = _network!.Subnets.Count > 0 && _network.Subnets[0].Gateway is { } address
            ? new Ipv4Prefix(address, _network.Subnets[0].Subnet.Length)
            : null;
        MacAddress bridgeMac = MacAddress.FromDocker(gateway?.Address ?? default);
        int port = balancer?.PeerIndex ?? BalancerInference.BridgePortIndex;
        List<InterfaceState> devices =
        [
            SwarmDevices.Loopback,
            SwarmDevices.Bridge(BridgeIndex, bridgeMac, mtu, gateway),
            SwarmDevices.Tunnel(TunnelIndex, SwarmDevices.StandInMac(vni), mtu, new VxlanState { Vni = vni, DestinationPort = _port }),
            SwarmDevices.Port(port, "veth0", balancer?.Index, bridgeMac, mtu) with { Master = "br0" },
        ];
        int next = Math.Max(port, BalancerInference.BridgePortIndex);
        foreach (DockerEndpoint endpoint in LocalTasks())
        {
            next++;
            devices.Add(SwarmDevices.Port(next, $"veth{devices.Count - 3}", null, bridgeMac, mtu) with { Master = "br0" });
        }

        space.Interfaces = devices;
        Say(
            "ip-addr",
            $"br0{(gateway is null ? "" : $" has {gateway}")} and vxlan0 VNI {vni}, port {_port}; "
            + "their MACs are stand-ins");
    }

    // "ip addr" without -d shows the tunnel's name but not its settings.
    private void CompleteTunnel()
    {
        if (FindTunnel() is not null)
        {
            return;
        }

        string file = node.FileOf(space, "ip-addr");
        InterfaceState tunnel = space.Interfaces!.FirstOrDefault(device => device.Name.StartsWith("vxlan", StringComparison.Ordinal))
            ?? throw node.Problem($"{file} shows no vxlan device");
        Vni vni = FindVni($"{file} was made without -d and shows no VXLAN settings");
        space.Interfaces = [.. space.Interfaces!.Select(device => device == tunnel
            ? device with { Kind = "vxlan", Vxlan = new VxlanState { Vni = vni, DestinationPort = _port } }
            : device)];
        node.Inferred.Add($"{file} was made without -d: {tunnel.Name} has VNI {vni}, port {_port} and Swarm's settings.");
    }

    private IEnumerable<DockerEndpoint> LocalTasks() => _network?.Endpoints.Where(endpoint => !endpoint.IsLoadBalancer) ?? [];

    // Endpoints on other nodes with their node's address, by the verbose inspect.
    private IEnumerable<(Ipv4Address Address, Ipv4Address Host)> RemoteTasks(Ipv4Address? local)
    {
        HashSet<Ipv4Address> seen = [];
        foreach (DockerNetworkTask task in _network?.Services.SelectMany(service => service.Tasks) ?? [])
        {
            if (task.HostAddress is { } host
                && host != local
                && !_network!.Endpoints.Any(own => own.Address == task.Address)
                && seen.Add(task.Address))
            {
                yield return (task.Address, host);
            }
        }
    }

    private void InferFdb(string tunnel, Ipv4Address? local)
    {
        List<FdbEntryState> entries = [];
        foreach ((Ipv4Address address, Ipv4Address host) in RemoteTasks(local))
        {
            entries.Add(new FdbEntryState(MacAddress.FromDocker(address), tunnel, host, null, IsPermanent: true, IsSelf: true, null));
        }

        Ipv4Address[] peers = [.. (_network?.Peers ?? []).Select(peer => peer.Address).Where(address => address != local)];
        foreach (NeighborState neighbor in space.Neighbors ?? [])
        {
            if (neighbor.Mac is not { } mac || !neighbor.IsPermanent || entries.Exists(entry => entry.Mac == mac))
            {
                continue;
            }

            if (peers.Length != 1 || local is null)
            {
                throw node.Problem(
                    $"{node.FileOf(space, "bridge-fdb")} is missing, and nothing tells which node {neighbor.Address} is on: "
                    + "a network-inspect-v.NET.json would");
            }

            entries.Add(new FdbEntryState(mac, tunnel, peers[0], null, IsPermanent: true, IsSelf: true, null));
        }

        int remote = entries.Count;
        int port = 0;
        foreach (DockerEndpoint endpoint in LocalTasks())
        {
            port++;
            if (space.Interfaces!.Any(device => device.Name == $"veth{port}"))
            {
                entries.Add(new FdbEntryState(endpoint.Mac, $"veth{port}", null, null, IsPermanent: false, IsSelf: false, "br0"));
            }
        }

        space.Fdb = entries;
        Say("bridge-fdb", remote == 0
            ? "no endpoint on another node is known"
            : $"{string.Join(", ", entries.Take(remote).Select(entry => $"{entry.Mac} is behind {entry.Destination}"))}");
    }

    private void InferNeighbors(string tunnel, Ipv4Address? local)
    {
        SortedDictionary<Ipv4Address, MacAddress> known = [];
        foreach (FdbEntryState entry in space.Fdb!)
        {
            if (entry.Destination is not null && SwarmDevices.AddressOf(entry.Mac) is { } address)
            {
                known[address] = entry.Mac;
            }
        }

        foreach ((Ipv4Address address, _) in RemoteTasks(local))
        {
            known[address] = MacAddress.FromDocker(address);
        }

        // The tunnel answers ARP from permanent entries only.
        space.Neighbors = [.. known.Select(item => new NeighborState(item.Key, tunnel, item.Value, "PERMANENT"))];
        Say("ip-neigh", known.Count == 0
            ? "no neighbour is known"
            : $"{tunnel} answers ARP for {string.Join(", ", known.Keys)}, by Docker's rule for MACs");
    }
}
