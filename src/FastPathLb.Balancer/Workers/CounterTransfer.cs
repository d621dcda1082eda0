using FastPathLb.Balancer.Ipvs;
using FastPathLb.Balancer.Netfilter;
using FastPathLb.Balancer.Stack;

namespace FastPathLb.Balancer.Workers;

/// <summary>Moves what one worker's load balancer has counted to another one that was built alike. While neither runs.</summary>
internal static class CounterTransfer
{
    public static void Move(LoadBalancer from, LoadBalancer to)
    {
        to.Counters.Take(from.Counters);
        NetworkNamespace source = from.Namespace;
        NetworkNamespace target = to.Namespace;
        target.Tracker.Take(source.Tracker);
        target.PartialChecksumPackets += source.PartialChecksumPackets;
        target.SuperPackets += source.SuperPackets;
        source.PartialChecksumPackets = 0;
        source.SuperPackets = 0;
        Move(source.Mangle, target.Mangle);
        Move(source.Filter, target.Filter);
        Move(source.Translator.Table, target.Translator.Table);
        for (int index = 0; index < source.Ipvs.Servers.Count; index++)
        {
            target.Ipvs.Servers[index].Counters.Take(source.Ipvs.Servers[index].Counters);
        }

        foreach (VirtualService service in source.Ipvs.Services)
        {
            target.Ipvs.FindService(service.Key)?.Counters.Take(service.Counters);
        }
    }

    private static void Move(RuleTable from, RuleTable to)
    {
        foreach ((string name, RuleChain chain) in from.Chains)
        {
            RuleChain other = to.Chains[name];
            other.Packets += chain.Packets;
            other.Bytes += chain.Bytes;
            chain.Packets = 0;
            chain.Bytes = 0;
            for (int index = 0; index < chain.Rules.Count; index++)
            {
                PacketRule rule = chain.Rules[index];
                other.Rules[index].Packets += rule.Packets;
                other.Rules[index].Bytes += rule.Bytes;
                rule.Packets = 0;
                rule.Bytes = 0;
            }
        }
    }
}
