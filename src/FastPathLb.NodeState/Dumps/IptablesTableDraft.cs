namespace FastPathLb.NodeState;

/// <summary>One iptables table while the lines that fill it are read.</summary>
internal sealed class IptablesTableDraft
{
    private readonly List<ChainState> _chains = [];
    private readonly Dictionary<string, List<RuleState>> _rules = new(StringComparer.Ordinal);
    private readonly HashSet<string> _given = new(StringComparer.Ordinal);

    /// <summary>An empty table.</summary>
    public IptablesTableDraft(string name) => Name = name;

    /// <summary>A table to add to; its chains may be declared once more.</summary>
    public IptablesTableDraft(TableState table)
        : this(table.Name)
    {
        foreach (ChainState chain in table.Chains)
        {
            _chains.Add(chain);
            _rules.Add(chain.Name, [.. chain.Rules]);
            _given.Add(chain.Name);
        }
    }

    /// <summary>The table's name.</summary>
    public string Name { get; }

    /// <summary>Adds a line: a chain's declaration or a rule.</summary>
    public void Add(DumpLine line)
    {
        WordCursor words = line.ShellWords();
        if (words.Peek?.StartsWith(':') == true)
        {
            AddChain(words);
            return;
        }

        long packets = 0;
        long bytes = 0;
        if (words.Peek?.StartsWith('[') == true && !NumberText.TryCounters(words.Take("counters"), out packets, out bytes))
        {
            throw line.Place.Expected("counters such as [12:3456]", line.Text);
        }

        if (!words.TryTake("-A"))
        {
            throw words.Expected("a rule ('-A CHAIN …'), a chain (':CHAIN POLICY') or COMMIT");
        }

        string chain = words.Take("a chain's name");
        if (!_rules.TryGetValue(chain, out List<RuleState>? rules))
        {
            throw line.Place.Problem($"a rule is added to chain {TextPlace.Quote(chain)}, which table {Name} does not declare");
        }

        rules.Add(RuleReader.Read(words) with { Packets = packets, Bytes = bytes });
    }

    /// <summary>The table; a target that is no chain of it is an extension that is not understood.</summary>
    public TableState Build()
    {
        List<ChainState> chains = new(_chains.Count);
        foreach (ChainState chain in _chains)
        {
            chains.Add(chain with { Rules = _rules[chain.Name].ConvertAll(ResolveTarget) });
        }

        return new TableState(Name, chains);
    }

    private RuleState ResolveTarget(RuleState rule) => rule.TargetKind == RuleTarget.Chain && !_rules.ContainsKey(rule.Target)
        ? rule with { TargetKind = RuleTarget.Extension }
        : rule;

    private void AddChain(WordCursor words)
    {
        string name = words.Take("a chain")[1..];
        string policy = words.Take("a policy");
        long packets = 0;
        long bytes = 0;
        if (!words.AtEnd && !NumberText.TryCounters(words.Take("counters"), out packets, out bytes))
        {
            throw words.Place.Problem($"expected counters such as [12:3456] after ':{name} {policy}'");
        }

        if (name.Length == 0 || policy is not ("ACCEPT" or "DROP" or "-" or "QUEUE" or "RETURN"))
        {
            throw words.Place.Expected("a chain such as ':INPUT ACCEPT [0:0]'", $":{name} {policy}");
        }

        ChainState chain = new(name, policy, packets, bytes, []);
        if (_rules.TryAdd(name, []))
        {
            _chains.Add(chain);
        }
        else if (_given.Remove(name))
        {
            _chains[_chains.FindIndex(other => other.Name == name)] = chain;
        }
        else
        {
            throw words.Place.Problem($"chain {TextPlace.Quote(name)} is declared twice");
        }
    }
}
