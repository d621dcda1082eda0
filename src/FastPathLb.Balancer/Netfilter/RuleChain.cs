namespace FastPathLb.Balancer.Netfilter;

/// <summary>A chain of rules with its policy and counters.</summary>
public sealed class RuleChain
{
    /// <summary>Makes an empty chain.</summary>
    public RuleChain(string name, bool isBuiltIn)
    {
        Name = name;
        IsBuiltIn = isBuiltIn;
    }

    /// <summary>Name.</summary>
    public string Name { get; }

    /// <summary>Whether it is one of the table's own chains, which has a policy.</summary>
    public bool IsBuiltIn { get; }

    /// <summary>Whether packets that no rule decided are dropped.</summary>
    public bool DropsByDefault { get; set; }

    /// <summary>Packets the policy decided.</summary>
    public long Packets { get; set; }

    /// <summary>Bytes of the packets the policy decided.</summary>
    public long Bytes { get; set; }

    /// <summary>The rules in order. Between batches only.</summary>
    public List<PacketRule> Rules { get; } = [];
}
