using FastPathLb.Balancer.Netfilter;
using FastPathLb.Wire;

namespace FastPathLb.Engine.Tables;

/// <summary>A table as <c>iptables -t TABLE -L -v -n -x</c> prints it.</summary>
public static class IptablesTables
{
    private static readonly HookPoint[] s_order =
        [HookPoint.PreRouting, HookPoint.LocalIn, HookPoint.Forward, HookPoint.LocalOut, HookPoint.PostRouting];

    /// <summary>Writes all chains with their exact counters.</summary>
    public static void Write(TextWriter writer, RuleTable table)
    {
        bool isFirst = true;
        foreach (RuleChain chain in s_order.Select(hook => table[hook]).Concat(table.Chains.Values.Where(chain => !chain.IsBuiltIn)))
        {
            if (!isFirst)
            {
                writer.WriteLine();
            }

            isFirst = false;
            writer.WriteLine(chain.IsBuiltIn
                ? $"Chain {chain.Name} (policy {(chain.DropsByDefault ? "DROP" : "ACCEPT")} {chain.Packets} packets, {chain.Bytes} bytes)"
                : $"Chain {chain.Name} ({ReferencesTo(table, chain.Name)} references)");
            writer.WriteLine(
                "    pkts      bytes target     prot opt in     out     source               destination         ");
            foreach (PacketRule rule in chain.Rules)
            {
                writer.WriteLine(
                    $"{rule.Packets,8} {rule.Bytes,8} {rule.TargetName,-10} {(byte)rule.Protocol,-4} --  "
                    + $"{InterfaceOf(rule.InputInterface, rule.IsInputNegated),-6} {InterfaceOf(rule.OutputInterface, rule.IsOutputNegated),-7} "
                    + $"{PrefixOf(rule.Source, rule.IsSourceNegated),-20} {PrefixOf(rule.Destination, rule.IsDestinationNegated),-20}"
                    + DetailsOf(rule));
            }
        }
    }

    private static int ReferencesTo(RuleTable table, string name) =>
        table.Chains.Values.Sum(chain => chain.Rules.Count(rule => rule.JumpTo == name));

    private static string InterfaceOf(string? name, bool isNegated) => name is null ? "*" : isNegated ? "!" + name : name;

    private static string PrefixOf(Ipv4Prefix prefix, bool isNegated)
    {
        string text = prefix.Length == Ipv4Prefix.LengthMax ? prefix.Address.ToString() : prefix.ToString();
        return isNegated ? "!" + text : text;
    }

    private static string DetailsOf(PacketRule rule)
    {
        string details = string.Empty;
        string protocol = rule.Protocol.ToString().ToLowerInvariant();
        if (rule.SourcePorts.Count > 0)
        {
            details += $" {protocol} {PortsOf("spt", rule.SourcePorts, rule.AreSourcePortsNegated)}";
        }

        if (rule.DestinationPorts.Count > 0)
        {
            details += $" {protocol} {PortsOf("dpt", rule.DestinationPorts, rule.AreDestinationPortsNegated)}";
        }

        if (rule.IsBalanced is bool balanced)
        {
            details += balanced ? " ipvs" : " ! ipvs";
        }

        return rule.Target switch
        {
            RuleTarget.Mark when rule.MarkMask == uint.MaxValue => $"{details} MARK set 0x{rule.MarkValue:x}",
            RuleTarget.Mark => $"{details} MARK xset 0x{rule.MarkValue:x}/0x{rule.MarkMask:x}",
            RuleTarget.SourceNat or RuleTarget.DestinationNat => $"{details} to:{AddressOf(rule)}",
            _ => details,
        };
    }

    private static string PortsOf(string word, IReadOnlyList<PortRange> ranges, bool isNegated) =>
        $"{word}{(ranges[0].Low == ranges[0].High ? string.Empty : "s")}:{(isNegated ? "!" : string.Empty)}"
        + string.Join(',', ranges.Select(range => range.Low == range.High ? $"{range.Low}" : $"{range.Low}:{range.High}"));

    private static string AddressOf(PacketRule rule)
    {
        string address = rule.NatAddress != 0 ? new Ipv4Address(rule.NatAddress).ToString() : string.Empty;
        return rule.NatPorts is { } ports
            ? ports.Low == ports.High ? $"{address}:{ports.Low}" : $"{address}:{ports.Low}-{ports.High}"
            : address;
    }
}
