using FastPathLb.Conntrack;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Netfilter;

/// <summary>One iptables rule: what it matches, what it does, and how often it did.</summary>
public sealed class PacketRule : ITrafficCounter
{
    /// <summary>The rule as iptables-save prints it, after the chain's name.</summary>
    public required string Text { get; init; }

    /// <summary>What the rule was made from, for the control side.</summary>
    public object? State { get; init; }

    /// <summary>Source network.</summary>
    public Ipv4Prefix Source { get; init; }

    /// <summary>Matches sources outside of the network.</summary>
    public bool IsSourceNegated { get; init; }

    /// <summary>Destination network.</summary>
    public Ipv4Prefix Destination { get; init; }

    /// <summary>Matches destinations outside of the network.</summary>
    public bool IsDestinationNegated { get; init; }

    /// <summary>Protocol, or <see cref="IpProtocol.Ip"/> for any.</summary>
    public IpProtocol Protocol { get; init; }

    /// <summary>Matches other protocols than the one named.</summary>
    public bool IsProtocolNegated { get; init; }

    /// <summary>Source ports, empty for any.</summary>
    public IReadOnlyList<PortRange> SourcePorts { get; init; } = [];

    /// <summary>Matches other source ports.</summary>
    public bool AreSourcePortsNegated { get; init; }

    /// <summary>Destination ports, empty for any.</summary>
    public IReadOnlyList<PortRange> DestinationPorts { get; init; } = [];

    /// <summary>Matches other destination ports.</summary>
    public bool AreDestinationPortsNegated { get; init; }

    /// <summary>Incoming interface, or null for any.</summary>
    public string? InputInterface { get; init; }

    /// <summary>Matches other incoming interfaces.</summary>
    public bool IsInputNegated { get; init; }

    /// <summary>Outgoing interface, or null for any.</summary>
    public string? OutputInterface { get; init; }

    /// <summary>Matches other outgoing interfaces.</summary>
    public bool IsOutputNegated { get; init; }

    /// <summary><c>-m ipvs --ipvs</c>: whether IPVS handled the packet; null for either.</summary>
    public bool? IsBalanced { get; init; }

    /// <summary><c>-m conntrack --ctstate</c>: any of these; empty for any.</summary>
    public IReadOnlyList<TrackInfo> States { get; init; } = [];

    /// <summary>Whether the state INVALID is among the wanted ones.</summary>
    public bool MatchesInvalid { get; init; }

    /// <summary><c>-m addrtype --dst-type LOCAL</c>: null for either.</summary>
    public bool? IsDestinationLocal { get; init; }

    /// <summary><c>-m addrtype --src-type LOCAL</c>: null for either.</summary>
    public bool? IsSourceLocal { get; init; }

    /// <summary>Never matches: it has a match this program does not know.</summary>
    public bool IsUnsupported { get; init; }

    /// <summary>What it does.</summary>
    public RuleTarget Target { get; init; }

    /// <summary>Name of the target as printed.</summary>
    public string TargetName { get; init; } = string.Empty;

    /// <summary>The chain a jump goes to.</summary>
    public string? JumpTo { get; init; }

    /// <summary>MARK: value to xor in.</summary>
    public uint MarkValue { get; init; }

    /// <summary>MARK: bits to clear first.</summary>
    public uint MarkMask { get; init; }

    /// <summary>NAT: new address, or zero to keep it.</summary>
    public uint NatAddress { get; init; }

    /// <summary>NAT: new ports, or null to keep them where free.</summary>
    public PortRange? NatPorts { get; init; }

    /// <summary>Packets matched.</summary>
    public long Packets { get; set; }

    /// <summary>Bytes of the packets matched, IPv4 total length.</summary>
    public long Bytes { get; set; }

    /// <inheritdoc/>
    void ITrafficCounter.Add(long packets, long bytes)
    {
        Packets += packets;
        Bytes += bytes;
    }

    /// <summary>Whether it looks at who sends a packet: address, port, or whether that is the node itself.</summary>
    internal bool LooksAtSource => Source.Length != 0 || SourcePorts.Count > 0 || IsSourceLocal is not null;

    /// <summary>Whether a packet matches.</summary>
    internal bool Matches(Packet packet, Stack.NetworkNamespace space)
    {
        if (IsUnsupported
            || (Source.Length != 0 && Source.Contains(new Ipv4Address(packet.Source)) == IsSourceNegated)
            || (Destination.Length != 0 && Destination.Contains(new Ipv4Address(packet.Destination)) == IsDestinationNegated)
            || (Protocol != IpProtocol.Ip && (packet.Protocol == Protocol) == IsProtocolNegated)
            || (IsBalanced is bool balanced && balanced != packet.IsBalanced))
        {
            return false;
        }

        return MatchesPorts(packet)
            && MatchesInterface(InputInterface, IsInputNegated, packet.Input)
            && MatchesInterface(OutputInterface, IsOutputNegated, packet.Output)
            && MatchesState(packet)
            && (IsDestinationLocal is not bool toLocal || space.IsLocalAddress(packet.Destination) == toLocal)
            && (IsSourceLocal is not bool fromLocal || space.IsLocalAddress(packet.Source) == fromLocal);
    }

    /// <summary>Whether a flow's packets can match, by addresses, protocol and ports.</summary>
    internal bool MatchesFlow(FlowKey flow) =>
        !IsUnsupported
        && (Source.Length == 0 || Source.Contains(new Ipv4Address(flow.Source)) != IsSourceNegated)
        && (Destination.Length == 0 || Destination.Contains(new Ipv4Address(flow.Destination)) != IsDestinationNegated)
        && (Protocol == IpProtocol.Ip || (flow.Protocol == Protocol) != IsProtocolNegated)
        && (SourcePorts.Count == 0 || Contains(SourcePorts, flow.SourcePort) != AreSourcePortsNegated)
        && (DestinationPorts.Count == 0 || Contains(DestinationPorts, flow.DestinationPort) != AreDestinationPortsNegated);

    private static bool Contains(IReadOnlyList<PortRange> ranges, ushort port)
    {
        for (int index = 0; index < ranges.Count; index++)
        {
            if (ranges[index].Contains(port))
            {
                return true;
            }
        }

        return false;
    }

    private static bool MatchesInterface(string? name, bool negated, Stack.NetworkInterface? actual)
    {
        if (name is null)
        {
            return true;
        }

        bool same = actual is not null && (name.EndsWith('+')
            ? actual.Name.AsSpan().StartsWith(name.AsSpan(0, name.Length - 1), StringComparison.Ordinal)
            : actual.Name == name);
        return same != negated;
    }

    private bool MatchesPorts(Packet packet)
    {
        if (SourcePorts.Count == 0 && DestinationPorts.Count == 0)
        {
            return true;
        }

        return packet.HasPorts
            && (SourcePorts.Count == 0 || Contains(SourcePorts, packet.SourcePort) != AreSourcePortsNegated)
            && (DestinationPorts.Count == 0 || Contains(DestinationPorts, packet.DestinationPort) != AreDestinationPortsNegated);
    }

    private bool MatchesState(Packet packet)
    {
        if (States.Count == 0 && !MatchesInvalid)
        {
            return true;
        }

        if (packet.Track == TrackInfo.Untracked)
        {
            return MatchesInvalid;
        }

        for (int index = 0; index < States.Count; index++)
        {
            if (States[index] == packet.Track)
            {
                return true;
            }
        }

        return false;
    }
}
