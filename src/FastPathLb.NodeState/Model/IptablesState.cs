namespace FastPathLb.NodeState;

/// <summary>The tables of <c>iptables-save</c>.</summary>
/// <param name="Tables">Tables in the order of the dump.</param>
public sealed record IptablesState(IReadOnlyList<TableState> Tables)
{
    private static readonly TableState s_noMangle = new("mangle", []);
    private static readonly TableState s_noNat = new("nat", []);
    private static readonly TableState s_noFilter = new("filter", []);

    /// <summary>No rules at all.</summary>
    public static IptablesState Empty { get; } = new([]);

    /// <summary>The mangle table; without chains where it was not dumped.</summary>
    public TableState Mangle => FindTable("mangle") ?? s_noMangle;

    /// <summary>The nat table; without chains where it was not dumped.</summary>
    public TableState Nat => FindTable("nat") ?? s_noNat;

    /// <summary>The filter table; without chains where it was not dumped.</summary>
    public TableState Filter => FindTable("filter") ?? s_noFilter;

    /// <summary>The table of that name, or null.</summary>
    public TableState? FindTable(string name)
    {
        foreach (TableState table in Tables)
        {
            if (table.Name == name)
            {
                return table;
            }
        }

        return null;
    }
}

/// <summary>One table: its chains.</summary>
/// <param name="Name"><c>mangle</c>, <c>nat</c>, <c>filter</c> or <c>raw</c>.</param>
/// <param name="Chains">Chains in the order of the dump.</param>
public sealed record TableState(string Name, IReadOnlyList<ChainState> Chains)
{
    /// <summary>The chain of that name, or null.</summary>
    public ChainState? FindChain(string name)
    {
        foreach (ChainState chain in Chains)
        {
            if (chain.Name == name)
            {
                return chain;
            }
        }

        return null;
    }
}

/// <summary>One chain with its rules.</summary>
/// <param name="Name">Name, for example <c>PREROUTING</c>.</param>
/// <param name="Policy"><c>ACCEPT</c> or <c>DROP</c>; <c>-</c> for a chain that a user made.</param>
/// <param name="Packets">Packets that fell through to the policy.</param>
/// <param name="Bytes">Bytes of those.</param>
/// <param name="Rules">Rules in order.</param>
public sealed record ChainState(string Name, string Policy, long Packets, long Bytes, IReadOnlyList<RuleState> Rules)
{
    /// <summary>Whether the kernel itself calls the chain.</summary>
    public bool IsBuiltIn => Policy != "-";
}
