using System.Runtime.CompilerServices;

namespace FastPathLb.Conntrack;

/// <summary>
/// A worker's connections: records, the index over both directions, and the wheel that says when to look at a record again. Fixed
/// capacity, no allocation after start. The only public door to them; workers that share a <see cref="ConnectionStore"/> have one each.
/// </summary>
public sealed class ConnectionTable : IDisposable
{
    /// <summary>Connections where nothing else is asked for.</summary>
    public const int CapacityDefault = 1 << 18;

    /// <summary>Most connections: slot words have 31 bits for a number.</summary>
    public const int CapacityMax = 1 << 30;

    private readonly ConnectionStore _store;
    private readonly SlabElements<Connection> _connections;
    private readonly ConnectionIndex _index;
    private readonly TimingWheel _wheel;
    private readonly ulong _seed;
    private readonly bool _hasRivals;
    private int _firstFree = -1;
    private int _freeCount;
    private int _nextFresh;
    private int _freshLeft;
    private int _ownCount;

    /// <summary>Reserves memory for a number of connections of one worker's own.</summary>
    /// <param name="capacity">Most connections at a time, 16 or more.</param>
    /// <param name="seed">Seed of the hash: draw it where frames come from strangers, fix it where runs must be alike.</param>
    /// <param name="isShared">Whether several threads look into the table.</param>
    /// <param name="placement">Which NUMA nodes it lies on.</param>
    /// <exception cref="ArgumentException">The kernel refuses the placement, or a number is out of its range.</exception>
    public ConnectionTable(
        int capacity = CapacityDefault, ulong seed = 0x5EED, bool isShared = true, MemoryPlacement placement = default)
    {
        _store = new ConnectionStore(capacity, seed, this, isShared, placement);
        (_connections, _index, _wheel, _seed) = (_store.Connections.Elements, _store.Index, new TimingWheel(_store.Links), _store.Seed);
    }

    internal ConnectionTable(ConnectionStore store, int worker)
    {
        _store = store;
        (_connections, _index, _wheel, _seed) = (store.Connections.Elements, store.Index, new TimingWheel(store.Links), store.Seed);
        Worker = worker;
        _hasRivals = store.Workers > 1;
    }

    /// <summary>The memory, which others may share.</summary>
    public ConnectionStore Store => _store;

    /// <summary>Number of the worker that owns what is opened here, from 0.</summary>
    public int Worker { get; }

    /// <summary>
    /// Whether the worker has everything to itself for the moment, since all others rest: then it takes over whatever it meets.
    /// </summary>
    public bool IsExclusive { get; set; }

    /// <summary>Most connections at a time.</summary>
    public int Capacity => _store.Connections.Count;

    /// <summary>Records in use, by whomever.</summary>
    public int Count => _store.Count;

    /// <summary>One more than the highest number ever used: what a listing walks over.</summary>
    public int NumbersUsed => _store.NumbersUsed;

    /// <summary>Whether any connection is indexed by a key of <see cref="FlowKind.IpvsReply"/>: else none need be looked for.</summary>
    public bool HasIpvsReplies => _store.HasIpvsReplies;

    /// <summary>Memory per connection of capacity, everything counted, in bytes.</summary>
    public double BytesPerConnection => (double)_store.SizeBytes / Capacity;

    /// <summary>When to look at records again.</summary>
    public TimingWheel Wheel => _wheel;

    /// <summary>Records that were taken here and given back here, the difference: below zero where others' were given back.</summary>
    internal int OwnCount => Volatile.Read(ref _ownCount);

    /// <summary>A record.</summary>
    public ref Connection this[int number] => ref _connections[number];

    /// <summary>Hash of a key under this table's seed.</summary>
    public ulong Hash(FlowKey key) => key.Hash(_seed);

    /// <summary>Hash of a key's two words under this table's seed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Hash(ulong addresses, ulong rest) => FlowKey.Hash(addresses, rest, _seed);

    /// <summary>The records for a loop that keeps their address in a register.</summary>
    public SlabElements<Connection> Records => _connections;

