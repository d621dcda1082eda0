using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>One iptables rule: what it matches (every part that is not null) and what it does.</summary>
public sealed record RuleState
{
    /// <summary>The rule as saved, after <c>-A CHAIN</c>.</summary>
    public required string Text { get; init; }

    /// <summary>Packets that matched.</summary>
    public long Packets { get; init; }

    /// <summary>Bytes that matched.</summary>
    public long Bytes { get; init; }

    /// <summary>Source address (<c>-s</c>).</summary>
    public PrefixMatch? Source { get; init; }

    /// <summary>Destination address (<c>-d</c>).</summary>
    public PrefixMatch? Destination { get; init; }

    /// <summary>Protocol (<c>-p</c>); null also for <c>-p all</c>.</summary>
    public ProtocolMatch? Protocol { get; init; }

    /// <summary>Source ports (<c>--sport</c>, <c>--sports</c>).</summary>
    public PortMatch? SourcePorts { get; init; }

    /// <summary>Destination ports (<c>--dport</c>, <c>--dports</c>).</summary>
    public PortMatch? DestinationPorts { get; init; }

    /// <summary>Ports of which one or the other must match (<c>-m multiport --ports</c>).</summary>
    public PortMatch? EitherPorts { get; init; }

    /// <summary>Device received on (<c>-i</c>).</summary>
    public InterfaceMatch? InInterface { get; init; }

    /// <summary>Device sent by (<c>-o</c>).</summary>
    public InterfaceMatch? OutInterface { get; init; }

    /// <summary>Whether the packet must (true) or must not (false) belong to an IPVS connection.</summary>
    public bool? IpvsMatch { get; init; }

    /// <summary>Whether the packet must (true) or must not (false) be a fragment after the first (<c>-f</c>).</summary>
    public bool? FragmentMatch { get; init; }

    /// <summary>Connection tracking states (<c>--ctstate</c>, <c>--state</c>).</summary>
    public ConntrackMatch? ConntrackStates { get; init; }

    /// <summary>Kind of source address (<c>--src-type</c>).</summary>
    public AddressTypeMatch? SourceType { get; init; }

    /// <summary>Kind of destination address (<c>--dst-type</c>).</summary>
    public AddressTypeMatch? DestinationType { get; init; }

    /// <summary>Mark already on the packet (<c>-m mark</c>).</summary>
    public MarkMatch? Mark { get; init; }

    /// <summary>TCP flags (<c>--tcp-flags</c>, <c>--syn</c>).</summary>
    public TcpFlagsMatch? TcpFlags { get; init; }

    /// <summary>ICMP type (<c>--icmp-type</c>).</summary>
    public IcmpTypeMatch? IcmpType { get; init; }

    /// <summary>Comment (<c>-m comment</c>), which matches everything.</summary>
    public string? Comment { get; init; }

    /// <summary>Matches that are not understood, verbatim; a rule with any must not be taken to match.</summary>
    public IReadOnlyList<string> Unsupported { get; init; } = [];

    /// <summary>Target as written (<c>-j</c> or <c>-g</c>); empty: the rule only counts.</summary>
    public string Target { get; init; } = "";

    /// <summary>What sort of target that is.</summary>
    public RuleTarget TargetKind { get; init; }

    /// <summary>Whether the chain is gone to and not called (<c>-g</c>).</summary>
    public bool IsGoto { get; init; }

    /// <summary>Options of the target, verbatim.</summary>
    public string TargetOptions { get; init; } = "";

    /// <summary>What MARK does to the mark.</summary>
    public MarkAction? MarkAction { get; init; }

    /// <summary>What SNAT, DNAT, REDIRECT or MASQUERADE translate to.</summary>
    public NatAction? NatAction { get; init; }

    /// <summary>What REJECT answers with, for example <c>icmp-port-unreachable</c>.</summary>
    public string? RejectWith { get; init; }

    /// <summary>Whether two rules match and do the same, whatever their counters and spelling.</summary>
    public bool IsSameRuleAs(RuleState other) =>
        Source == other.Source
        && Destination == other.Destination
        && Protocol == other.Protocol
        && Equals(SourcePorts, other.SourcePorts)
        && Equals(DestinationPorts, other.DestinationPorts)
        && Equals(EitherPorts, other.EitherPorts)
        && InInterface == other.InInterface
        && OutInterface == other.OutInterface
        && IpvsMatch == other.IpvsMatch
        && FragmentMatch == other.FragmentMatch
        && ConntrackStates == other.ConntrackStates
        && Equals(SourceType, other.SourceType)
        && Equals(DestinationType, other.DestinationType)
        && Mark == other.Mark
        && TcpFlags == other.TcpFlags
        && IcmpType == other.IcmpType
        && Comment == other.Comment
        && Unsupported.SequenceEqual(other.Unsupported)
        && Target == other.Target
        && IsGoto == other.IsGoto
        && MarkAction == other.MarkAction
        && NatAction == other.NatAction
        && RejectWith == other.RejectWith
        && (TargetKind != RuleTarget.Extension || TargetOptions == other.TargetOptions);
}

