using FastPathLb.NodeState;
using FastPathLb.Wire;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Topology;

/// <summary>Reads one overlay network out of all files that tell of it.</summary>
internal sealed class NetworkReader(NodeDump node, NodeDirectory directory, OverlaySource source)
{
    private readonly InterfaceState? _tunnel = source.Bridge?.Interfaces.FirstOrDefault(device => device.Vxlan is not null);

    /// <summary>The network.</summary>
    public TopologyNetwork Read()
    {
        IReadOnlyList<TopologyService> services = [.. ReadServices()];
        TopologyTask[] tasks = [.. services.SelectMany(service => service.Tasks)];
        IReadOnlyList<BalancerEndpoint> balancers = ReadBalancers(tasks);
        return new TopologyNetwork
        {
            Name = source.Name,
            Id = source.Docker?.Id ?? "",
            Driver = "overlay",
            Vni = _tunnel?.Vxlan!.Vni ?? (source.Docker is { Vnis: [Vni first, ..] } ? first : null),
            VxlanPort = _tunnel?.Vxlan!.DestinationPort,
            Subnet = Subnet(),
            Gateway = BridgeAddress()?.Address ?? (source.Docker is { Subnets: [DockerSubnet subnet, ..] } ? subnet.Gateway : null),
            MtuBytes = _tunnel?.Mtu ?? BalancerDevice()?.Mtu ?? source.Docker?.Mtu,
            IsIngress = source.Docker?.IsIngress ?? source.Name == "ingress",
            IsEncrypted = source.Docker is { IsEncrypted: true },
            IsDirectReturn = source.Docker is { IsDirectReturn: true }
                || (source.Balancer?.IpvsServices ?? []).SelectMany(service => service.Servers)
                    .Any(server => server.Forwarding == IpvsForwarding.Route),
            Balancers = balancers,
            Services = services,
            Others = [.. ReadOthers(tasks, balancers)],
            Vteps = [.. ReadVteps()],
        };
    }

    private InterfaceAddress? BridgeAddress() =>
        source.Bridge?.Interfaces.FirstOrDefault(device => device.Kind == "bridge")?.Addresses is [InterfaceAddress first, ..] ? first
            : null;

    private InterfaceState? BalancerDevice() => source.Balancer?.Interfaces.FirstOrDefault(device =>
        device.Kind != "loopback" && device.Addresses.Any(address => Subnet()?.Contains(address.Address) ?? true));

    private Ipv4Prefix? Subnet()
    {
        if (source.Docker is { Subnets: [DockerSubnet first, ..] })
        {
            return first.Subnet;
        }

        InterfaceAddress? address = BridgeAddress() ?? source.Balancer?.Interfaces.Where(device => device.Kind != "loopback")
            .SelectMany(device => device.Addresses).FirstOrDefault(item => item.PrefixLength < Ipv4Prefix.LengthMax);
        return address is null ? null
            : new Ipv4Prefix(new Ipv4Prefix(address.Address, address.PrefixLength).Network, address.PrefixLength);
    }

    private IEnumerable<TopologyService> ReadServices()
    {
        List<TopologyService> services = [];
        foreach (DockerNetworkService service in (source.Docker?.Services ?? []).Where(service => service.Name.Length > 0))
        {
            uint? mark = service.Fwmark == 0 ? null : service.Fwmark;
            services.Add(
                Complete(
                    service.Name, service.VirtualAddress, mark, service.Tasks.Select(task => (task.Name, task.Address, task.HostAddress))));
        }

        // Without "-v" the services' own inspects tell their addresses.
        foreach (DockerService service in node.Docker.Services)
        {
            if (service.VirtualAddresses.FirstOrDefault(item => item.NetworkId == source.Docker?.Id) is { } vip
                && !services.Exists(other => other.Name == service.Name))
            {
                services.Add(Complete(service.Name, vip.Address, null, TasksOf(service)));
            }
        }

        foreach ((Ipv4Address vip, uint mark) in MarkedAddresses())
        {
            if (!services.Exists(other => other.VirtualAddress == vip))
            {
                string? name = node.Docker.Services.FirstOrDefault(
                    service => service.VirtualAddresses.Any(item => item.Address == vip))?.Name;
                services.Add(Complete(name ?? vip.ToString(), vip, mark, []));
            }
        }

        return services.OrderBy(service => service.Name, StringComparer.Ordinal);
    }