    /// <summary>The table as a loop uses it that looks ahead.</summary>
    public LookAhead LookAhead => new(_connections, new ConnectionIndex.Homes(_index), _seed);

    /// <summary>Finds the connection a packet with this key belongs to, and the packet's direction in it.</summary>
    public bool TryFind(FlowKey key, out int number, out FlowDirection direction) =>
        _index.TryFind(key, key.Hash(_seed), out number, out direction);

    /// <summary>The same with the hash at hand.</summary>
    public bool TryFind(FlowKey key, ulong hash, out int number, out FlowDirection direction) =>
        _index.TryFind(key, hash, out number, out direction);

    /// <summary>Whether a record belongs to another worker: its keys may be read, and nothing else.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsForeign(int number) => _hasRivals && _connections[number].Owner != Worker;

    /// <summary>
    /// Makes a record that was found this worker's own. Where it is another's, that takes <see cref="IsExclusive"/>.
    /// </summary>
    /// <returns>Whether it is this worker's now.</returns>
    public bool TryOwn(int number)
    {
        if (!IsForeign(number))
        {
            return true;
        }

        if (!IsExclusive)
        {
            return false;
        }

        ref Connection connection = ref _connections[number];
        if ((connection.Flags & ConnectionFlags.Timed) != 0)
        {
            _store.Tables[connection.Owner]._wheel.Remove(number);
            _wheel.Add(number, connection.IsBalanced ? connection.IpvsExpires : connection.TrackExpires);
        }

        connection.Owner = (byte)Worker;
        connection.DecisionGeneration = 0;
        return true;
    }

    /// <summary>Whether a record is left: of several workers, another one may take it first.</summary>
    public bool HasRoom => _freeCount > 0 || _freshLeft > 0 || _store.HasFresh;

    /// <summary>Takes a cleared record, or -1 when the table is full.</summary>
    public int Allocate()
    {
        int number;
        if (_freeCount > 0)
        {
            number = _firstFree;
            _firstFree = _connections[number].Server;
            if (--_freeCount > 0)
            {
                // Records that were given back lie anywhere: the next one will be there when it is needed.
                _connections.Prefetch(_firstFree);
                _wheel.Prefetch(_firstFree);
            }
        }
        else
        {
            if (_freshLeft == 0 && (_freshLeft = _store.TakeFresh(out _nextFresh)) == 0)
            {
                return -1;
            }

            _freshLeft--;
            number = _nextFresh++;
        }

        ref Connection connection = ref _connections[number];
        connection = default;
        connection.Server = -1;
        connection.Owner = (byte)Worker;
        _ownCount++;
        return number;
    }

    /// <summary>Gives a record back; it must be this worker's, and out of index and wheel.</summary>
    public void Release(int number)
    {
        ref Connection connection = ref _connections[number];
        System.Diagnostics.Debug.Assert(!IsForeign(number), "a worker gives its own records back");
        System.Diagnostics.Debug.Assert(
            (connection.Flags & (ConnectionFlags.IndexedOriginal | ConnectionFlags.IndexedReply | ConnectionFlags.Timed)) == 0,
            "a record is released after it was unlinked");
        connection.Flags = ConnectionFlags.None;

        // The list of free records is threaded through them.
        connection.Server = _firstFree;
        _firstFree = number;
        _freeCount++;
        _ownCount--;
    }

    /// <summary>Makes a record found by its original key.</summary>
    public IndexInsert IndexOriginal(int number) =>
        (_connections[number].Flags & ConnectionFlags.IndexedOriginal) != 0 ? IndexInsert.Done
            : IndexOriginal(number, _connections[number].Original.Hash(_seed));

    /// <summary>The same with the key's hash at hand.</summary>
    public IndexInsert IndexOriginal(int number, ulong hash)
    {
        ref Connection connection = ref _connections[number];
        if ((connection.Flags & ConnectionFlags.IndexedOriginal) != 0)
        {
            return IndexInsert.Done;
        }

        IndexInsert result = _index.TryInsert(connection.Original, hash, number, FlowDirection.Original);
        if (result == IndexInsert.Done)
        {
            connection.Flags |= ConnectionFlags.IndexedOriginal;
        }

        return result;
    }

