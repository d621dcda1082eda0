using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>
/// The rules in a task's own namespace. A dump of the namespace says them; without one they are what Docker makes of a service's
/// published ports on the ingress network (moby's addRedirectRules): the published port is redirected to the target port, that is let in
/// and answers are let out, and no other TCP, UDP or SCTP.
/// </summary>
public static class TaskRules
{
    private static readonly IpProtocol[] s_shut = [IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Sctp];

    /// <summary>The rules of a task's endpoint; null where it has none, or nothing tells them.</summary>
    public static IptablesState? Find(NodeState state, DockerNetwork network, DockerEndpoint endpoint)
    {
        NamespaceState? dumped = state.Namespaces.Values.FirstOrDefault(
            space => space.Iptables.Tables.Count > 0 && space.Interfaces.Any(device => device.Mac == endpoint.Mac));
        if (dumped is not null)
        {
            return dumped.Iptables;
        }

        DockerService? service = network.IsIngress ? ServiceOf(state.Docker, endpoint) : null;
        DockerPort[] ports =
            [.. (service?.Ports ?? []).Where(port => port is { PublishMode: "ingress", PublishedPort: > 0, TargetPort: > 0 })];
        return ports.Length == 0 ? null : ForPublishedPorts(endpoint.Address, ports);
    }

    /// <summary>What Docker makes for the published ports of a task's address on the ingress network.</summary>
    public static IptablesState ForPublishedPorts(Ipv4Address address, IReadOnlyList<DockerPort> ports)
    {
        List<RuleState> redirects = [];
        List<RuleState> input = [];
        List<RuleState> output = [];
        foreach (DockerPort port in ports)
        {
            string name = ProtocolText.NameOf(port.Protocol);
            redirects.Add(SwarmTables.Rule(
                $"-d {address}/32 -p {name} -m {name} --dport {port.PublishedPort} -j REDIRECT --to-ports {port.TargetPort}"));
            input.Add(SwarmTables.Rule(
                $"-d {address}/32 -p {name} -m {name} --dport {port.TargetPort} -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT"));
            output.Add(SwarmTables.Rule(
                $"-s {address}/32 -p {name} -m {name} --sport {port.TargetPort} -m conntrack --ctstate ESTABLISHED -j ACCEPT"));
        }

        input.AddRange(s_shut.Select(protocol => SwarmTables.Rule($"-d {address}/32 -p {ProtocolText.NameOf(protocol)} -j DROP")));
        output.AddRange(s_shut.Select(protocol => SwarmTables.Rule($"-s {address}/32 -p {ProtocolText.NameOf(protocol)} -j DROP")));
        return new IptablesState(
        [
            SwarmTables.Table("nat", ("PREROUTING", redirects)),
            SwarmTables.Table("filter", ("INPUT", input), ("OUTPUT", output)),
        ]);
    }

    private static DockerService? ServiceOf(DockerState docker, DockerEndpoint endpoint)
    {
        string? name = docker.Containers.FirstOrDefault(container => container.Id == endpoint.ContainerId)?.ServiceName;
        return docker.Services.FirstOrDefault(service => service.Name == name)
            ?? docker.Services.FirstOrDefault(service => endpoint.Name.StartsWith($"{service.Name}.", StringComparison.Ordinal));
    }
}
