using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>One service of <c>docker service inspect</c>.</summary>
public sealed record DockerService
{
    /// <summary>Identifier.</summary>
    public required string Id { get; init; }

    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary><c>vip</c> or <c>dnsrr</c>.</summary>
    public string EndpointMode { get; init; } = "vip";

    /// <summary>Replicas asked for; null for a global service.</summary>
    public int? Replicas { get; init; }

    /// <summary>Published ports.</summary>
    public IReadOnlyList<DockerPort> Ports { get; init; } = [];

    /// <summary>Virtual addresses, one a network.</summary>
    public IReadOnlyList<DockerVirtualAddress> VirtualAddresses { get; init; } = [];

    /// <summary>Networks it is attached to, with further names there.</summary>
    public IReadOnlyList<DockerAttachment> Networks { get; init; } = [];
}

/// <summary>A published port.</summary>
/// <param name="Protocol">Protocol.</param>
/// <param name="TargetPort">Port in the task.</param>
/// <param name="PublishedPort">Port on the nodes; 0: none yet.</param>
/// <param name="PublishMode"><c>ingress</c> (routing mesh) or <c>host</c>.</param>
public sealed record DockerPort(IpProtocol Protocol, ushort TargetPort, ushort PublishedPort, string PublishMode);

/// <summary>A service's address in a network.</summary>
/// <param name="NetworkId">The network's identifier.</param>
/// <param name="Address">The address.</param>
/// <param name="PrefixLength">Prefix length of the subnet.</param>
public sealed record DockerVirtualAddress(string NetworkId, Ipv4Address Address, int PrefixLength);

/// <summary>A network that a service is attached to.</summary>
/// <param name="Network">The network's identifier or name.</param>
/// <param name="Aliases">Further names of the service there.</param>
public sealed record DockerAttachment(string Network, IReadOnlyList<string> Aliases);

/// <summary>One container of <c>docker inspect</c>.</summary>
public sealed record DockerContainer
{
    /// <summary>Identifier.</summary>
    public required string Id { get; init; }

    /// <summary>Name without the leading slash.</summary>
    public required string Name { get; init; }

    /// <summary>Host name inside.</summary>
    public string HostName { get; init; } = "";

    /// <summary>Whether it runs.</summary>
    public bool IsRunning { get; init; }

    /// <summary>File of its network namespace.</summary>
    public string SandboxKey { get; init; } = "";

    /// <summary>Its service's name; empty without one.</summary>
    public string ServiceName { get; init; } = "";

    /// <summary>Its service's identifier.</summary>
    public string ServiceId { get; init; } = "";

    /// <summary>Its task's name.</summary>
    public string TaskName { get; init; } = "";

    /// <summary>Its task's identifier.</summary>
    public string TaskId { get; init; } = "";

    /// <summary>Its node's identifier.</summary>
    public string NodeId { get; init; } = "";

    /// <summary>Its endpoints.</summary>
    public IReadOnlyList<DockerContainerEndpoint> Endpoints { get; init; } = [];
}

/// <summary>A container's endpoint in one network.</summary>
/// <param name="NetworkName">The network's name.</param>
/// <param name="NetworkId">The network's identifier.</param>
/// <param name="Address">Address; null where it has none.</param>
/// <param name="PrefixLength">Prefix length of the subnet.</param>
/// <param name="Mac">Ethernet address.</param>
/// <param name="Aliases">Further names there.</param>
public sealed record DockerContainerEndpoint(
    string NetworkName,
    string NetworkId,
    Ipv4Address? Address,
    int PrefixLength,
    MacAddress? Mac,
    IReadOnlyList<string> Aliases);

/// <summary>One task of <c>docker inspect</c> (asked by a task's identifier, at a manager).</summary>
/// <param name="Id">Identifier.</param>
/// <param name="ServiceId">Its service.</param>
/// <param name="NodeId">Its node.</param>
/// <param name="Slot">Its number in the service; 0 in a global one.</param>
/// <param name="State"><c>running</c>, <c>shutdown</c> …</param>
/// <param name="DesiredState">State that it should have.</param>
/// <param name="Addresses">Its address in each network.</param>
public sealed record DockerTask(
    string Id,
    string ServiceId,
    string NodeId,
    int Slot,
    string State,
    string DesiredState,
    IReadOnlyList<DockerVirtualAddress> Addresses);
