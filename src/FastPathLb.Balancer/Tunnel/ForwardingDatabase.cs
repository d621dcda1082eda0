using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Tunnel;

/// <summary>A VXLAN device's FDB: inner MAC → VTEP, permanent from dockerd or learned from traffic. Fixed capacity.</summary>
/// <remarks>
/// On a live network learned entries are removed 300 seconds after their last use (vxlan_cleanup; Docker leaves the default), 610 at
/// the latest: packets of established connections use an entry without looking it up, so one that nobody has
/// looked up for 300 seconds is put on trial, what was decided by it is forgotten, and whoever still uses it looks it up within the next 300.
/// </remarks>
public sealed class ForwardingDatabase
{
    /// <summary>Most entries.</summary>
    public const int CountMax = 1 << 13;

    // By MacAddress.Value: a comparer for a type of ours would be compiled as the program starts.
    private readonly Dictionary<ulong, Entry> _entries = new(CountMax);

    private const long TickNanoseconds = 10_000_000_000;
    private const int TicksUnused = 30;

    private readonly List<ulong> _removed = new(CountMax);
    private int _tick;
    private long _tickDue = long.MinValue;

    private record struct Entry(uint Vtep, bool IsPermanent, int UsedTick);

    /// <summary>How often an entry was changed or removed; one that was not there before changes nothing that was decided.</summary>
    internal long Version { get; private set; }

    /// <summary>Number of entries.</summary>
    public int Count => _entries.Count;

    /// <summary>Adds or changes a permanent entry.</summary>
    public void Set(MacAddress mac, uint vtep)
    {
        if (_entries.Count < CountMax || _entries.ContainsKey(mac.Value))
        {
            _entries[mac.Value] = new Entry(vtep, IsPermanent: true, _tick);
            Version++;
        }
    }

    /// <summary>Removes an entry.</summary>
    public void Remove(MacAddress mac)
    {
        _entries.Remove(mac.Value);
        Version++;
    }

    /// <summary>The VTEP behind which a MAC is.</summary>
    public bool TryGet(MacAddress mac, out uint vtep)
    {
        ref Entry entry = ref CollectionsMarshal.GetValueRefOrNullRef(_entries, mac.Value);
        if (Unsafe.IsNullRef(ref entry))
        {
            vtep = 0;
            return false;
        }

        entry.UsedTick = _tick;
        vtep = entry.Vtep;
        return true;
    }

    /// <summary>Lets learned entries age. Only a live network calls it: in a replay the recording says what was known.</summary>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    public void Advance(long now)
    {
        if (now < _tickDue)
        {
            return;
        }

        _tickDue = now + TickNanoseconds;
        _tick++;
        bool isTrial = false;
        _removed.Clear();
        foreach ((ulong mac, Entry entry) in _entries)
        {
            int unused = _tick - entry.UsedTick;
            isTrial |= !entry.IsPermanent && unused == TicksUnused + 1;
            if (!entry.IsPermanent && unused > 2 * TicksUnused + 1)
            {
                _removed.Add(mac);
            }
        }

        foreach (ulong mac in _removed)
        {
            _entries.Remove(mac);
        }

        if (isTrial || _removed.Count > 0)
        {
            Version++;
        }
    }

    /// <summary>Learns from a frame that came in (vxlan_snoop).</summary>
    /// <returns><see langword="false"/> where the frame must be dropped: the MAC is known for good behind another VTEP.</returns>
    public bool Learn(MacAddress mac, uint vtep)
    {
        ref Entry entry = ref CollectionsMarshal.GetValueRefOrNullRef(_entries, mac.Value);
        if (!Unsafe.IsNullRef(ref entry))
        {
            if (entry.Vtep == vtep)
            {
                entry.UsedTick = _tick;
                return true;
            }

            if (entry.IsPermanent)
            {
                return false;
            }

            entry = new Entry(vtep, IsPermanent: false, _tick);
            Version++;
        }
        else if (_entries.Count < CountMax)
        {
            _entries.Add(mac.Value, new Entry(vtep, IsPermanent: false, _tick));
        }

        return true;
    }
}
