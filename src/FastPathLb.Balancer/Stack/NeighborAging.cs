using System.Buffers.Binary;
using System.Runtime.InteropServices;
using FastPathLb.Pipeline;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Stack;

/// <summary>
/// How neighbours age on a live network (net/core/neighbour.c): reachable → stale → delay → probe → forgotten, with Linux's default times.
/// Beside the data path: nothing is done per frame, and nothing that was decided is forgotten while a neighbour keeps its MAC. Owned by one
/// worker; a replay has none.
/// </summary>
/// <remarks>
/// <code>
/// answer to us ─► Reachable ── 15 to 45 s ──► Stale ── a frame is sent to it ──► Delay ── 5 s ──► Probe ── 3 requests, 1 s apart ──► removed
///      ▲                                        ▲ its MAC changed                  │                │
///      └────────────────────────────────────────┴───────────── answer to us ◄──────┴────────────────┘
/// </code>
/// Whether stale neighbours are used is seen by <see cref="Look"/> in a sample of what is sent. One that is missed stays stale, which
/// serves as well.
/// </remarks>
public sealed class NeighborAging
{
    /// <summary>Requests to a neighbour's known address before it is forgotten (ucast_solicit).</summary>
    public const int ProbesMax = 3;

    private const long Second = 1_000_000_000;
    private const long BaseReachable = 30 * Second;
    private const long DrawInterval = 300 * Second;
    private const long DelayTime = 5 * Second;
    private const long ProbeInterval = Second;
    private const int MacBytes = 6;
    private const int EtherTypeOffset = 12;

    private readonly NeighborTable _table;
    private readonly Action<uint, MacAddress, FrameBatch, long> _probe;
    private readonly Dictionary<uint, Entry> _entries = new(NeighborTable.CountMax);
    private readonly HashSet<MacAddress> _stale = new(NeighborTable.CountMax);
    private readonly List<uint> _due = new(NeighborTable.CountMax);
    private ulong _random;
    private long _reachable;
    private long _drawDue = long.MinValue;
    private long _nextDue = long.MaxValue;
    private bool _isStaleKnown;

    /// <summary>Lets a table's entries age; those that are not permanent begin stale.</summary>
    /// <param name="table">The table.</param>
    /// <param name="probe">Sends an ARP request for an address to a MAC; the batch takes it, at a time in nanoseconds since the Unix epoch.</param>
    /// <param name="seed">What reachable times are drawn by.</param>
    public NeighborAging(NeighborTable table, Action<uint, MacAddress, FrameBatch, long> probe, ulong seed)
    {
        _table = table;
        _probe = probe;
        _random = seed | 1;
        foreach (uint address in table.Entries.Keys)
        {
            if (!table.IsPermanent(address))
            {
                Put(address, new Entry(NeighborReachability.Stale));
            }
        }
    }

    private record struct Entry(NeighborReachability State, long Due = long.MaxValue, int Probes = 0);

    /// <summary>What is known of a neighbour of the table.</summary>
    public NeighborReachability StateOf(uint address) => _table.IsPermanent(address)
        ? NeighborReachability.Permanent
        : _entries.TryGetValue(address, out Entry entry) ? entry.State : NeighborReachability.Stale;

    /// <summary>Notes which stale neighbours frames are sent to.</summary>
    /// <param name="batch">A batch that was processed and not sent yet.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    public void Look(FrameBatch batch, long now)
    {
        if (!_isStaleKnown)
        {
            CollectStale();
        }

        if (_stale.Count == 0)
        {
            return;
        }

        MacAddress previous = default;
        for (int index = 0; index < batch.Emitted.Length; index++)
        {
            // ARP itself is no use of a neighbour: the kernel does not look one up for it.
            ReadOnlySpan<byte> frame = batch.EmittedBytes(index);
            MacAddress mac = MacAddress.Read(frame[..MacBytes]);
            if (mac != previous && BinaryPrimitives.ReadUInt16BigEndian(frame[EtherTypeOffset..]) != (ushort)EtherType.Arp)
            {
                previous = mac;
                if (_stale.Remove(mac))
                {
                    Use(mac, now);
                }
            }
        }
    }

