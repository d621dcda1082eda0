using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;
using static FastPathLb.Balancer.Tests.Paths.PathStep;
using static FastPathLb.Balancer.Tests.Paths.Traffic;

namespace FastPathLb.Balancer.Tests.Paths;

/// <summary>Rules of iptables besides Swarm's own.</summary>
internal static class FilterCases
{
    public static IReadOnlyList<PathCase> All { get; } =
    [
        Filter("a rule of filter INPUT drops", "-A INPUT -s 10.0.1.8/32 -j DROP", In(Syn).Drops(DropReason.FilterRule)),
        Filter("a rule for others does not", "-A INPUT -s 10.0.1.9/32 -j DROP", Open),
        Filter("a negated rule drops the others", "-A INPUT ! -s 10.0.1.9/32 -j DROP", In(Syn).Drops(DropReason.FilterRule)),
        Filter("a port decides", "-A INPUT -p tcp -m tcp --dport 80 -j DROP", In(Syn).Drops(DropReason.FilterRule)),
        Filter("another port does not", "-A INPUT -p tcp -m tcp --dport 81 -j DROP", Open),
        Filter("a range of ports decides", "-A INPUT -p tcp -m tcp --dport 79:81 -j DROP", In(Syn).Drops(DropReason.FilterRule)),
        Filter("an interface decides", "-A INPUT -i eth0 -j DROP", In(Syn).Drops(DropReason.FilterRule)),
        Filter("another interface does not", "-A INPUT -i eth1 -j DROP", Open),
        Filter("an interface's beginning decides", "-A INPUT -i eth+ -j DROP", In(Syn).Drops(DropReason.FilterRule)),
        Filter("a state decides", "-A INPUT -m conntrack --ctstate NEW -j DROP", In(Syn).Drops(DropReason.FilterRule)),
        Filter("another state does not", "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j DROP", Open),
        Filter("a local destination decides", "-A INPUT -m addrtype --dst-type LOCAL -j DROP", In(Syn).Drops(DropReason.FilterRule)),
        Filter("a policy drops", ":INPUT DROP [0:0]", In(Syn).Drops(DropReason.FilterRule)),
        Filter("FORWARD drops replies", "-A FORWARD -j DROP", Open, In(PacketBuilder.Tcp(Server, Lb, SynAck, 5000, 1001)).Drops(DropReason.FilterRule)),
        Filter("OUTPUT drops what IPVS sends", "-A OUTPUT -j DROP", In(Syn).Drops(DropReason.FilterRule)),
        Filter(
            "REJECT tells the sender",
            "-A INPUT -j REJECT --reject-with icmp-port-unreachable",
            In(Syn).Answers(DropReason.FilterRule, Error(IcmpType.DestinationUnreachable, 3, Syn))),
        new(
            "a chain of one's own is called, and returned from",
            new SmallSwarm
            {
                Rules = new Dictionary<string, string[]>
                {
                    ["filter"] =
                    [
                        ":MINE - [0:0]", "-A INPUT -j MINE", "-A INPUT -s 10.0.1.8/32 -j DROP", "-A MINE -s 10.0.1.9/32 -j ACCEPT", "-A MINE -j RETURN",
                    ],
                },
            },
            In(Syn).Drops(DropReason.FilterRule),
            In(PacketBuilder.Tcp(SmallSwarm.OtherClient + ":40000", Vip, TcpFlags.Syn, 1000))
                .Becomes(PacketBuilder.Tcp(Lb, Server, TcpFlags.Syn, 1000) with { TimeToLive = 63 })),
        Mangle("mangle PREROUTING drops", "-A PREROUTING -j DROP", In(Syn).Drops(DropReason.FilterRule)),
        Mangle("mangle INPUT drops", "-A INPUT -j DROP", In(Syn).Drops(DropReason.FilterRule)),
        Mangle("mangle OUTPUT drops", "-A OUTPUT -j DROP", In(Syn).Drops(DropReason.FilterRule)),
        Mangle("mangle POSTROUTING drops", "-A POSTROUTING -j DROP", In(Syn).Drops(DropReason.FilterRule)),
        Mangle(
            "mangle FORWARD drops",
            "-A FORWARD -j DROP",
            Open,
            In(PacketBuilder.Tcp(Server, Lb, SynAck, 5000, 1001)).Drops(DropReason.FilterRule)),
        Nat("nat PREROUTING drops", "-A PREROUTING -j DROP", In(Syn).Drops(DropReason.FilterRule)),
        Nat(
            "a destination may be translated before IPVS",
            "-A PREROUTING -d 10.0.1.5/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.1.2:80",
            In(PacketBuilder.Tcp(Client, SmallSwarm.Lb + ":8080", TcpFlags.Syn, 1000)).Becomes(SynSent),
            In(PacketBuilder.Tcp(Server, Lb, SynAck, 5000, 1001))
                .Becomes(PacketBuilder.Tcp(SmallSwarm.Lb + ":8080", Client, SynAck, 5000, 1001) with { TimeToLive = 63 })),
    ];

    private static PathCase Filter(string description, string rule, params PathStep[] steps) => With("filter", description, rule, steps);

    private static PathCase Mangle(string description, string rule, params PathStep[] steps) => With("mangle", description, rule, steps);

    private static PathCase Nat(string description, string rule, params PathStep[] steps) => With("nat", description, rule, steps);

    private static PathCase With(string table, string description, string rule, PathStep[] steps) =>
        new(description, new SmallSwarm { Rules = new Dictionary<string, string[]> { [table] = [rule] } }, steps);
}
