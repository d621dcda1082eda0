using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>One network of <c>docker network inspect</c>, with the cluster's part where <c>-v</c> was given.</summary>
public sealed record DockerNetwork
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Identifier.</summary>
    public string Id { get; init; } = "";

    /// <summary><c>overlay</c>, <c>bridge</c> …</summary>
    public string Driver { get; init; } = "";

    /// <summary><c>swarm</c> or <c>local</c>.</summary>
    public string Scope { get; init; } = "";

    /// <summary>Whether it is the network of the routing mesh.</summary>
    public bool IsIngress { get; init; }

    /// <summary>Subnets with their gateways.</summary>
    public IReadOnlyList<DockerSubnet> Subnets { get; init; } = [];

    /// <summary>VXLAN identifiers, one for each subnet.</summary>
    public IReadOnlyList<Vni> Vnis { get; init; } = [];

    /// <summary>Driver options as given.</summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>();

    /// <summary>Endpoints on this node: containers, and the load balancer under <c>lb-NET</c> or <c>ingress-sbox</c>.</summary>
    public IReadOnlyList<DockerEndpoint> Endpoints { get; init; } = [];

    /// <summary>Underlay addresses of the nodes that have the network.</summary>
    public IReadOnlyList<DockerPeer> Peers { get; init; } = [];

    /// <summary>Services with their tasks on all nodes (<c>-v</c>).</summary>
    public IReadOnlyList<DockerNetworkService> Services { get; init; } = [];

    /// <summary>Whether the inspect had the cluster's part.</summary>
    public bool IsVerbose { get; init; }

    /// <summary>Whether frames cross it in VXLAN.</summary>
    public bool IsOverlay => Driver == "overlay";

    /// <summary>Whether it is encrypted (<c>--opt encrypted</c>).</summary>
    public bool IsEncrypted => Options.TryGetValue("encrypted", out string? value) && value != "false";

    /// <summary>Whether its load balancer forwards without translation (<c>--opt dsr</c>).</summary>
    public bool IsDirectReturn => Options.ContainsKey("dsr");

    /// <summary>MTU option, where given.</summary>
    public int? Mtu => Options.TryGetValue("com.docker.network.driver.mtu", out string? text) && int.TryParse(
        text,
        System.Globalization.NumberStyles.None,
        System.Globalization.CultureInfo.InvariantCulture,
        out int value) ? value : null;

    /// <summary>The load balancer's endpoint on this node, or null.</summary>
    public DockerEndpoint? LoadBalancer
    {
        get
        {
            foreach (DockerEndpoint endpoint in Endpoints)
            {
                if (endpoint.IsLoadBalancer)
                {
                    return endpoint;
                }
            }

            return null;
        }
    }

    /// <summary>Whether an address lies in one of its subnets.</summary>
    public bool Contains(Ipv4Address address)
    {
        foreach (DockerSubnet subnet in Subnets)
        {
            if (subnet.Subnet.Contains(address))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>One subnet of a network.</summary>
/// <param name="Subnet">The subnet.</param>
/// <param name="Gateway">The bridge's own address in it.</param>
public sealed record DockerSubnet(Ipv4Prefix Subnet, Ipv4Address? Gateway);

/// <summary>One endpoint of a network on this node.</summary>
/// <param name="ContainerId">Container, or <c>lb-NET</c>, <c>ingress-sbox</c>.</param>
/// <param name="Name">Name.</param>
/// <param name="EndpointId">Identifier.</param>
/// <param name="Mac">Ethernet address.</param>
/// <param name="Address">Address.</param>
/// <param name="PrefixLength">Prefix length of its subnet.</param>
public sealed record DockerEndpoint(
    string ContainerId,
    string Name,
    string EndpointId,
    MacAddress Mac,
    Ipv4Address Address,
    int PrefixLength)
{
    /// <summary>Whether it is a load balancer's.</summary>
    public bool IsLoadBalancer => ContainerId == "ingress-sbox" || ContainerId.StartsWith("lb-", StringComparison.Ordinal);
}

/// <summary>A node that has the network.</summary>
/// <param name="Name">Identifier.</param>
/// <param name="Address">Underlay address.</param>
public sealed record DockerPeer(string Name, Ipv4Address Address);

/// <summary>A service as <c>docker network inspect -v</c> shows it in one network.</summary>
/// <param name="Name">Name; empty for endpoints of no service.</param>
/// <param name="VirtualAddress">VIP; null in endpoint mode dnsrr.</param>
/// <param name="Ports">Ports as printed, for example <c>Target: 80, Publish: 8080</c>.</param>
/// <param name="Fwmark">Firewall mark on this node (<c>LocalLBIndex</c>); 0: none.</param>
/// <param name="Tasks">Tasks on all nodes.</param>
public sealed record DockerNetworkService(
    string Name,
    Ipv4Address? VirtualAddress,
    IReadOnlyList<string> Ports,
    uint Fwmark,
    IReadOnlyList<DockerNetworkTask> Tasks);

/// <summary>A task's endpoint in one network.</summary>
/// <param name="Name">Name.</param>
/// <param name="EndpointId">Identifier.</param>
/// <param name="Address">Address.</param>
/// <param name="HostAddress">Underlay address of the node that runs it.</param>
public sealed record DockerNetworkTask(string Name, string EndpointId, Ipv4Address Address, Ipv4Address? HostAddress);