    /// <summary>Lets time pass: what is due happens.</summary>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    /// <param name="batch">Where requests go.</param>
    public void Advance(long now, FrameBatch batch)
    {
        if (now < _nextDue)
        {
            return;
        }

        _due.Clear();
        _nextDue = long.MaxValue;
        foreach ((uint address, Entry entry) in _entries)
        {
            if (entry.Due <= now)
            {
                _due.Add(address);
            }
            else
            {
                _nextDue = Math.Min(_nextDue, entry.Due);
            }
        }

        foreach (uint address in _due)
        {
            Step(address, _entries[address], batch, now);
        }
    }

    /// <summary>A neighbour said something of itself.</summary>
    /// <param name="address">The neighbour.</param>
    /// <param name="isAnswer">Whether it answered us alone.</param>
    /// <param name="isChanged">Whether it is new, or its MAC is another than before.</param>
    /// <param name="now">Nanoseconds since the Unix epoch.</param>
    internal void Hear(uint address, bool isAnswer, bool isChanged, long now)
    {
        if (isAnswer)
        {
            Put(address, new Entry(NeighborReachability.Reachable, now + ReachableTime(now)));
        }
        else if (isChanged)
        {
            Put(address, new Entry(NeighborReachability.Stale));
        }
    }

    /// <summary>An entry was removed, or an administrator decides about it from now on.</summary>
    internal void Forget(uint address)
    {
        _entries.Remove(address);
        _isStaleKnown = false;
        if (_table.Entries.ContainsKey(address) && !_table.IsPermanent(address))
        {
            Put(address, new Entry(NeighborReachability.Stale));
        }
    }

    private void Step(uint address, in Entry entry, FrameBatch batch, long now)
    {
        switch (entry.State)
        {
            case NeighborReachability.Reachable:
                Put(address, new Entry(NeighborReachability.Stale));
                break;
            case NeighborReachability.Delay or NeighborReachability.Probe when entry.Probes < ProbesMax && _table.TryGet(address, out MacAddress mac):
                Put(address, new Entry(NeighborReachability.Probe, now + ProbeInterval, entry.Probes + 1));
                _probe(address, mac, batch, now);
                break;
            default:
                // NUD_FAILED: the next packet asks all, and waits.
                _table.Remove(address);
                break;
        }
    }

    private void Put(uint address, in Entry entry)
    {
        if (!_table.Entries.ContainsKey(address))
        {
            // The table was full.
            return;
        }

        _entries[address] = entry;
        _nextDue = Math.Min(_nextDue, entry.Due);
        _isStaleKnown = false;
    }

    private void CollectStale()
    {
        _isStaleKnown = true;
        _stale.Clear();
        foreach ((uint address, Entry entry) in _entries)
        {
            if (entry.State == NeighborReachability.Stale && _table.TryGet(address, out MacAddress mac))
            {
                _stale.Add(mac);
            }
        }
    }

    /// <summary>Frames are sent to a stale neighbour, or to one of several that have that MAC.</summary>
    private void Use(MacAddress used, long now)
    {
        // Entries are changed on the way, and none is added or removed.
        foreach ((uint address, Entry entry) in _entries)
        {
            if (entry.State == NeighborReachability.Stale && _table.TryGet(address, out MacAddress mac) && mac == used)
            {
                CollectionsMarshal.GetValueRefOrNullRef(_entries, address) = new Entry(NeighborReachability.Delay, now + DelayTime);
                _nextDue = Math.Min(_nextDue, now + DelayTime);
            }
        }
    }

    /// <summary>Between half of the base time and three halves, drawn anew every five minutes (neigh_rand_reach_time).</summary>
    private long ReachableTime(long now)
    {
        if (now >= _drawDue)
        {
            // xorshift64 (Marsaglia, 2003).
            _random ^= _random << 13;
            _random ^= _random >> 7;
            _random ^= _random << 17;
            _reachable = (BaseReachable / 2) + (long)(_random % (ulong)BaseReachable);
            _drawDue = now + DrawInterval;
        }

        return _reachable;
    }
}
