using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>What Docker's inspects tell of one service in one network.</summary>
/// <param name="Name">Name.</param>
/// <param name="Address">VIP.</param>
/// <param name="Fwmark">Mark on this node; 0: not told.</param>
/// <param name="Servers">Tasks' addresses; null: not told.</param>
/// <param name="Ports">Ports published by the routing mesh.</param>
internal sealed record ServiceHint(
    string Name,
    Ipv4Address Address,
    uint Fwmark,
    IReadOnlyList<Ipv4Address>? Servers,
    IReadOnlyList<(IpProtocol Protocol, ushort Port)> Ports)
{
    /// <summary>The services of a network: by its verbose inspect, else by the inspects of services and tasks.</summary>
    public static IReadOnlyList<ServiceHint> Of(DockerState docker, DockerNetwork network)
    {
        List<ServiceHint> hints = [];
        foreach (DockerNetworkService service in network.Services)
        {
            if (service.VirtualAddress is { } address)
            {
                DockerService? inspected = docker.Services.FirstOrDefault(other => other.Name == service.Name);
                IReadOnlyList<(IpProtocol, ushort)> ports = inspected is null ? ParsePorts(service.Ports) : PortsOf(inspected);
                hints.Add(new ServiceHint(service.Name, address, service.Fwmark, [.. service.Tasks.Select(task => task.Address)], ports));
            }
        }

        if (network.IsVerbose)
        {
            return hints;
        }

        foreach (DockerService service in docker.Services)
        {
            DockerVirtualAddress? address = service.VirtualAddresses.FirstOrDefault(item => item.NetworkId == network.Id);
            if (address is not null)
            {
                hints.Add(new ServiceHint(service.Name, address.Address, 0, TasksOf(docker, service, network), PortsOf(service)));
            }
        }

        return hints;
    }

    private static Ipv4Address[]? TasksOf(DockerState docker, DockerService service, DockerNetwork network)
    {
        DockerTask[] tasks = [.. docker.Tasks.Where(task => task.ServiceId == service.Id && task.State == "running")];
        return tasks.Length == 0
            ? null
            : [.. tasks.SelectMany(task => task.Addresses)
                .Where(address => address.NetworkId == network.Id)
                .Select(address => address.Address)];
    }

    private static (IpProtocol, ushort)[] PortsOf(DockerService service) =>
    [
        .. service.Ports.Where(port => port is { PublishMode: "ingress", PublishedPort: > 0 })
            .Select(port => (port.Protocol, port.PublishedPort))
    ];

    // "Target: 80, Publish: 8080": the protocol is not printed, tcp is by far the most frequent.
    private static List<(IpProtocol, ushort)> ParsePorts(IReadOnlyList<string> texts)
    {
        List<(IpProtocol, ushort)> ports = [];
        foreach (string text in texts)
        {
            int at = text.IndexOf("Publish: ", StringComparison.Ordinal);
            if (at >= 0 && ushort.TryParse(
                text.AsSpan(at + "Publish: ".Length),
                System.Globalization.NumberStyles.None,
                System.Globalization.CultureInfo.InvariantCulture,
                out ushort port))
            {
                ports.Add((IpProtocol.Tcp, port));
            }
        }

        return ports;
    }
}
