using System.Collections.ObjectModel;

namespace FastPathLb.Balancer.Netfilter;

/// <summary>A chain of rules with its policy and counters.</summary>
public sealed class RuleChain : ITrafficCounter
{
    private readonly RuleList _rules = new();
    private bool _dropsByDefault;

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
    public bool DropsByDefault
    {
        get => _dropsByDefault;
        set
        {
            _dropsByDefault = value;
            _rules.Version++;
        }
    }

    /// <summary>Packets the policy decided.</summary>
    public long Packets { get; set; }

    /// <summary>Bytes of the packets the policy decided.</summary>
    public long Bytes { get; set; }

    /// <summary>The rules in order. Between batches only.</summary>
    public Collection<PacketRule> Rules => _rules;

    /// <summary>The rules in order, for walking.</summary>
    internal ReadOnlySpan<PacketRule> Walked => _rules.Walked;

    /// <summary>How often the chain was changed.</summary>
    internal long Version => _rules.Version;

    /// <summary>Whether any rule looks at who sends a packet.</summary>
    internal bool LooksAtSource => _rules.LooksAtSource;

    /// <inheritdoc/>
    void ITrafficCounter.Add(long packets, long bytes)
    {
        Packets += packets;
        Bytes += bytes;
    }

    /// <summary>Notes changes, so that decisions taken under other rules are forgotten.</summary>
    private sealed class RuleList : Collection<PacketRule>
    {
        private readonly List<PacketRule> _list;

        public RuleList()
            : this([])
        {
        }

        private RuleList(List<PacketRule> list)
            : base(list) => _list = list;

        public long Version { get; set; }

        public bool LooksAtSource { get; private set; }

        public ReadOnlySpan<PacketRule> Walked => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_list);

        protected override void InsertItem(int index, PacketRule item)
        {
            base.InsertItem(index, item);
            Change();
        }

        protected override void SetItem(int index, PacketRule item)
        {
            base.SetItem(index, item);
            Change();
        }

        protected override void RemoveItem(int index)
        {
            base.RemoveItem(index);
            Change();
        }

        protected override void ClearItems()
        {
            base.ClearItems();
            Change();
        }

        private void Change()
        {
            Version++;
            LooksAtSource = _list.Exists(rule => rule.LooksAtSource);
        }
    }
}
