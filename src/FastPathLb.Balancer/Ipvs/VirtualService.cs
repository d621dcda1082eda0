using FastPathLb.Balancer.Ipvs.Scheduling;

namespace FastPathLb.Balancer.Ipvs;

/// <summary>A virtual service (struct ip_vs_service): what clients call, and the real servers behind it.</summary>
public sealed class VirtualService
{
    private readonly List<RealServer> _servers = [];
    private long _persistenceNanoseconds;
    private bool _isOnePacket;
    private VirtualService? _leader;
    private ClaimedPicks? _claims;

    // Noted, since the scheduler lies where the other workers write.
    private bool _isLedBlindly;

    internal VirtualService(ServiceKey key, string schedulerName, IReadOnlyList<string> schedulerFlags)
    {
        Key = key;
        SchedulerName = schedulerName;
        SchedulerFlags = schedulerFlags;
        Scheduler = SchedulerCatalog.Create(schedulerName, this, schedulerFlags);
    }

    /// <summary>The mark, or protocol, address and port.</summary>
    public ServiceKey Key { get; }

    /// <summary>Name of the scheduler, as <c>ipvsadm -s</c> takes it.</summary>
    public string SchedulerName { get; internal set; }

    /// <summary>Flags of the scheduler, as <c>ipvsadm -b</c> takes them.</summary>
    public IReadOnlyList<string> SchedulerFlags { get; internal set; }

    /// <summary>The scheduler.</summary>
    public Scheduler Scheduler { get; internal set; }

    /// <summary>How long a client stays with its server, in nanoseconds; 0 for not at all.</summary>
    public long PersistenceNanoseconds
    {
        get => _persistenceNanoseconds;
        internal set
        {
            _persistenceNanoseconds = value;
            Version++;
        }
    }

    /// <summary>Which clients count as one for persistence.</summary>
    public uint PersistenceMask { get; internal set; } = uint.MaxValue;

    /// <summary>Whether every datagram is a connection of its own.</summary>
    public bool IsOnePacket
    {
        get => _isOnePacket;
        internal set
        {
            _isOnePacket = value;
            Version++;
        }
    }

    /// <summary>
    /// The service of the first of several workers, whose scheduler picks for all of them; null where there is one worker.
    /// </summary>
    /// <remarks>Set again after each change: what was claimed before is void.</remarks>
    internal VirtualService? Leader
    {
        get => _leader;
        set
        {
            _leader = value;
            _claims = value is null ? null : new ClaimedPicks(this);
            _isLedBlindly = value is { Scheduler.IsBlind: true };
        }
    }

    /// <summary>Real servers, the newest first: the kernel's list, and the order schedulers walk.</summary>
    public IReadOnlyList<RealServer> Servers => _servers;

    /// <summary>The servers, for walking.</summary>
    internal ReadOnlySpan<RealServer> Walked => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_servers);

    /// <summary>How often something was changed by which new connections find a server: its servers, persistence, one packet.</summary>
    internal long Version { get; private set; }

    /// <summary>Traffic.</summary>
    public IpvsCounters Counters { get; } = new();

    /// <summary>Puts servers to the front of the list, in this order. Before the first connection only.</summary>
    public void Reorder(IReadOnlyList<RealServer> front)
    {
        for (int index = front.Count - 1; index >= 0; index--)
        {
            if (_servers.Remove(front[index]))
            {
                _servers.Insert(0, front[index]);
            }
        }

        Scheduler.ServersChanged(null, -1);
    }

    /// <summary>
    /// The server for a new connection, by number, or -1 where none can take it. Of several workers, each takes what it has claimed first.
    /// </summary>
    internal int Pick(uint client, ushort clientPort, uint called)
    {
        if (_claims is not { } claims)
        {
            return Scheduler.Pick(client, clientPort, called)?.Number ?? -1;
        }

        if (claims.Take() is { } claimed)
        {
            return claimed.Number;
        }

        return _leader!.Scheduler.PickAmongWorkers(client, clientPort, called)?.Number ?? -1;
    }

    /// <summary>Who will probably be picked after so many other picks: see <see cref="Scheduling.Scheduler.Forecast"/>.</summary>
    /// <param name="picksBefore">Picks before.</param>
    /// <param name="claims">
    /// How many picks to claim where there are several workers and those of this one do not suffice: then the forecast holds, and the
    /// picks are made in one turn. 0 where they may go to another worker first.
    /// </param>
    internal RealServer? Forecast(int picksBefore, int claims)
    {
        if (_claims is not { } claimed)
        {
            return Scheduler.Forecast(picksBefore);
        }

        if (picksBefore >= claimed.Count && claims > 0 && HasClaims)
        {
            claimed.Claim(_leader!.Scheduler, claims);
        }

        return picksBefore < claimed.Count ? claimed[picksBefore] : _leader!.Scheduler.Forecast(picksBefore - claimed.Count);
    }

    /// <summary>Whether this worker claims picks ahead: where each connection takes one, whosever it is.</summary>
    internal bool HasClaims => _isLedBlindly && _persistenceNanoseconds == 0;

    internal void Link(RealServer server)
    {
        _servers.Insert(0, server);
        Version++;
    }

    /// <summary>Notes that a server was changed.</summary>
    internal void NoteChange() => Version++;

    internal int Unlink(RealServer server)
    {
        int index = _servers.IndexOf(server);
        if (index >= 0)
        {
            _servers.RemoveAt(index);
            Version++;
        }

        return index;
    }

    internal RealServer? Find(uint address, ushort port)
    {
        for (int index = 0; index < _servers.Count; index++)
        {
            if (_servers[index].Address == address && _servers[index].Port == port)
            {
                return _servers[index];
            }
        }

        return null;
    }
}
