namespace FastPathLb.Balancer.Netfilter;

/// <summary>What a rule does with a packet it matches.</summary>
public enum RuleTarget : byte
{
    /// <summary>Counts and goes on: a rule without a target, or a target without effect here.</summary>
    Continue = 0,

    /// <summary>Ends the table; the packet goes on.</summary>
    Accept = 1,

    /// <summary>Drops the packet.</summary>
    Drop = 2,

    /// <summary>Back to the calling chain.</summary>
    Return = 3,

    /// <summary>Calls another chain.</summary>
    Jump = 4,

    /// <summary>Sets bits of the mark: mark = (mark and not mask) xor value.</summary>
    Mark = 5,

    /// <summary>Translates the source.</summary>
    SourceNat = 6,

    /// <summary>Translates the destination.</summary>
    DestinationNat = 7,

    /// <summary>Translates the source to the outgoing interface's address.</summary>
    Masquerade = 8,

    /// <summary>Translates the destination to the incoming interface's address.</summary>
    Redirect = 9,

    /// <summary>Drops and tells the sender with an ICMP error.</summary>
    Reject = 10,
}
