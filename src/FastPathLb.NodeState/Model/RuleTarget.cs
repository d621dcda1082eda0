using FastPathLb.Wire;

namespace FastPathLb.NodeState;

/// <summary>What a rule does with a packet that it matches.</summary>
public enum RuleTarget
{
    /// <summary>Count only.</summary>
    None,

    /// <summary>Accept.</summary>
    Accept,

    /// <summary>Drop.</summary>
    Drop,

    /// <summary>Back to the calling chain.</summary>
    Return,

    /// <summary>Drop and answer.</summary>
    Reject,

    /// <summary>Change the mark and go on.</summary>
    Mark,

    /// <summary>Translate the source.</summary>
    SourceNat,

    /// <summary>Translate the destination.</summary>
    DestinationNat,

    /// <summary>Translate the destination to the device's own address.</summary>
    Redirect,

    /// <summary>Translate the source to the sending device's address.</summary>
    Masquerade,

    /// <summary>Go through another chain.</summary>
    Chain,

    /// <summary>A target that is not understood.</summary>
    Extension,
}

/// <summary>What MARK does, in the form that all its options come down to (<c>--set-xmark value/mask</c>).</summary>
/// <param name="Value">Bits then flipped.</param>
/// <param name="Mask">Bits first cleared.</param>
public sealed record MarkAction(uint Value, uint Mask)
{
    /// <summary>The mark after the rule.</summary>
    public uint Apply(uint mark) => (mark & ~Mask) ^ Value;
}

/// <summary>What a NAT target translates to; a null part is left to the kernel.</summary>
public sealed record NatAction
{
    /// <summary>Translates nothing in particular.</summary>
    public static NatAction Any { get; } = new();

    /// <summary>First address.</summary>
    public Ipv4Address? FirstAddress { get; init; }

    /// <summary>Last address, the same for one.</summary>
    public Ipv4Address? LastAddress { get; init; }

    /// <summary>Ports.</summary>
    public PortRange? Ports { get; init; }

    /// <summary>Whether ports are drawn at random (<c>--random</c>, <c>--random-fully</c>).</summary>
    public bool IsRandom { get; init; }

    /// <summary>Whether a client keeps its address (<c>--persistent</c>).</summary>
    public bool IsPersistent { get; init; }
}
