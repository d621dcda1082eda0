using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>One change of a node's state. The records below are all there are.</summary>
public abstract record NodeCommand
{
    private protected NodeCommand()
    {
    }
}

/// <summary><c>ipvsadm -A</c>: a new service, without servers.</summary>
/// <param name="Service">The service.</param>
public sealed record IpvsAddService(IpvsServiceState Service) : NodeCommand;

/// <summary><c>ipvsadm -E</c>: other settings for a service; its servers stay.</summary>
/// <param name="Service">The service's key and all its settings.</param>
public sealed record IpvsEditService(IpvsServiceState Service) : NodeCommand;

/// <summary><c>ipvsadm -D</c>: a service goes, with its servers.</summary>
/// <param name="Service">Which.</param>
public sealed record IpvsDeleteService(IpvsKey Service) : NodeCommand;

/// <summary><c>ipvsadm -a</c>: a new server.</summary>
/// <param name="Service">Of which service.</param>
/// <param name="Server">The server.</param>
public sealed record IpvsAddServer(IpvsKey Service, IpvsServerState Server) : NodeCommand;

/// <summary><c>ipvsadm -e</c>: other settings for a server.</summary>
/// <param name="Service">Of which service.</param>
/// <param name="Server">The server's address, port and all its settings.</param>
public sealed record IpvsEditServer(IpvsKey Service, IpvsServerState Server) : NodeCommand;

/// <summary><c>ipvsadm -d</c>: a server goes.</summary>
/// <param name="Service">Of which service.</param>
/// <param name="Address">The server's address.</param>
/// <param name="Port">The server's port.</param>
public sealed record IpvsDeleteServer(IpvsKey Service, Ipv4Address Address, ushort Port) : NodeCommand;

/// <summary><c>ipvsadm -C</c>: all services go.</summary>
public sealed record IpvsFlush : NodeCommand;

/// <summary><c>ipvsadm -Z</c>: counters of a service, or of all, start anew.</summary>
/// <param name="Service">Which; null: all.</param>
public sealed record IpvsZero(IpvsKey? Service) : NodeCommand;

/// <summary><c>ipvsadm --set</c>.</summary>
/// <param name="Timeouts">The timeouts; 0 leaves one as it is.</param>
public sealed record IpvsSetTimeouts(IpvsTimeouts Timeouts) : NodeCommand;

/// <summary><c>iptables -A</c>.</summary>
/// <param name="Table">Table.</param>
/// <param name="Chain">Chain.</param>
/// <param name="Rule">The rule, which becomes the last.</param>
public sealed record IptablesAppend(string Table, string Chain, RuleState Rule) : NodeCommand;

/// <summary><c>iptables -I</c>.</summary>
/// <param name="Table">Table.</param>
/// <param name="Chain">Chain.</param>
/// <param name="Position">Number that the rule gets, from 1.</param>
/// <param name="Rule">The rule.</param>
public sealed record IptablesInsert(string Table, string Chain, int Position, RuleState Rule) : NodeCommand;

/// <summary><c>iptables -R</c>.</summary>
/// <param name="Table">Table.</param>
/// <param name="Chain">Chain.</param>
/// <param name="Position">Number of the rule replaced, from 1.</param>
/// <param name="Rule">The rule.</param>
public sealed record IptablesReplace(string Table, string Chain, int Position, RuleState Rule) : NodeCommand;

/// <summary><c>iptables -D</c>, by the rule's text or its number: exactly one of both is given.</summary>
/// <param name="Table">Table.</param>
/// <param name="Chain">Chain.</param>
/// <param name="Rule">The rule: the first that <see cref="RuleState.IsSameRuleAs"/> goes.</param>
/// <param name="Position">Number of the rule, from 1.</param>
public sealed record IptablesDelete(string Table, string Chain, RuleState? Rule, int? Position) : NodeCommand;

/// <summary><c>iptables -F</c>.</summary>
/// <param name="Table">Table.</param>
/// <param name="Chain">Chain; null: all.</param>
public sealed record IptablesFlush(string Table, string? Chain) : NodeCommand;

/// <summary><c>iptables -Z</c>: counters start anew.</summary>
/// <param name="Table">Table.</param>
/// <param name="Chain">Chain; null: all.</param>
public sealed record IptablesZero(string Table, string? Chain) : NodeCommand;

/// <summary><c>iptables -P</c>.</summary>
/// <param name="Table">Table.</param>
/// <param name="Chain">Chain.</param>
/// <param name="Policy"><c>ACCEPT</c> or <c>DROP</c>.</param>
public sealed record IptablesSetPolicy(string Table, string Chain, string Policy) : NodeCommand;

/// <summary><c>iptables -N</c>.</summary>
/// <param name="Table">Table.</param>
/// <param name="Chain">Chain.</param>
public sealed record IptablesNewChain(string Table, string Chain) : NodeCommand;

/// <summary><c>iptables -X</c>.</summary>
/// <param name="Table">Table.</param>
/// <param name="Chain">Chain; null: all that users made.</param>
public sealed record IptablesDeleteChain(string Table, string? Chain) : NodeCommand;

/// <summary><c>sysctl -w</c>.</summary>
/// <param name="Name">Dotted name.</param>
/// <param name="Value">Value.</param>
public sealed record SysctlWrite(string Name, string Value) : NodeCommand;

/// <summary><c>ip addr add</c>.</summary>
/// <param name="Device">Device.</param>
/// <param name="Address">Address, prefix length and scope.</param>
public sealed record AddressAdd(string Device, InterfaceAddress Address) : NodeCommand;

/// <summary><c>ip addr del</c>.</summary>
/// <param name="Device">Device.</param>
/// <param name="Address">Address and prefix length.</param>
public sealed record AddressDelete(string Device, InterfaceAddress Address) : NodeCommand;

/// <summary><c>ip neigh add</c> or <c>replace</c>.</summary>
/// <param name="Neighbor">The neighbour.</param>
public sealed record NeighborReplace(NeighborState Neighbor) : NodeCommand;

/// <summary><c>ip neigh del</c>.</summary>
/// <param name="Device">Device.</param>
/// <param name="Address">The neighbour's address.</param>
public sealed record NeighborDelete(string Device, Ipv4Address Address) : NodeCommand;

/// <summary><c>ip route add</c> or <c>replace</c>.</summary>
/// <param name="Route">The route.</param>
public sealed record RouteReplace(RouteState Route) : NodeCommand;

/// <summary><c>ip route del</c>.</summary>
/// <param name="Route">What is known of the route; an empty device stands for any.</param>
public sealed record RouteDelete(RouteState Route) : NodeCommand;

/// <summary><c>ip link set</c>; what is null stays.</summary>
/// <param name="Device">Device.</param>
/// <param name="IsUp">Up or down.</param>
/// <param name="Mtu">MTU.</param>
/// <param name="Mac">Ethernet address.</param>
public sealed record LinkSet(string Device, bool? IsUp, int? Mtu, MacAddress? Mac) : NodeCommand;

/// <summary><c>bridge fdb add</c>, <c>append</c> or <c>replace</c>.</summary>
/// <param name="Entry">The entry.</param>
public sealed record FdbReplace(FdbEntryState Entry) : NodeCommand;

/// <summary><c>bridge fdb del</c>.</summary>
/// <param name="Entry">The entry: its MAC address and device, and its destination where given.</param>
public sealed record FdbDelete(FdbEntryState Entry) : NodeCommand;