    /// <summary>Makes a record found by its original key, whose place was found since this worker indexed the last one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public IndexInsert IndexOriginalAt(IndexVacancy vacancy, ref Connection connection, int number, ulong hash)
    {
        IndexInsert result = _index.TryInsertAt(vacancy, connection.Original, hash, number, FlowDirection.Original);
        if (result == IndexInsert.Done)
        {
            connection.Flags |= ConnectionFlags.IndexedOriginal;
        }

        return result;
    }

    /// <summary>Makes a record found by its reply key, whose place was found since this worker indexed the last one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public IndexInsert IndexReplyAt(IndexVacancy vacancy, ref Connection connection, int number, ulong hash)
    {
        System.Diagnostics.Debug.Assert(connection.Reply.Kind == FlowKind.Flow, "replies of IPVS's are counted");
        IndexInsert result = _index.TryInsertAt(vacancy, connection.Reply, hash, number, FlowDirection.Reply);
        if (result == IndexInsert.Done)
        {
            connection.Flags |= ConnectionFlags.IndexedReply;
        }

        return result;
    }

    /// <summary>Makes a record found by its reply key.</summary>
    public IndexInsert IndexReply(int number) => IndexReply(number, _connections[number].Reply.Hash(_seed));

    /// <summary>The same with the key's hash at hand.</summary>
    public IndexInsert IndexReply(int number, ulong hash)
    {
        ref Connection connection = ref _connections[number];
        IndexInsert result = _index.TryInsert(connection.Reply, hash, number, FlowDirection.Reply);
        if (result == IndexInsert.Done)
        {
            connection.Flags |= ConnectionFlags.IndexedReply;
            if (connection.Reply.Kind == FlowKind.IpvsReply)
            {
                _store.CountIpvsReply(1);
            }
        }

        return result;
    }

    /// <summary>Takes the original key out of the index.</summary>
    public void UnindexOriginal(int number)
    {
        ref Connection connection = ref _connections[number];
        if ((connection.Flags & ConnectionFlags.IndexedOriginal) != 0)
        {
            _index.Remove(connection.Original.Hash(_seed), number, FlowDirection.Original);
            connection.Flags &= ~ConnectionFlags.IndexedOriginal;
        }
    }

    /// <summary>Takes the reply key out of the index.</summary>
    public void UnindexReply(int number)
    {
        ref Connection connection = ref _connections[number];
        if ((connection.Flags & ConnectionFlags.IndexedReply) != 0)
        {
            _index.Remove(connection.Reply.Hash(_seed), number, FlowDirection.Reply);
            connection.Flags &= ~ConnectionFlags.IndexedReply;
            if (connection.Reply.Kind == FlowKind.IpvsReply)
            {
                _store.CountIpvsReply(-1);
            }
        }
    }

    /// <summary>Has a record looked at when the time has come, or earlier if it is so already.</summary>
    public void Time(int number, long dueNanoseconds) => Time(ref _connections[number], number, dueNanoseconds);

    /// <summary>The same with the record at hand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Time(ref Connection connection, int number, long dueNanoseconds)
    {
        System.Diagnostics.Debug.Assert(!IsForeign(number), "a worker times its own records: others are in others' wheels");
        if ((connection.Flags & ConnectionFlags.Timed) != 0)
        {
            _wheel.Remove(number);
        }

        _wheel.Add(number, dueNanoseconds);
        connection.Flags |= ConnectionFlags.Timed;
    }

    /// <summary>Takes a record out of the wheel.</summary>
    public void Untime(int number)
    {
        ref Connection connection = ref _connections[number];
        System.Diagnostics.Debug.Assert(!IsForeign(number), "a worker times its own records: others are in others' wheels");
        if ((connection.Flags & ConnectionFlags.Timed) != 0)
        {
            _wheel.Remove(number);
            connection.Flags &= ~ConnectionFlags.Timed;
        }
    }

    /// <summary>Gives the memory back, others' share of it as well.</summary>
    public void Dispose() => _store.Dispose();
}
