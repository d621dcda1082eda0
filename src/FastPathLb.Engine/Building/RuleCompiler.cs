using FastPathLb.Balancer;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.NodeState;
using FastPathLb.Wire;
using DataPathTarget = FastPathLb.Balancer.Netfilter.RuleTarget;
using RuleTarget = FastPathLb.NodeState.RuleTarget;

namespace FastPathLb.Engine.Building;

/// <summary>Turns iptables rules as dumped into rules of the data path.</summary>
internal static class RuleCompiler
{
    /// <summary>Fills a table from its dump.</summary>
    public static void Fill(RuleTable table, TableState state, ICollection<string> warnings)
    {
        foreach (ChainState chain in state.Chains)
        {
            RuleChain compiled = table.GetOrAddChain(chain.Name);
            compiled.DropsByDefault = chain.Policy == "DROP";
            compiled.Packets = chain.Packets;
            compiled.Bytes = chain.Bytes;
            foreach (RuleState rule in chain.Rules)
            {
                compiled.Rules.Add(Compile(rule, warnings));
            }
        }
    }

    /// <summary>Turns one rule.</summary>
    public static PacketRule Compile(RuleState rule, ICollection<string> warnings)
    {
        List<string> unsupported = [.. rule.Unsupported];
        AddUnsupported(rule, unsupported);
        if (unsupported.Count > 0)
        {
            warnings.Add($"rule '{rule.Text}' never matches here: {string.Join(", ", unsupported)} is not emulated");
        }

        ConntrackStates states = rule.ConntrackStates?.States ?? ConntrackStates.None;
        if (rule.ConntrackStates?.IsNegated == true)
        {
            states = ~states & (ConntrackStates.Invalid | ConntrackStates.New | ConntrackStates.Established | ConntrackStates.Related);
        }

        return new PacketRule
        {
            Text = rule.Text,
            State = rule,
            Source = rule.Source?.Prefix ?? default,
            IsSourceNegated = rule.Source?.IsNegated ?? false,
            Destination = rule.Destination?.Prefix ?? default,
            IsDestinationNegated = rule.Destination?.IsNegated ?? false,
            Protocol = rule.Protocol?.Protocol ?? IpProtocol.Ip,
            IsProtocolNegated = rule.Protocol?.IsNegated ?? false,
            SourcePorts = RangesOf(rule.SourcePorts),
            AreSourcePortsNegated = rule.SourcePorts?.IsNegated ?? false,
            DestinationPorts = RangesOf(rule.DestinationPorts),
            AreDestinationPortsNegated = rule.DestinationPorts?.IsNegated ?? false,
            InputInterface = rule.InInterface?.Name,
            IsInputNegated = rule.InInterface?.IsNegated ?? false,
            OutputInterface = rule.OutInterface?.Name,
            IsOutputNegated = rule.OutInterface?.IsNegated ?? false,
            IsBalanced = rule.IpvsMatch,
            States = StatesOf(states),
            MatchesInvalid = states.HasFlag(ConntrackStates.Invalid),
            IsDestinationLocal = rule.DestinationType is { } to ? !to.IsNegated : null,
            IsSourceLocal = rule.SourceType is { } from ? !from.IsNegated : null,
            IsUnsupported = unsupported.Count > 0,
            Target = TargetOf(rule.TargetKind),
            TargetName = rule.Target,
            JumpTo = rule.TargetKind == RuleTarget.Chain ? rule.Target : null,
            MarkValue = rule.MarkAction?.Value ?? 0,
            MarkMask = rule.MarkAction?.Mask ?? 0,
            NatAddress = rule.NatAction?.FirstAddress?.Value ?? 0,
            NatPorts = rule.NatAction?.Ports is { } ports ? new Balancer.Netfilter.PortRange(ports.First, ports.Last) : null,
            Packets = rule.Packets,
            Bytes = rule.Bytes,
        };
    }

    private static void AddUnsupported(RuleState rule, List<string> unsupported)
    {
        AddIf(rule.EitherPorts is not null, "--ports");
        AddIf(rule.FragmentMatch is not null, "-f");
        AddIf(rule.Mark is not null, "-m mark");
        AddIf(rule.TcpFlags is not null, "--tcp-flags");
        AddIf(rule.IcmpType is not null, "--icmp-type");
        AddIf(rule.IsGoto, "-g");
        AddIf(rule.TargetKind == RuleTarget.Extension, $"-j {rule.Target}");
        AddIf(rule.SourceType is { } from && (from.Types.Count != 1 || from.Types[0] != "LOCAL"), "--src-type");
        AddIf(rule.DestinationType is { } to && (to.Types.Count != 1 || to.Types[0] != "LOCAL"), "--dst-type");
        AddIf(
            rule.NatAction is { } nat && nat.FirstAddress != nat.LastAddress,
            $"a range of addresses in -j {rule.Target}");

        void AddIf(bool condition, string what)
        {
            if (condition)
            {
                unsupported.Add(what);
            }
        }
    }

    private static List<Balancer.Netfilter.PortRange> RangesOf(PortMatch? match)
    {
        List<Balancer.Netfilter.PortRange> ranges = [];
        foreach (NodeState.PortRange range in match?.Ranges ?? [])
        {
            ranges.Add(new Balancer.Netfilter.PortRange(range.First, range.Last));
        }

        return ranges;
    }

    private static List<TrackInfo> StatesOf(ConntrackStates states)
    {
        List<TrackInfo> tracked = [];
        if (states.HasFlag(ConntrackStates.New))
        {
            tracked.Add(TrackInfo.New);
        }

        if (states.HasFlag(ConntrackStates.Established))
        {
            tracked.Add(TrackInfo.Established);
        }

        if (states.HasFlag(ConntrackStates.Related))
        {
            tracked.Add(TrackInfo.Related);
        }

        return tracked;
    }

    private static DataPathTarget TargetOf(RuleTarget target) => target switch
    {
        RuleTarget.Accept => DataPathTarget.Accept,
        RuleTarget.Drop => DataPathTarget.Drop,
        RuleTarget.Return => DataPathTarget.Return,
        RuleTarget.Reject => DataPathTarget.Reject,
        RuleTarget.Mark => DataPathTarget.Mark,
        RuleTarget.SourceNat => DataPathTarget.SourceNat,
        RuleTarget.DestinationNat => DataPathTarget.DestinationNat,
        RuleTarget.Redirect => DataPathTarget.Redirect,
        RuleTarget.Masquerade => DataPathTarget.Masquerade,
        RuleTarget.Chain => DataPathTarget.Jump,
        _ => DataPathTarget.Continue,
    };
}