    private IEnumerable<(string Name, Ipv4Address Address, Ipv4Address? Host)> TasksOf(DockerService service)
    {
        foreach (DockerTask task in node.Docker.Tasks.Where(task => task.ServiceId == service.Id && task.State == "running"))
        {
            foreach (DockerVirtualAddress address in task.Addresses.Where(item => item.NetworkId == source.Docker?.Id))
            {
                yield return ($"{service.Name}.{task.Slot}", address.Address, null);
            }
        }

        foreach (DockerEndpoint endpoint in source.Docker?.Endpoints ?? [])
        {
            if (TaskNames.Short(endpoint.Name).StartsWith($"{service.Name}.", StringComparison.Ordinal) && node.Docker.Tasks.Count == 0)
            {
                yield return (endpoint.Name, endpoint.Address, directory.SelfAddress);
            }
        }
    }

    // VIPs with their marks by the rules of the load balancer's namespace.
    private IEnumerable<(Ipv4Address Address, uint Mark)> MarkedAddresses() =>
        from chain in source.Balancer?.Iptables.Mangle.Chains ?? []
        from rule in chain.Rules
        where rule is { Destination: { IsNegated: false, Prefix.Length: Ipv4Prefix.LengthMax }, MarkAction.Value: not 0 }
        select (rule.Destination!.Prefix.Address, rule.MarkAction!.Value);

    private TopologyService Complete(
        string name, Ipv4Address? vip, uint? dockerMark, IEnumerable<(string Name, Ipv4Address Address, Ipv4Address? Host)> tasks)
    {
        (Ipv4Address, uint Mark)[] rules = [.. MarkedAddresses().Where(item => item.Address == vip)];
        uint? mark = rules.Length > 0 ? rules[0].Mark : dockerMark;
        IpvsServiceState? ipvs = source.Balancer?.IpvsServices.FirstOrDefault(service => service.Fwmark != 0 && service.Fwmark == mark);
        List<TopologyTask> known =
            [.. tasks.Select(task => TaskOf(TaskNames.Short(task.Name), task.Address, task.Host, WeightIn(ipvs, task.Address)))];
        foreach (IpvsServerState server in ipvs?.Servers ?? [])
        {
            if (!known.Exists(task => task.Address == server.Address))
            {
                known.Add(TaskOf(server.Address.ToString(), server.Address, null, server.Weight));
            }
        }

        return new TopologyService
        {
            Name = name,
            VirtualAddress = vip,
            Fwmark = mark,
            EndpointMode = node.Docker.Services.FirstOrDefault(service => service.Name == name)?.EndpointMode ?? (
                vip is null ? "dnsrr" : "vip"),
            Scheduler = ipvs?.Scheduler,
            Tasks = [.. known.OrderBy(task => task.Name, StringComparer.Ordinal).ThenBy(task => task.Address)],
        };
    }

    private static int? WeightIn(IpvsServiceState? service, Ipv4Address address) =>
        service?.Servers.FirstOrDefault(server => server.Address == address)?.Weight;

    private TopologyTask TaskOf(string name, Ipv4Address address, Ipv4Address? host, int? weight)
    {
        DockerEndpoint? local = source.Docker?.Endpoints.FirstOrDefault(endpoint => endpoint.Address == address);
        MacAddress? mac = local?.Mac ?? source.Bridge?.Neighbors.FirstOrDefault(item => item.Address == address)?.Mac;
        Ipv4Address? at = host ?? (local is null ? VtepOf(mac) : directory.SelfAddress);
        return new TopologyTask
        {
            Name = name,
            Address = address,
            Mac = mac,
            Node = at is null && local is null ? null : directory.NameOf(at),
            IsLocal = local is not null || (at is not null && at == directory.SelfAddress),
            Weight = weight,
        };
    }

