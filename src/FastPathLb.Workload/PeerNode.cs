using FastPathLb.Balancer;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Conntrack;
using FastPathLb.Engine.Building;
using FastPathLb.NodeState;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Workload;

/// <summary>The node of the peers' workload: one load balancer, two services, two servers, four clients.</summary>
public static class PeerNode
{
    /// <summary>Builds its load balancer.</summary>
    /// <param name="flows">Connections to hold; there is room for a quarter more.</param>
    /// <param name="attachPoint">Where frames enter and leave.</param>
    /// <param name="hasOuterChecksum">Whether outer UDP checksums are computed; the peers leave them 0.</param>
    /// <param name="establishedSeconds">How long open connections stay: IPVS's default, or longer where hours pass in a benchmark.</param>
    /// <param name="memory">The NUMA nodes of its table.</param>
    public static BuiltLoadBalancer Build(
        int flows, AttachPoint attachPoint = AttachPoint.Underlay, bool hasOuterChecksum = false, int establishedSeconds = 900,
        MemoryPlacement memory = default) =>
        LoadBalancerBuilder.Build(State(hasOuterChecksum, establishedSeconds), Options(flows, attachPoint, memory));

    /// <summary>Builds it for several workers.</summary>
    /// <param name="flows">Connections to hold; there is room for a quarter more.</param>
    /// <param name="workers">Workers.</param>
    /// <param name="memory">The NUMA nodes of their table.</param>
    public static BuiltWorkers BuildWorkers(int flows, int workers, MemoryPlacement memory = default) =>
        LoadBalancerBuilder.BuildWorkers(State(hasOuterChecksum: false, 900), Options(flows, AttachPoint.Underlay, memory), workers);

    /// <summary>The node as users write it, in YAML.</summary>
    /// <param name="hasOuterChecksum">Whether outer UDP checksums are computed.</param>
    /// <param name="establishedSeconds">How long open connections stay.</param>
    public static string Configuration(bool hasOuterChecksum = false, int establishedSeconds = 900) =>
        $$"""
        node:
          address: 192.168.100.2/24
          mac: 02:00:00:00:00:02
          mtu: 9000
        overlay:
          vni: 4097
          udp-checksum: {{(hasOuterChecksum ? "true" : "false")}}
        lb:
          address: 10.0.1.5/24
          mtu: 8950
          neighbors:
            - { address: 10.0.1.3, mac: 02:42:0a:00:01:03 }
            - { address: 10.0.1.4, mac: 02:42:0a:00:01:04 }
            - { address: 10.0.1.16, mac: 02:42:0a:00:01:10 }
            - { address: 10.0.1.17, mac: 02:42:0a:00:01:10 }
            - { address: 10.0.1.18, mac: 02:42:0a:00:01:10 }
            - { address: 10.0.1.19, mac: 02:42:0a:00:01:10 }
        timeouts: { tcp: {{establishedSeconds}} }
        sysctls: { nf_conntrack_tcp_timeout_established: {{Math.Max(establishedSeconds, 432000)}} }
        services:
          - { name: one, vip: 10.0.1.2, mark: 0x111, servers: [10.0.1.3, 10.0.1.4] }
          - { name: two, vip: 10.0.1.7, mark: 0x112, servers: [10.0.1.3, 10.0.1.4] }
        vteps:
          - { address: 192.168.100.1, mac: 02:00:00:00:00:01, endpoints: [10.0.1.16] }
          - { address: 192.168.100.3, mac: 02:00:00:00:00:03, endpoints: [10.0.1.3] }
          - { address: 192.168.100.4, mac: 02:00:00:00:00:04, endpoints: [10.0.1.4] }
        """;

    private static NodeDump State(bool hasOuterChecksum, int establishedSeconds) =>
        LbConfigReader.Parse(Configuration(hasOuterChecksum, establishedSeconds), "peers.yaml");

    private static LoadBalancerOptions Options(int flows, AttachPoint attachPoint, MemoryPlacement memory) => new()
    {
        AttachPoint = attachPoint,
        Memory = memory,
        Capacity = Math.Max(16384, flows + (flows / 4)),

        // Four clients use the same ports, so three of four connections need another one. The kernel draws.
        PortPolicy = SourcePortPolicy.Drawn,
    };
}
