using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>Next hops' hardware addresses: read from dumps, learned from ARP, or inferred by Docker's rule. Fixed capacity.</summary>
public sealed class NeighborTable
{
    /// <summary>Most neighbours; Docker's own threshold is where the kernel begins to collect (gc_thresh1 of an overlay namespace).</summary>
    public const int CountMax = 1 << 13;

    private readonly Dictionary<uint, MacAddress> _entries = new(CountMax);
    private readonly HashSet<uint> _permanent = [];

    /// <summary>Infers a MAC that nothing tells, by Docker's rule: 02:42 and the IPv4 address.</summary>
    public bool InfersDockerMacs { get; set; }

    /// <summary>Known neighbours.</summary>
    public IReadOnlyDictionary<uint, MacAddress> Entries => _entries;

    /// <summary>How entries age, or null where they stay until ARP says otherwise: a recording tells what was known when.</summary>
    public NeighborAging? Aging { get; internal set; }

    /// <summary>How often what is known was changed.</summary>
    public long Version { get; private set; }

    /// <summary>Whether an administrator set a neighbour for good: it does not age, and ARP does not change it.</summary>
    public bool IsPermanent(uint address) => _permanent.Contains(address);

    /// <summary>Adds or changes a neighbour, as an administrator does.</summary>
    /// <param name="address">Its IPv4 address.</param>
    /// <param name="mac">Its hardware address.</param>
    /// <param name="isPermanent">Whether it is known for good (<c>nud permanent</c>).</param>
    public void Set(uint address, MacAddress mac, bool isPermanent = false)
    {
        Change(address, mac);
        if (isPermanent ? _permanent.Add(address) : _permanent.Remove(address))
        {
            Aging?.Forget(address);
        }
    }

    /// <summary>Removes a neighbour.</summary>
    public void Remove(uint address)
    {
        _entries.Remove(address);
        _permanent.Remove(address);
        Aging?.Forget(address);
        Version++;
    }

    /// <summary>Finds a neighbour's hardware address.</summary>
    public bool TryGet(uint address, out MacAddress mac)
    {
        if (_entries.TryGetValue(address, out mac))
        {
            return true;
        }

        if (!InfersDockerMacs)
        {
            return false;
        }

        mac = MacAddress.FromDocker(new Ipv4Address(address));
        return true;
    }

    /// <summary>Learns from what a neighbour said of itself.</summary>
    /// <param name="address">Its IPv4 address.</param>
    /// <param name="mac">Its hardware address.</param>
    /// <param name="isAnswer">Whether it answered us alone, and so is there and hears us.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    internal void Learn(uint address, MacAddress mac, bool isAnswer, long now)
    {
        if (_permanent.Contains(address))
        {
            return;
        }

        bool isChanged = Change(address, mac);
        Aging?.Hear(address, isAnswer, isChanged, now);
    }

    private bool Change(uint address, MacAddress mac)
    {
        bool isKnown = _entries.TryGetValue(address, out MacAddress known);
        if (isKnown ? known != mac : _entries.Count < CountMax)
        {
            _entries[address] = mac;
            Version++;
            return true;
        }

        return false;
    }
}
