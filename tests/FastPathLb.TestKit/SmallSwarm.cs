using System.Globalization;
using System.Text;
using FastPathLb.Balancer;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Engine.Building;
using FastPathLb.NodeState;
using FastPathLb.Wire;
using Node = FastPathLb.NodeState.NodeState;

namespace FastPathLb.TestKit;

/// <summary>
/// A Swarm in small: one load balancer, one VIP, some servers and two clients behind another node. The addresses are those of the
/// recordings in captures/. What a test wants otherwise it says by <c>with</c>.
/// </summary>
public sealed record SmallSwarm
{
    /// <summary>The service's virtual address.</summary>
    public const string Vip = "10.0.1.2";

    /// <summary>The load balancer's own address.</summary>
    public const string Lb = "10.0.1.5";

    /// <summary>A client.</summary>
    public const string Client = "10.0.1.8";

    /// <summary>Another client.</summary>
    public const string OtherClient = "10.0.1.9";

    /// <summary>A host that nobody knows of.</summary>
    public const string Stranger = "10.0.1.77";

    /// <summary>The mark of the service.</summary>
    public const uint Mark = 0x111;

    /// <summary>The network's VNI.</summary>
    public const uint Vni = 4097;

    /// <summary>The load balancer's node on the underlay.</summary>
    public const string Node1 = "172.19.177.14";

    /// <summary>The node where all others are.</summary>
    public const string Node2 = "172.19.188.123";

    /// <summary>The load balancer's MAC address.</summary>
    public static readonly MacAddress LbMac = MacAddress.FromDocker(Ipv4Address.Parse(Lb));

    /// <summary>The node's MAC address on the underlay.</summary>
    public static readonly MacAddress Node1Mac = MacAddress.Parse("02:fc:00:00:00:01");

    /// <summary>The other node's MAC address on the underlay.</summary>
    public static readonly MacAddress Node2Mac = MacAddress.Parse("02:fc:00:00:00:02");

    /// <summary>The VXLAN device's MAC address.</summary>
    public static readonly MacAddress TunnelMac = MacAddress.Parse("02:fc:00:00:00:aa");

    /// <summary>Addresses that servers have, in the order they are added.</summary>
    public static readonly IReadOnlyList<string> ServerAddresses =
        ["10.0.1.3", "10.0.1.4", "10.0.1.6", "10.0.1.10", "10.0.1.11", "10.0.1.12", "10.0.1.13", "10.0.1.14"];

    /// <summary>Where frames come and go.</summary>
    public AttachPoint AttachPoint { get; init; } = AttachPoint.Overlay;

    /// <summary>Scheduler.</summary>
    public string Scheduler { get; init; } = "rr";

    /// <summary>Scheduler's flags.</summary>
    public IReadOnlyList<string> SchedulerFlags { get; init; } = [];

    /// <summary>Servers as the YAML configuration has them: <c>10.0.1.3</c>, <c>{ address: 10.0.1.3, weight: 2 }</c>.</summary>
    public IReadOnlyList<string> Servers { get; init; } = [.. ServerAddresses.Take(2)];

    /// <summary>Seconds of persistence, 0 for none.</summary>
    public int PersistenceSeconds { get; init; }

    /// <summary>Which clients count as one for persistence.</summary>
    public string Netmask { get; init; } = "255.255.255.255";

    /// <summary>Whether each datagram is a connection of its own.</summary>
    public bool IsOnePacket { get; init; }

    /// <summary>Largest IPv4 packet of the load balancer's interface.</summary>
    public int MtuBytes { get; init; } = 1450;

    /// <summary>Settings besides Swarm's.</summary>
    public IReadOnlyDictionary<string, int> Sysctls { get; init; } = new Dictionary<string, int>();

    /// <summary>Further iptables rules, by table.</summary>
    public IReadOnlyDictionary<string, string[]> Rules { get; init; } = new Dictionary<string, string[]>();

    /// <summary>Further services as the YAML configuration has them, one flow mapping each.</summary>
    public IReadOnlyList<string> MoreServices { get; init; } = [];

    /// <summary>Namespaces as the YAML configuration has them in full, one flow mapping each.</summary>
    public IReadOnlyList<string> Namespaces { get; init; } = [];

    /// <summary>Further lines of the section <c>overlay</c>: <c>learning: false</c>.</summary>
    public IReadOnlyList<string> OverlaySettings { get; init; } = [];

    /// <summary>Most connections.</summary>
    public int Capacity { get; init; } = 4096;

