using FastPathLb.Conntrack;

namespace FastPathLb.Balancer.Netfilter;

/// <summary>An iptables table: mangle, nat or filter. Rules change between batches only.</summary>
public sealed class RuleTable
{
    /// <summary>Deepest nesting of jumps that is followed.</summary>
    public const int DepthMax = 16;

    private static readonly string[] s_builtIn = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

    private readonly RuleChain[] _hooks = new RuleChain[s_builtIn.Length];
    private readonly Dictionary<string, RuleChain> _chains = new(StringComparer.Ordinal);

    /// <summary>Makes a table with empty built-in chains.</summary>
    public RuleTable(string name)
    {
        Name = name;
        for (int hook = 0; hook < _hooks.Length; hook++)
        {
            _hooks[hook] = new RuleChain(s_builtIn[hook], isBuiltIn: true);
            _chains.Add(s_builtIn[hook], _hooks[hook]);
        }
    }

    /// <summary>Name.</summary>
    public string Name { get; }

    /// <summary>All chains by name.</summary>
    public IReadOnlyDictionary<string, RuleChain> Chains => _chains;

    /// <summary>Chain of a hook.</summary>
    public RuleChain this[HookPoint hook] => _hooks[(int)hook];

    /// <summary>How often the table was changed.</summary>
    internal long Version
    {
        get
        {
            long version = _chains.Count;
            foreach (RuleChain chain in _chains.Values)
            {
                version += chain.Version;
            }

            return version;
        }
    }

    /// <summary>A chain by name, made where it is new.</summary>
    public RuleChain GetOrAddChain(string name)
    {
        if (!_chains.TryGetValue(name, out RuleChain? chain))
        {
            chain = new RuleChain(name, isBuiltIn: false);
            _chains.Add(name, chain);
        }

        return chain;
    }

    /// <summary>
    /// Runs a packet through a hook's chain; marks are set on the way. The rule that decided comes back where it is a target to
    /// carry out (NAT, DROP, REJECT).
    /// </summary>
    /// <returns><see langword="false"/> where the packet is dropped.</returns>
    internal bool TryPass(HookPoint hook, Packet packet, Stack.NetworkNamespace space, out PacketRule? decisive)
    {
        RuleChain chain = _hooks[(int)hook];
        switch (Walk(chain, packet, space, 0, out decisive))
        {
            case RuleTarget.Drop or RuleTarget.Reject:
                return false;
            case RuleTarget.Continue:
                chain.Packets++;
                chain.Bytes += packet.LengthBytes;
                packet.Recorder?.Count(chain);
                return !chain.DropsByDefault;
            default:
                return true;
        }
    }

    /// <summary>The mark a flow's packets would have after a hook's MARK rules, as far as addresses and ports decide.</summary>
    internal uint MarkOf(HookPoint hook, FlowKey flow, uint mark)
    {
        foreach (PacketRule rule in _hooks[(int)hook].Rules)
        {
            if (rule.Target == RuleTarget.Mark && rule.MatchesFlow(flow))
            {
                mark = (mark & ~rule.MarkMask) ^ rule.MarkValue;
            }
        }

        return mark;
    }

    private RuleTarget Walk(RuleChain chain, Packet packet, Stack.NetworkNamespace space, int depth, out PacketRule? decisive)
    {
        if (chain.LooksAtSource)
        {
            packet.Recorder?.LookAtSource();
        }

        foreach (PacketRule rule in chain.Walked)
        {
            if (!rule.Matches(packet, space))
            {
                continue;
            }

            rule.Packets++;
            rule.Bytes += packet.LengthBytes;
            packet.Recorder?.Count(rule);
            switch (rule.Target)
            {
                case RuleTarget.Continue:
                    break;
                case RuleTarget.Mark:
                    packet.Fwmark = (packet.Fwmark & ~rule.MarkMask) ^ rule.MarkValue;
                    break;
                case RuleTarget.Return:
                    decisive = null;
                    return RuleTarget.Continue;
                case RuleTarget.Jump when depth < DepthMax && _chains.TryGetValue(rule.JumpTo!, out RuleChain? called):
                    RuleTarget result = Walk(called, packet, space, depth + 1, out decisive);
                    if (result != RuleTarget.Continue)
                    {
                        return result;
                    }

                    break;
                default:
                    decisive = rule;
                    return rule.Target;
            }
        }

        decisive = null;
        return RuleTarget.Continue;
    }
}
