using System.Runtime.CompilerServices;

namespace FastPathLb.Conntrack;

/// <summary>
/// The connections of a worker's namespaces: records, the index over both directions, and the wheel that says when to look at a
/// record again. Fixed capacity, no allocation after start. The only public door to them.
/// </summary>
public sealed class ConnectionTable : IDisposable
{
    /// <summary>Connections where nothing else is asked for.</summary>
    public const int CapacityDefault = 1 << 18;

    /// <summary>Most connections: slot words have 31 bits for a number.</summary>
    public const int CapacityMax = 1 << 30;

    private readonly Slab<Connection> _connections;
    private readonly ConnectionIndex _index;
    private readonly TimingWheel _wheel;
    private readonly ulong _seed;
    private int _firstFree = -1;
    private int _freeCount;
    private int _ipvsReplies;
    private int _fresh;

    /// <summary>Reserves memory for a number of connections.</summary>
    /// <param name="capacity">Most connections at a time, 16 or more.</param>
    /// <param name="seed">Seed of the hash: draw it where frames come from strangers, fix it where runs must be alike.</param>
    /// <param name="isShared">Whether several workers use the table.</param>
    public ConnectionTable(int capacity = CapacityDefault, ulong seed = 0x5EED, bool isShared = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 16);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, CapacityMax);
        _seed = (seed * 0x9E3779B97F4A7C15) ^ 0xD1B54A32D192ED03;
        _connections = new Slab<Connection>(capacity);
        _index = new ConnectionIndex(_connections) { IsShared = isShared };
        _wheel = new TimingWheel(capacity);
    }

    /// <summary>Most connections at a time.</summary>
    public int Capacity => _connections.Count;

    /// <summary>Records in use.</summary>
    public int Count => _fresh - _freeCount;

    /// <summary>One more than the highest number ever used: what a listing walks over.</summary>
    public int NumbersUsed => _fresh;

    /// <summary>Whether any connection is indexed by a key of <see cref="FlowKind.IpvsReply"/>: else none need be looked for.</summary>
    public bool HasIpvsReplies => Volatile.Read(ref _ipvsReplies) > 0;

    /// <summary>Memory per connection of capacity, everything counted, in bytes.</summary>
    public double BytesPerConnection =>
        (double)(_connections.SizeBytes + _index.SizeBytes + _wheel.SizeBytes) / Capacity;

    /// <summary>When to look at records again.</summary>
    public TimingWheel Wheel => _wheel;

    /// <summary>A record.</summary>
    public ref Connection this[int number] => ref _connections[number];

    /// <summary>Hash of a key under this table's seed.</summary>
    public ulong Hash(in FlowKey key) => key.Hash(_seed);

    /// <summary>Hash of a key's two words under this table's seed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Hash(ulong addresses, ulong rest) => FlowKey.Hash(addresses, rest, _seed);

    /// <summary>Fetches the index line of a hash.</summary>
    public void PrefetchIndex(ulong hash) => _index.Prefetch(hash);

    /// <summary>Fetches the record that the home line of a hash names, if any.</summary>
    /// <returns>Its number, or -1; whether its key is the one that was hashed is not known yet.</returns>
    public int PrefetchConnection(ulong hash, out FlowDirection direction)
    {
        int candidate = _index.Candidate(hash, out direction);
        if (candidate >= 0)
        {
            _connections.Prefetch(candidate);
        }

        return candidate;
    }

    /// <summary>Finds the connection a packet with this key belongs to, and the packet's direction in it.</summary>
    public bool TryFind(in FlowKey key, out int number, out FlowDirection direction) =>
        _index.TryFind(key, key.Hash(_seed), out number, out direction);

    /// <summary>The same with the hash at hand.</summary>
    public bool TryFind(in FlowKey key, ulong hash, out int number, out FlowDirection direction) =>
        _index.TryFind(key, hash, out number, out direction);

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
        else if (_fresh < Capacity)
        {
            number = _fresh++;
        }
        else
        {
            return -1;
        }

        ref Connection connection = ref _connections[number];
        connection = default;
        connection.Server = -1;
        return number;
    }

    /// <summary>Gives a record back; it must be out of index and wheel.</summary>
    public void Release(int number)
    {
        ref Connection connection = ref _connections[number];
        System.Diagnostics.Debug.Assert(
            (connection.Flags & (ConnectionFlags.IndexedOriginal | ConnectionFlags.IndexedReply | ConnectionFlags.Timed)) == 0,
            "a record is released after it was unlinked");
        connection.Flags = ConnectionFlags.None;

        // The list of free records is threaded through them.
        connection.Server = _firstFree;
        _firstFree = number;
        _freeCount++;
    }

    /// <summary>Makes a record found by its original key.</summary>
    public IndexInsert IndexOriginal(int number)
    {
        ref Connection connection = ref _connections[number];
        if ((connection.Flags & ConnectionFlags.IndexedOriginal) != 0)
        {
            return IndexInsert.Done;
        }

        IndexInsert result = _index.TryInsert(connection.Original, connection.Original.Hash(_seed), number, FlowDirection.Original);
        if (result == IndexInsert.Done)
        {
            connection.Flags |= ConnectionFlags.IndexedOriginal;
        }

        return result;
    }

    /// <summary>Makes a record found by its reply key.</summary>
    public IndexInsert IndexReply(int number)
    {
        ref Connection connection = ref _connections[number];
        IndexInsert result = _index.TryInsert(connection.Reply, connection.Reply.Hash(_seed), number, FlowDirection.Reply);
        if (result == IndexInsert.Done)
        {
            connection.Flags |= ConnectionFlags.IndexedReply;
            if (connection.Reply.Kind == FlowKind.IpvsReply)
            {
                Interlocked.Increment(ref _ipvsReplies);
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
                Interlocked.Decrement(ref _ipvsReplies);
            }
        }
    }

    /// <summary>Has a record looked at when the time has come, or earlier if it is so already.</summary>
    public void Time(int number, long dueNanoseconds)
    {
        ref Connection connection = ref _connections[number];
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
        if ((connection.Flags & ConnectionFlags.Timed) != 0)
        {
            _wheel.Remove(number);
            connection.Flags &= ~ConnectionFlags.Timed;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _index.Dispose();
        _wheel.Dispose();
        _connections.Dispose();
    }
}
