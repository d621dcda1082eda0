using FastPathLb.NodeState;
using FastPathLb.Wire;
using NodeDump = FastPathLb.NodeState.NodeState;

namespace FastPathLb.Topology;

/// <summary>Ports that services publish, with the rules that make them work on this node.</summary>
internal static class PortReader
{
    public static IEnumerable<PublishedPort> Read(NodeDump node)
    {
        List<PublishedPort> ports = [];
        foreach (DockerService service in node.Docker.Services)
        {
            foreach (DockerPort port in service.Ports.Where(port => port.PublishedPort != 0))
            {
                ports.Add(PortOf(node, port.Protocol, port.PublishedPort, port.TargetPort, port.PublishMode, service.Name));
            }
        }

        // Without inspects the sandbox's rules tell the ports, though not what is behind them.
        foreach ((IpProtocol protocol, ushort published, uint mark) in MarkedPorts(node))
        {
            if (!ports.Exists(port => port.Protocol == protocol && port.Published == published))
            {
                ports.Add(PortOf(node, protocol, published, 0, "ingress", $"mark 0x{mark:x}"));
            }
        }

        return ports.OrderBy(port => port.Published);
    }

    private static PublishedPort PortOf(NodeDump node, IpProtocol protocol, ushort published, ushort target, string mode, string service)
    {
        (IpProtocol, ushort, uint Mark)[] marks =
            [.. MarkedPorts(node).Where(mark => mark.Protocol == protocol && mark.Port == published)];
        return new PublishedPort(
            protocol, published, target, mode, service, marks.Length == 0 ? null : marks[0].Mark, SandboxOf(node, protocol, published));
    }

    /// <summary>Ports that the ingress sandbox marks.</summary>
    public static IEnumerable<(IpProtocol Protocol, ushort Port, uint Mark)> MarkedPorts(NodeDump node)
    {
        IptablesState rules = node.Namespaces.GetValueOrDefault("ingress")?.Iptables ?? IptablesState.Empty;
        foreach (RuleState rule in rules.Mangle.FindChain("PREROUTING")?.Rules ?? [])
        {
            if (rule is { MarkAction.Value: not 0, Protocol: { IsNegated: false } protocol, DestinationPorts: { IsNegated: false } ports })
            {
                foreach (PortRange range in ports.Ranges.Where(range => range.First == range.Last))
                {
                    yield return (protocol.Protocol, range.First, rule.MarkAction.Value);
                }
            }
        }
    }

    /// <summary>Where the host's nat rules send a port.</summary>
    public static Ipv4Address? SandboxOf(NodeDump node, IpProtocol protocol, ushort port)
    {
        IptablesState rules = node.Namespaces.GetValueOrDefault("host")?.Iptables ?? IptablesState.Empty;
        return rules.Nat.Chains.SelectMany(chain => chain.Rules).FirstOrDefault(rule =>
            rule.TargetKind == RuleTarget.DestinationNat
            && rule.Protocol is { IsNegated: false } match && match.Protocol == protocol
            && rule.DestinationPorts?.Accepts(port) == true)?.NatAction?.FirstAddress;
    }
}
