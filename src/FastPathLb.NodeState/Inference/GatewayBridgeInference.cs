using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>Fills what the host's dumps lack of the routing mesh: docker_gwbridge, and the rules that send published ports into the
/// ingress sandbox.</summary>
internal static class GatewayBridgeInference
{
    private const string BridgeName = "docker_gwbridge";
    private const string IngressChain = "DOCKER-INGRESS";

    // Apart from what a dump may have.
    private const int BridgeIndex = 1000;

    /// <summary>The bridge's own address: the first of the subnet that the ingress sandbox's second device is on; null without
    /// one.</summary>
    public static Ipv4Prefix? AddressOf(NodeDraft node, NamespaceDraft sandbox)
    {
        DockerNetwork? network = node.NetworkOf(sandbox);
        foreach (InterfaceState device in sandbox.Interfaces ?? [])
        {
            foreach (InterfaceAddress address in device.Kind == "loopback" ? [] : device.Addresses)
            {
                if (address.PrefixLength < Ipv4Prefix.LengthMax && device.Name != "eth0" && network?.Contains(address.Address) != true)
                {
                    Ipv4Prefix subnet = new(address.Address, address.PrefixLength);
                    return new Ipv4Prefix(new Ipv4Address(subnet.Network.Value + 1), address.PrefixLength);
                }
            }
        }

        return null;
    }

    /// <summary>Does it, where the host's devices and rules were not dumped.</summary>
    public static void Complete(NodeDraft node, NamespaceDraft host)
    {
        if (node.Find("ingress") is not { } sandbox || AddressOf(node, sandbox) is not { } bridge)
        {
            return;
        }

        if (!host.Interfaces!.Any(device => device.Kind == "bridge" || device.Name == BridgeName) && host.Iptables is null)
        {
            InterfaceAddress own = new(bridge.Address, bridge.Length, "global");
            MacAddress mac = sandbox.Neighbors?.FirstOrDefault(item => item.Address == bridge.Address)?.Mac ?? MacAddress.FromDocker(
                bridge.Address);
            host.Interfaces =
            [
                .. host.Interfaces!,
                SwarmDevices.Port(BridgeIndex, BridgeName, null, mac, SwarmDevices.UnderlayMtu, own) with { Kind = "bridge" },
            ];
            InferRules(node, host, sandbox, bridge);
        }
    }

    private static void InferRules(NodeDraft node, NamespaceDraft host, NamespaceDraft sandbox, Ipv4Prefix bridge)
    {
        Ipv4Address target = sandbox.Interfaces!.SelectMany(device => device.Addresses)
            .First(address => bridge.Contains(address.Address)).Address;
        List<RuleState> rules = [];
        foreach (RuleState rule in sandbox.Iptables?.Mangle.FindChain("PREROUTING")?.Rules ?? [])
        {
            if (rule is
                {
                    MarkAction: not null, Protocol: { IsNegated: false } protocol,
                    DestinationPorts: { IsNegated: false, Ranges: [{ } range] }
                })
            {
                string name = ProtocolText.NameOf(protocol.Protocol);
                rules.Add(SwarmTables.Rule($"-p {name} -m {name} --dport {range} -j DNAT --to-destination {target}:{range}"));
            }
        }

        if (rules.Count == 0)
        {
            return;
        }

        RuleState toIngress = SwarmTables.Rule($"-m addrtype --dst-type LOCAL -j {IngressChain}");
        RuleState masquerade = SwarmTables.Rule($"-o {BridgeName} -m addrtype --src-type LOCAL -j MASQUERADE");
        TableState nat = SwarmTables.Table("nat", ("PREROUTING", [toIngress]), ("OUTPUT", [toIngress]), ("POSTROUTING", [masquerade]));
        host.Iptables = new IptablesState(
        [
            nat with
            {
                Chains =
                [
                    .. nat.Chains,
                    new ChainState(IngressChain, "-", 0, 0, [.. rules, SwarmTables.Rule("-j RETURN")]),
                ],
            },
        ]);
        node.Inferred.Add(
            $"{node.FileOf(host, "iptables-save")} is missing: Swarm's rules are taken "
            + $"({string.Join(", ", rules.Select(rule => $"port {rule.DestinationPorts!.Ranges[0]}"))} to {target} by {BridgeName}, "
                + $"{bridge}).");
    }
}