    /// <summary>Which port is taken when the client's own is not free.</summary>
    public SourcePortPolicy PortPolicy { get; init; }

    /// <summary>Seed of the connection hash and of drawn ports.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Servers with weights, in the order they are added.</summary>
    public static IReadOnlyList<string> Weighted(params int[] weights) =>
    [
        .. weights.Select((weight, index) => string.Create(
            CultureInfo.InvariantCulture, $"{{ address: {ServerAddresses[index]}, weight: {weight} }}")),
    ];

    /// <summary>A packet as it comes to the load balancer's interface.</summary>
    public static PacketBuilder ToBalancer(PacketBuilder packet) => packet with { DestinationMac = LbMac };

    /// <summary>A packet as the load balancer's interface sends it.</summary>
    public static PacketBuilder FromBalancer(PacketBuilder packet) => packet with { SourceMac = LbMac };

    /// <summary>The envelope of frames from the other node.</summary>
    public static Envelope FromNode2 { get; } = new()
    {
        DestinationMac = Node1Mac,
        SourceMac = Node2Mac,
        Source = Node2 + ":45678",
        Destination = Node1 + ":4789",
        Vxlan = Envelope.HeaderOf(Vni),
    };

    /// <summary>The configuration's text.</summary>
    public string ToYaml()
    {
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"node: {{ address: {Node1}/20, mac: {Node1Mac} }}");
        text.AppendLine("overlay:");
        text.AppendLine(CultureInfo.InvariantCulture, $"  vni: {Vni}");
        text.AppendLine(CultureInfo.InvariantCulture, $"  vxlan-mac: {TunnelMac}");
        AppendLines(text, OverlaySettings, "  ");
        text.AppendLine(CultureInfo.InvariantCulture, $"lb: {{ address: {Lb}/24, mtu: {MtuBytes} }}");
        text.AppendLine("services:");
        text.AppendLine(CultureInfo.InvariantCulture, $"  - vip: {Vip}");
        text.AppendLine(CultureInfo.InvariantCulture, $"    mark: {Mark}");
        text.AppendLine(CultureInfo.InvariantCulture, $"    scheduler: {Scheduler}");
        text.AppendLine(CultureInfo.InvariantCulture, $"    flags: [{string.Join(", ", SchedulerFlags)}]");
        text.AppendLine(CultureInfo.InvariantCulture, $"    servers: [{string.Join(", ", Servers)}]");
        if (PersistenceSeconds > 0)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"    persistence: {PersistenceSeconds}");
            text.AppendLine(CultureInfo.InvariantCulture, $"    netmask: {Netmask}");
        }

        if (IsOnePacket)
        {
            text.AppendLine("    one-packet: true");
        }

        AppendLines(text, MoreServices, "  - ");
        string endpoints = string.Join(", ", [Client, OtherClient, .. ServerAddresses]);
        text.AppendLine("vteps:");
        text.AppendLine(CultureInfo.InvariantCulture, $"  - {{ address: {Node2}, mac: {Node2Mac}, endpoints: [{endpoints}] }}");
        text.AppendLine("sysctls:");
        text.AppendLine("  net.ipv4.ip_forward: 1");
        AppendLines(text, Sysctls.Where(item => item.Key != "net.ipv4.ip_forward").Select(item => $"{item.Key}: {item.Value}"), "  ");
        text.AppendLine("rules:");
        foreach ((string table, string[] rules) in Rules)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {table}:");
            AppendLines(text, rules.Select(rule => $"\"{rule}\""), "    - ");
        }

        text.AppendLine("  raw: []");
        if (Namespaces.Count > 0)
        {
            text.AppendLine("namespaces:");
            AppendLines(text, Namespaces, "  ");
        }

        return Sysctls.TryGetValue("net.ipv4.ip_forward", out int forwards)
            ? text.Replace("net.ipv4.ip_forward: 1", $"net.ipv4.ip_forward: {forwards}").ToString()
            : text.ToString();
    }

    /// <summary>The node's state.</summary>
    public Node ToNode() => LbConfigReader.Parse(ToYaml(), "small.yaml");

    /// <summary>The load balancer.</summary>
    public BuiltLoadBalancer Build() => LoadBalancerBuilder.Build(ToNode(), new LoadBalancerOptions
    {
        AttachPoint = AttachPoint,
        Capacity = Capacity,
        PortPolicy = PortPolicy,
        Seed = Seed,
    });

    private static void AppendLines(StringBuilder text, IEnumerable<string> lines, string indent)
    {
        foreach (string line in lines)
        {
            text.Append(indent).AppendLine(line);
        }
    }
}
