using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>The rules that Swarm makes, and finding them again in a dump.</summary>
internal static class SwarmTables
{
    private static readonly string[] s_mangleChains = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];
    private static readonly string[] s_natChains = ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"];
    private static readonly string[] s_filterChains = ["INPUT", "FORWARD", "OUTPUT"];

    /// <summary>A VIP's rule: <c>-A INPUT -d VIP/32 -j MARK --set-xmark MARK/0xffffffff</c>.</summary>
    public static RuleState VirtualAddressRule(Ipv4Address address, uint mark) =>
        Rule($"-d {address}/32 -j MARK --set-xmark 0x{mark:x}/0xffffffff");

    /// <summary>A published port's rule: <c>-A PREROUTING -p tcp -m tcp --dport PORT -j MARK --set-xmark MARK/0xffffffff</c>.</summary>
    public static RuleState PublishedPortRule(IpProtocol protocol, ushort port, uint mark)
    {
        string name = ProtocolText.NameOf(protocol);
        return Rule($"-p {name} -m {name} --dport {port} -j MARK --set-xmark 0x{mark:x}/0xffffffff");
    }

    /// <summary>What IPVS sends goes out with the balancer's address: <c>-A POSTROUTING -d SUBNET -m ipvs --ipvs -j SNAT …</c>.</summary>
    public static RuleState SourceNatRule(Ipv4Prefix subnet, Ipv4Address address) =>
        Rule($"-d {new Ipv4Prefix(subnet.Network, subnet.Length)} -m ipvs --ipvs -j SNAT --to-source {address}");

    /// <summary>A table with its built-in chains, and rules in some of them.</summary>
    public static TableState Table(string name, params (string Chain, IReadOnlyList<RuleState> Rules)[] rules)
    {
        List<ChainState> chains = [];
        foreach (string chain in ChainsOf(name))
        {
            IReadOnlyList<RuleState>? found = null;
            foreach ((string target, IReadOnlyList<RuleState> list) in rules)
            {
                found = target == chain ? list : found;
            }

            chains.Add(new ChainState(chain, "ACCEPT", 0, 0, found ?? []));
        }

        return new TableState(name, chains);
    }

    /// <summary>The chains that the kernel itself calls.</summary>
    public static IReadOnlyList<string> ChainsOf(string table) => table switch
    {
        "mangle" => s_mangleChains,
        "nat" => s_natChains,
        "raw" => ["PREROUTING", "OUTPUT"],
        _ => s_filterChains,
    };

    /// <summary>VIPs and their marks, by the rules in mangle INPUT (older Docker: PREROUTING).</summary>
    public static IReadOnlyList<(Ipv4Address Address, uint Mark)> VirtualAddresses(IptablesState iptables)
    {
        List<(Ipv4Address, uint)> found = [];
        foreach (string chain in (string[])["INPUT", "PREROUTING"])
        {
            foreach (RuleState rule in iptables.Mangle.FindChain(chain)?.Rules ?? [])
            {
                if (rule is { Destination: { IsNegated: false, Prefix.Length: 32 }, MarkAction: { Value: not 0 } action })
                {
                    found.Add((rule.Destination.Prefix.Address, action.Value));
                }
            }
        }

        return found;
    }

    /// <summary>Marks that any rule gives.</summary>
    public static IReadOnlyList<uint> Marks(IptablesState iptables)
    {
        List<uint> marks = [];
        foreach (ChainState chain in iptables.Mangle.Chains)
        {
            foreach (RuleState rule in chain.Rules)
            {
                if (rule.MarkAction is { Value: not 0 } action && !marks.Contains(action.Value))
                {
                    marks.Add(action.Value);
                }
            }
        }

        return marks;
    }

    /// <summary>The rules that give what IPVS sends the balancer's address; they name that and its subnet.</summary>
    public static IReadOnlyList<RuleState> SourceNatRules(IptablesState iptables)
    {
        List<RuleState> found = [];
        foreach (RuleState rule in iptables.Nat.FindChain("POSTROUTING")?.Rules ?? [])
        {
            if (rule is
                {
                    IpvsMatch: true,
                    TargetKind: RuleTarget.SourceNat,
                    Destination: { IsNegated: false },
                    NatAction.FirstAddress: not null,
                })
            {
                found.Add(rule);
            }
        }

        return found;
    }

    /// <summary>A rule from its text.</summary>
    public static RuleState Rule(string text)
    {
        TextPlace place = new("rule", 1);
        return RuleReader.Read(new WordCursor(place, ShellText.Split(text, place)));
    }
}
