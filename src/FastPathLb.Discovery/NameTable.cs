using FastPathLb.NodeState;
using FastPathLb.Wire;

namespace FastPathLb.Discovery;

/// <summary>The names of one network as libnetwork keeps them: of services, their aliases, tasks and containers.</summary>
/// <remarks>
/// Kernel of it: <c>addServiceBinding</c> and <c>addContainerNameResolution</c> of libnetwork's <c>service_common.go</c>. Names are told
/// apart
/// without regard to case.
/// </remarks>
internal sealed class NameTable
{
    private readonly Dictionary<string, NamedAddresses> _names = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<Ipv4Address, string> _hosts = [];

    public NameTable(DockerNetwork network, DockerState docker)
    {
        Network = network;
        foreach (DockerNetworkService service in network.Services)
        {
            AddService(service, docker);
        }

        foreach (DockerEndpoint endpoint in network.Endpoints.Where(endpoint => !endpoint.IsLoadBalancer))
        {
            AddContainer(endpoint.Name, endpoint.Address);
        }

        foreach (DockerContainer container in docker.Containers)
        {
            foreach (DockerContainerEndpoint endpoint in container.Endpoints.Where(item => item.NetworkId == network.Id))
            {
                foreach (string alias in endpoint.Address is null ? [] : endpoint.Aliases)
                {
                    Add(alias, endpoint.Address!.Value, $"alias of {container.Name}");
                }
            }
        }
    }

    public DockerNetwork Network { get; }

    /// <summary>The addresses of a name, or null where the network has no such name.</summary>
    public NamedAddresses? Find(string name) => _names.GetValueOrDefault(name);

    /// <summary>The container or task that has an address, or null.</summary>
    public string? FindHost(Ipv4Address address) => _hosts.GetValueOrDefault(address);

    private void AddService(DockerNetworkService service, DockerState docker)
    {
        DockerService? inspect = docker.Services.FirstOrDefault(item => item.Name == service.Name);
        IReadOnlyList<string> aliases =
            inspect?.Networks.FirstOrDefault(item => item.Network == Network.Id || item.Network == Network.Name)?.Aliases ?? [];
        foreach (DockerNetworkTask task in service.Tasks.Where(_ => service.Name.Length > 0))
        {
            if (task.Name.Length > 0)
            {
                AddContainer(task.Name, task.Address);
            }

            foreach (string name in aliases.Prepend(service.Name))
            {
                Add($"tasks.{name}", task.Address, $"tasks of service {service.Name}");
                if (service.VirtualAddress is null)
                {
                    Add(name, task.Address, $"tasks of service {service.Name}, endpoint mode dnsrr");
                }
                else
                {
                    Add(name, service.VirtualAddress.Value, $"VIP of service {service.Name}");
                }
            }
        }
    }

    private void AddContainer(string name, Ipv4Address address)
    {
        Add(name, address, $"container {name}");
        _hosts.TryAdd(address, name);
    }

    private void Add(string name, Ipv4Address address, string what)
    {
        if (!_names.TryGetValue(name, out NamedAddresses? found))
        {
            found = new NamedAddresses(what);
            _names.Add(name, found);
        }

        if (!found.Addresses.Contains(address))
        {
            found.Addresses.Add(address);
        }
    }
}

/// <summary>What a name stands for.</summary>
/// <param name="What">For people.</param>
internal sealed record NamedAddresses(string What)
{
    /// <summary>Addresses, in the order in which they came.</summary>
    public List<Ipv4Address> Addresses { get; } = [];
}