    private Ipv4Address? VtepOf(MacAddress? mac) => mac is null ? null
        : source.Bridge?.Fdb.FirstOrDefault(entry => entry.Mac == mac && entry.Destination is not null)?.Destination;

    private List<BalancerEndpoint> ReadBalancers(TopologyTask[] tasks)
    {
        List<BalancerEndpoint> balancers = [];
        InterfaceState? device = BalancerDevice();
        InterfaceAddress? address = device?.Addresses.FirstOrDefault(item => item.PrefixLength < Ipv4Prefix.LengthMax);
        if (source.Docker?.LoadBalancer is { } own)
        {
            balancers.Add(new BalancerEndpoint(directory.NameOf(null), own.Address, own.Mac, IsSelf: true));
        }
        else if (address is not null)
        {
            balancers.Add(new BalancerEndpoint(directory.NameOf(null), address.Address, device!.Mac, IsSelf: true));
        }

        foreach (
            DockerNetworkTask other in (source.Docker?.Services ?? []).Where(service => service.Name.Length == 0)
                .SelectMany(service => service.Tasks))
        {
            Add(balancers, other.Address, MacOf(other.Address), other.HostAddress);
        }

        // What lies behind a tunnel endpoint and is no task is that node's load balancer, if it is all there is.
        HashSet<Ipv4Address> known = [.. tasks.Select(task => task.Address), .. balancers.Select(balancer => balancer.Address)];
        foreach (TopologyVtep vtep in source.Docker is { IsVerbose: true } ? ReadVteps() : [])
        {
            VtepEndpoint[] others = [.. vtep.Endpoints.Where(endpoint => endpoint.Address is { } item && !known.Contains(item))];
            if (others is [VtepEndpoint only] && !balancers.Exists(balancer => balancer.Node == vtep.Node))
            {
                Add(balancers, only.Address!.Value, only.Mac, vtep.Address);
            }
        }

        return balancers;
    }

    private MacAddress MacOf(Ipv4Address address) =>
        source.Bridge?.Neighbors.FirstOrDefault(item => item.Address == address)?.Mac ?? MacAddress.FromDocker(address);

    private void Add(List<BalancerEndpoint> balancers, Ipv4Address address, MacAddress mac, Ipv4Address? host)
    {
        if (!balancers.Exists(balancer => balancer.Address == address))
        {
            balancers.Add(new BalancerEndpoint(directory.NameOf(host), address, mac, host is not null && host == directory.SelfAddress));
        }
    }

    private IEnumerable<TopologyTask> ReadOthers(TopologyTask[] tasks, IReadOnlyList<BalancerEndpoint> balancers)
    {
        HashSet<Ipv4Address> known = [.. tasks.Select(task => task.Address), .. balancers.Select(balancer => balancer.Address)];
        foreach (DockerEndpoint endpoint in source.Docker?.Endpoints ?? [])
        {
            if (known.Add(endpoint.Address))
            {
                yield return TaskOf(TaskNames.Short(endpoint.Name), endpoint.Address, directory.SelfAddress, null);
            }
        }

        foreach (VtepEndpoint endpoint in ReadVteps().SelectMany(vtep => vtep.Endpoints))
        {
            if (endpoint.Address is { } address && known.Add(address))
            {
                yield return TaskOf(address.ToString(), address, VtepOf(endpoint.Mac), null);
            }
        }
    }

    private IEnumerable<TopologyVtep> ReadVteps() =>
        from entry in source.Bridge?.Fdb ?? []
        where entry.Destination is not null && !entry.Mac.IsMulticast && !entry.Mac.IsZero
        group entry by entry.Destination!.Value into vtep
        orderby vtep.Key
        select new TopologyVtep(vtep.Key, directory.NameOf(vtep.Key),
        [
            .. vtep.Select(entry => new VtepEndpoint(
                entry.Mac,
                source.Bridge!.Neighbors.FirstOrDefault(item => item.Mac == entry.Mac)?.Address)).OrderBy(endpoint => endpoint.Mac.Value),
        ]);
}