/// <summary>An address and a mask's length, or all but those.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="IsNegated">Whether addresses outside of it match.</param>
public sealed record PrefixMatch(Ipv4Prefix Prefix, bool IsNegated);

/// <summary>A protocol, or all but that.</summary>
/// <param name="Protocol">The protocol.</param>
/// <param name="IsNegated">Whether other protocols match.</param>
public sealed record ProtocolMatch(IpProtocol Protocol, bool IsNegated);

/// <summary>Ports from first to last.</summary>
/// <param name="First">First port.</param>
/// <param name="Last">Last port, the same for one port.</param>
public readonly record struct PortRange(ushort First, ushort Last)
{
    /// <summary>Whether the port lies in the range.</summary>
    public bool Contains(ushort port) => port >= First && port <= Last;

    /// <inheritdoc/>
    public override string ToString() => First == Last ? $"{First}" : $"{First}:{Last}";
}

/// <summary>Some port ranges, or all but those.</summary>
/// <param name="Ranges">The ranges.</param>
/// <param name="IsNegated">Whether ports outside of them match.</param>
public sealed record PortMatch(IReadOnlyList<PortRange> Ranges, bool IsNegated)
{
    /// <summary>Whether the match accepts the port.</summary>
    public bool Accepts(ushort port)
    {
        foreach (PortRange range in Ranges)
        {
            if (range.Contains(port))
            {
                return !IsNegated;
            }
        }

        return IsNegated;
    }

    /// <inheritdoc/>
    public bool Equals(PortMatch? other) => other is not null && IsNegated == other.IsNegated && Ranges.SequenceEqual(other.Ranges);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(IsNegated, Ranges.Count);
}

/// <summary>A device's name, or all but that.</summary>
/// <param name="Name">Name; with <c>+</c> at the end it stands for all that begin so.</param>
/// <param name="IsNegated">Whether other devices match.</param>
public sealed record InterfaceMatch(string Name, bool IsNegated)
{
    /// <summary>Whether the match accepts the device.</summary>
    public bool Accepts(string device)
    {
        bool isSame = Name.EndsWith('+')
            ? device.AsSpan().StartsWith(Name.AsSpan(0, Name.Length - 1), StringComparison.Ordinal)
            : device == Name;
        return isSame != IsNegated;
    }
}

/// <summary>Connection tracking states, or all but those.</summary>
/// <param name="States">The states.</param>
/// <param name="IsNegated">Whether other states match.</param>
public sealed record ConntrackMatch(ConntrackStates States, bool IsNegated);

/// <summary>Connection tracking states of a packet.</summary>
[Flags]
public enum ConntrackStates
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Not a packet that the connection can have.</summary>
    Invalid = 1,

    /// <summary>First of a connection.</summary>
    New = 2,

    /// <summary>Of a connection seen in both directions.</summary>
    Established = 4,

    /// <summary>About another connection, as an ICMP error.</summary>
    Related = 8,

    /// <summary>Not tracked.</summary>
    Untracked = 16,

    /// <summary>Of a connection whose source is translated.</summary>
    SourceNat = 32,

    /// <summary>Of a connection whose destination is translated.</summary>
    DestinationNat = 64,
}

/// <summary>Kinds of address, or all but those.</summary>
/// <param name="Types"><c>LOCAL</c>, <c>BROADCAST</c>, <c>UNICAST</c> …</param>
/// <param name="IsNegated">Whether other kinds match.</param>
public sealed record AddressTypeMatch(IReadOnlyList<string> Types, bool IsNegated)
{
    /// <inheritdoc/>
    public bool Equals(AddressTypeMatch? other) => other is not null && IsNegated == other.IsNegated && Types.SequenceEqual(other.Types);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(IsNegated, Types.Count);
}

/// <summary>A mark under a mask, or all but that.</summary>
/// <param name="Value">The mark.</param>
/// <param name="Mask">Bits that count.</param>
/// <param name="IsNegated">Whether other marks match.</param>
public sealed record MarkMatch(uint Value, uint Mask, bool IsNegated)
{
    /// <summary>Whether the match accepts the mark.</summary>
    public bool Accepts(uint mark) => ((mark & Mask) == Value) != IsNegated;
}

/// <summary>Of the flags in the mask exactly those set, or not so.</summary>
/// <param name="Mask">Flags looked at, as in the TCP header.</param>
/// <param name="Set">Flags that must be set.</param>
/// <param name="IsNegated">Whether the rest matches.</param>
public sealed record TcpFlagsMatch(byte Mask, byte Set, bool IsNegated);

/// <summary>An ICMP type and code, or all but that.</summary>
/// <param name="Type">Type.</param>
/// <param name="Code">Code; null: any.</param>
/// <param name="IsNegated">Whether others match.</param>
public sealed record IcmpTypeMatch(byte Type, byte? Code, bool IsNegated);
