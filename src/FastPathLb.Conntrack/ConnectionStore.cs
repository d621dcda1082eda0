namespace FastPathLb.Conntrack;

/// <summary>
/// The memory of connections: records, the index over both directions, links of the wheels. Workers share one, each through a
/// <see cref="ConnectionTable"/> of its own. Fixed capacity, no allocation after start.
/// </summary>
/// <remarks>
/// A record belongs to the worker that it names (<see cref="Connection.Owner"/>); others read its keys alone. The index belongs to
/// all. Numbers that were never used are handed out in chunks; what a worker gives back, it uses again itself.
/// </remarks>
public sealed class ConnectionStore : IDisposable
{
    /// <summary>Most workers: a generation of decisions names its worker in what 16 bits leave.</summary>
    public const int WorkersMax = 64;

    // Rarely enough that the counter is not fought over, few enough that a small table is not used up by one worker.
    private const int ChunkShared = 256;

    private readonly ConnectionTable[] _tables;
    private readonly List<List<ServerCounts?>> _servers = [];
    private readonly int _chunk;
    private int _fresh;
    private int _ipvsReplies;

    /// <summary>Reserves memory for a number of connections.</summary>
    /// <param name="capacity">Most connections at a time, 16 or more.</param>
    /// <param name="seed">Seed of the hash: draw it where frames come from strangers, fix it where runs must be alike.</param>
    /// <param name="workers">Workers that share it, 1 to <see cref="WorkersMax"/>.</param>
    /// <param name="placement">Which NUMA nodes it lies on.</param>
    /// <exception cref="ArgumentException">The kernel refuses the placement, or a number is out of its range.</exception>
    public ConnectionStore(int capacity, ulong seed, int workers, MemoryPlacement placement = default)
        : this(capacity, seed, workers, isConcurrent: workers > 1, placement)
    {
        for (int worker = 0; worker < workers; worker++)
        {
            _tables[worker] = new ConnectionTable(this, worker);
        }
    }

    /// <summary>The memory of one table that stands for itself.</summary>
    internal ConnectionStore(int capacity, ulong seed, ConnectionTable only, bool isConcurrent, MemoryPlacement placement)
        : this(capacity, seed, 1, isConcurrent, placement) => _tables[0] = only;

    private ConnectionStore(int capacity, ulong seed, int workers, bool isConcurrent, MemoryPlacement placement)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 16);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, ConnectionTable.CapacityMax);
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(workers, WorkersMax);
        Seed = (seed * 0x9E3779B97F4A7C15) ^ 0xD1B54A32D192ED03;
        Connections = new Slab<Connection>(capacity, placement);
        Index = new ConnectionIndex(Connections, placement) { IsShared = isConcurrent };
        Links = new Slab<TimingWheel.Link>(capacity, placement);
        _chunk = workers > 1 ? Math.Clamp(capacity / (workers * 16), 1, ChunkShared) : 1;
        _tables = new ConnectionTable[workers];
    }

    /// <summary>The workers' doors to it.</summary>
    public IReadOnlyList<ConnectionTable> Tables => _tables;

    /// <summary>Workers that share it.</summary>
    public int Workers => _tables.Length;

    /// <summary>Records in use.</summary>
    public int Count
    {
        get
        {
            int count = 0;
            foreach (ConnectionTable table in _tables)
            {
                count += table.OwnCount;
            }

            return count;
        }
    }

    /// <summary>One more than the highest number ever handed out.</summary>
    public int NumbersUsed => Math.Min(Volatile.Read(ref _fresh), Connections.Count);

    /// <summary>Whether any connection is indexed by a key of <see cref="FlowKind.IpvsReply"/>.</summary>
    public bool HasIpvsReplies => Volatile.Read(ref _ipvsReplies) > 0;

    /// <summary>Size of the memory in bytes.</summary>
    public long SizeBytes => Connections.SizeBytes + Index.SizeBytes + Links.SizeBytes;

    /// <summary>Which NUMA nodes the records lie on, as the kernel tells it. Null where it does not.</summary>
    public MemoryPlacement? ReadPlacement() => Connections.ReadPlacement();

    internal ulong Seed { get; }

    internal Slab<Connection> Connections { get; }

    internal ConnectionIndex Index { get; }

    internal Slab<TimingWheel.Link> Links { get; }

    /// <summary>
    /// What a real server holds, by the namespace's and the server's number: the same for all workers, which number servers alike.
    /// While no worker runs.
    /// </summary>
    public ServerCounts CountsOf(int space, int server)
    {
        while (_servers.Count <= space)
        {
            _servers.Add([]);
        }

        List<ServerCounts?> servers = _servers[space];
        while (servers.Count <= server)
        {
            servers.Add(null);
        }

        return servers[server] ??= new ServerCounts(Workers);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Index.Dispose();
        Links.Dispose();
        Connections.Dispose();
    }

    /// <summary>Whether numbers are left that were never used.</summary>
    internal bool HasFresh => Volatile.Read(ref _fresh) < Connections.Count;

    /// <summary>Hands out numbers that were never used.</summary>
    /// <returns>How many from <paramref name="first"/> on; 0 where there are none left.</returns>
    internal int TakeFresh(out int first)
    {
        int capacity = Connections.Count;
        if (Volatile.Read(ref _fresh) >= capacity)
        {
            first = capacity;
            return 0;
        }

        first = _tables.Length == 1 ? _fresh++ : Interlocked.Add(ref _fresh, _chunk) - _chunk;
        return Math.Clamp(capacity - first, 0, _chunk);
    }

    internal void CountIpvsReply(int change) => Interlocked.Add(ref _ipvsReplies, change);
}
