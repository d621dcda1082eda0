using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>Next hops' hardware addresses: read from dumps, learned from ARP, or inferred by Docker's rule. Fixed capacity.</summary>
public sealed class NeighborTable
{
    /// <summary>Most neighbours; Docker's own threshold is where the kernel begins to collect (gc_thresh1 of an overlay namespace).</summary>
    public const int CountMax = 1 << 13;

    private readonly Dictionary<uint, MacAddress> _entries = new(CountMax);

    /// <summary>Infers a MAC that nothing tells, by Docker's rule: 02:42 and the IPv4 address.</summary>
    public bool InfersDockerMacs { get; set; }

    /// <summary>Known neighbours.</summary>
    public IReadOnlyDictionary<uint, MacAddress> Entries => _entries;

    /// <summary>How often what is known was changed.</summary>
    internal long Version { get; private set; }

    /// <summary>Adds or changes a neighbour.</summary>
    public void Set(uint address, MacAddress mac)
    {
        bool isKnown = _entries.TryGetValue(address, out MacAddress known);
        if (isKnown ? known != mac : _entries.Count < CountMax)
        {
            _entries[address] = mac;
            Version++;
        }
    }

    /// <summary>Removes a neighbour.</summary>
    public void Remove(uint address)
    {
        _entries.Remove(address);
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
}
