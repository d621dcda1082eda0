using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tunnel;

/// <summary>A VXLAN device's FDB: inner MAC → VTEP, permanent from dockerd or learned from traffic. Fixed capacity.</summary>
public sealed class ForwardingDatabase
{
    /// <summary>Most entries.</summary>
    public const int CountMax = 1 << 13;

    private readonly Dictionary<MacAddress, Entry> _entries = new(CountMax);

    private readonly record struct Entry(uint Vtep, bool IsPermanent);

    /// <summary>How often an entry was changed or removed; one that was not there before changes nothing that was decided.</summary>
    internal long Version { get; private set; }

    /// <summary>Number of entries.</summary>
    public int Count => _entries.Count;

    /// <summary>Adds or changes a permanent entry.</summary>
    public void Set(MacAddress mac, uint vtep)
    {
        if (_entries.Count < CountMax || _entries.ContainsKey(mac))
        {
            _entries[mac] = new Entry(vtep, IsPermanent: true);
            Version++;
        }
    }

    /// <summary>Removes an entry.</summary>
    public void Remove(MacAddress mac)
    {
        _entries.Remove(mac);
        Version++;
    }

    /// <summary>The VTEP behind which a MAC is.</summary>
    public bool TryGet(MacAddress mac, out uint vtep)
    {
        bool isKnown = _entries.TryGetValue(mac, out Entry entry);
        vtep = entry.Vtep;
        return isKnown;
    }

    /// <summary>Learns from a frame that came in (vxlan_snoop).</summary>
    /// <returns><see langword="false"/> where the frame must be dropped: the MAC is known for good behind another VTEP.</returns>
    internal bool Learn(MacAddress mac, uint vtep)
    {
        if (_entries.TryGetValue(mac, out Entry entry))
        {
            if (entry.Vtep == vtep)
            {
                return true;
            }

            if (entry.IsPermanent)
            {
                return false;
            }

            _entries[mac] = new Entry(vtep, IsPermanent: false);
            Version++;
        }
        else if (_entries.Count < CountMax)
        {
            _entries.Add(mac, new Entry(vtep, IsPermanent: false));
        }

        return true;
    }
}
