using FastPathLb.Balancer.Ipvs.Scheduling;
using FastPathLb.Balancer.Stack;
using FastPathLb.Conntrack;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Ipvs;

/// <summary>
/// A namespace's IP virtual server: services and servers (ip_vs_ctl.c, Linux 6.1). Owned by one
/// worker; services and servers change between batches only.
/// </summary>
public sealed class IpvsCore
{
    private const long Second = 1_000_000_000;
    private const long TrashPeriod = 120 * Second;

    private readonly List<VirtualService> _services = [];

    // By ServiceKey.Word: a comparer for a type of ours would be compiled as the program starts.
    private readonly Dictionary<ulong, VirtualService> _byKey = [];
    private readonly List<RealServer> _servers = [];
    private readonly List<RealServer> _trash = [];
    private readonly EntryDropper _dropper;
    private readonly NetworkNamespace _space;
    private readonly ConnectionTable _table;
    private long _nextTrashSweep;
    private bool _hadTemplates;

    internal IpvsCore(NetworkNamespace space, ConnectionTable table)
    {
        _space = space;
        _table = table;
        Connections = new IpvsConnections(space, this, table);
        Input = new IpvsInput(space, this, table);
        Output = new IpvsOutput(space, this, table);
        _dropper = new EntryDropper(this, table, space.Number);
    }

    /// <summary>Services in the order they were made.</summary>
    public IReadOnlyList<VirtualService> Services => _services;

    /// <summary>All servers that ever were, by number.</summary>
    public IReadOnlyList<RealServer> Servers => _servers;

    /// <summary>Switches.</summary>
    public IpvsSettings Settings { get; } = new();

    /// <summary>Timeouts.</summary>
    public IpvsTimeouts Timeouts { get; } = new();

    /// <summary>Connections and templates.</summary>
    public IpvsConnections Connections { get; }

    /// <summary>Whether packets pass IPVS's hooks: while there is a service.</summary>
    public bool IsActive => _services.Count > 0;

    /// <summary>How often a service came or went.</summary>
    internal long ServicesVersion { get; private set; }

    /// <summary>How often a server came, went or was edited.</summary>
    internal long ServersVersion { get; private set; }

    /// <summary>
    /// Whether a packet may touch a connection other than its own: a template, or one that conntrack does not lead to. Workers then
    /// take turns with all that is not established.
    /// </summary>
    internal bool NeedsWholeTable => !Settings.UsesConntrack || _hadTemplates;

    /// <summary>When removed servers are looked at next, nanoseconds since the Unix epoch.</summary>
    internal long NextDue => Math.Min(_trash.Count > 0 ? _nextTrashSweep : long.MaxValue, _dropper.NextDue);

    internal IpvsInput Input { get; }

    internal IpvsOutput Output { get; }

    /// <summary>Finds a service by its key.</summary>
    public VirtualService? FindService(ServiceKey key) => _byKey.GetValueOrDefault(key.Word);

    /// <summary>The service a packet is for (ip_vs_service_find): by mark, by address and port, by address alone.</summary>
    internal VirtualService? FindService(uint fwmark, IpProtocol protocol, uint address, ushort port)
    {
        if (fwmark != 0 && _byKey.TryGetValue(ServiceKey.OfFwmark(fwmark).Word, out VirtualService? marked))
        {
            return marked;
        }

        return _byKey.TryGetValue(new ServiceKey(0, protocol, address, port).Word, out VirtualService? exact) ? exact
            : _byKey.GetValueOrDefault(new ServiceKey(0, protocol, address, 0).Word);
    }

    /// <summary>Adds a service (<c>ipvsadm -A</c>); an existing one is left as it is.</summary>
    public VirtualService AddService(ServiceKey key, string scheduler, IReadOnlyList<string> schedulerFlags)
    {
        if (_byKey.TryGetValue(key.Word, out VirtualService? existing))
        {
            return existing;
        }

        VirtualService service = new(key, scheduler, schedulerFlags);
        _services.Add(service);
        _byKey.Add(key.Word, service);
        ServicesVersion++;
        return service;
    }

    /// <summary>
    /// Changes a service (<c>ipvsadm -E</c>); its servers and connections stay, and its scheduler's state where it stays the same
    /// (ip_vs_edit_service).
    /// </summary>
    public static void EditService(VirtualService service, string scheduler, IReadOnlyList<string> schedulerFlags)
    {
        if (service.SchedulerName == scheduler && AreEqual(service.SchedulerFlags, schedulerFlags))
        {
            return;
        }

        service.SchedulerName = scheduler;
        service.SchedulerFlags = schedulerFlags;
        service.Scheduler = SchedulerCatalog.Create(scheduler, service, schedulerFlags);
    }

    private static bool AreEqual(IReadOnlyList<string> left, IReadOnlyList<string> right)
    {
        for (int index = 0; index < left.Count && left.Count == right.Count; index++)
        {
            if (left[index] != right[index])
            {
                return false;
            }
        }

        return left.Count == right.Count;
    }

    /// <summary>Sets persistence (<c>ipvsadm -p</c>).</summary>
    public void SetPersistence(VirtualService service, int seconds, uint clientMask)
    {
        _hadTemplates |= seconds > 0;
        service.PersistenceNanoseconds = seconds * Second;
        service.PersistenceMask = clientMask;
    }

    /// <summary>Sets one-packet scheduling (<c>ipvsadm -o</c>).</summary>
    public static void SetOnePacket(VirtualService service, bool isOnePacket) => service.IsOnePacket = isOnePacket;

    /// <summary>Removes a service with its servers (<c>ipvsadm -D</c>).</summary>
    public void RemoveService(VirtualService service, long now)
    {
        while (service.Servers.Count > 0)
        {
            Unlink(service, service.Servers[0], tellScheduler: false, now);
        }

        _services.Remove(service);
        _byKey.Remove(service.Key.Word);
        ServicesVersion++;
    }

    /// <summary>Adds a server (<c>ipvsadm -a</c>). One that connections still hold comes back with them and its counters.</summary>
    public RealServer AddServer(
        VirtualService service, uint address, ushort port, ForwardingMethod method, int weight, int upperThreshold,
        int lowerThreshold)
    {
        if (service.Find(address, port) is { } existing)
        {
            // The kernel says EEXIST and changes nothing; libnetwork ignores that.
            return existing;
        }

        RealServer? server = _trash.Find(
            trashed => trashed.Address == address && trashed.Port == port && trashed.Service.Key == service.Key && !trashed.IsGivenUp);
        if (server is not null)
        {
            _trash.Remove(server);
            if (!ReferenceEquals(server.Service, service))
            {
                server.Counters.Clear();
                server.Service = service;
            }
        }
        else
        {
            server = new RealServer(_servers.Count, service, address, port, _table, _space.Number);
            _servers.Add(server);
        }

        Update(server, method, weight, upperThreshold, lowerThreshold, isNew: true);
        service.Link(server);
        service.Scheduler.ServersChanged(null, -1);
        return server;
    }

    /// <summary>Changes a server (<c>ipvsadm -e</c>).</summary>
    public void EditServer(
        RealServer server, ForwardingMethod method, int weight, int upperThreshold, int lowerThreshold)
    {
        Update(server, method, weight, upperThreshold, lowerThreshold, isNew: false);
        server.Service.Scheduler.ServersChanged(null, -1);
    }

    /// <summary>Removes a server (<c>ipvsadm -d</c>). Connections end with it where expire_nodest_conn says so.</summary>
    public void RemoveServer(RealServer server, long now)
    {
        Unlink(server.Service, server, tellScheduler: true, now);
    }

    /// <summary>Sets counters to zero (<c>ipvsadm -Z</c>), of one service or of all.</summary>
    public void ClearCounters(VirtualService? only)
    {
        foreach (VirtualService service in _services)
        {
            if (only is null || ReferenceEquals(service, only))
            {
                service.Counters.Clear();
                foreach (RealServer server in service.Servers)
                {
                    server.Counters.Clear();
                }
            }
        }
    }

    /// <summary>Expires what is due by now, in the order of the times: a removed server is held by its connections while they live.</summary>
    internal void Expire(long now)
    {
        while (_trash.Count > 0 && now >= _nextTrashSweep)
        {
            Connections.Expire(_nextTrashSweep);
            SweepTrash(_nextTrashSweep);
            _nextTrashSweep += TrashPeriod / 2;
        }

        if (Settings.DropsEntries)
        {
            _dropper.Sweep(now);
        }

        Connections.Expire(now);
    }

    private void Update(
        RealServer server, ForwardingMethod method, int weight, int upperThreshold, int lowerThreshold, bool isNew)
    {
        if (isNew || weight != 0)
        {
            server.LastWeight = weight;
        }

        server.Weight = weight;
        server.Method = method;
        server.IsAvailable = true;
        ServersVersion++;
        server.Service.NoteChange();
        if (server.UpperThreshold != upperThreshold || server.LowerThreshold != lowerThreshold)
        {
            server.UpperThreshold = upperThreshold;
            server.LowerThreshold = lowerThreshold;
            server.UpdateOverload(0);
        }
    }

    private void Unlink(VirtualService service, RealServer server, bool tellScheduler, long now)
    {
        server.IsAvailable = false;
        ServersVersion++;
        int index = service.Unlink(server);
        if (tellScheduler)
        {
            service.Scheduler.ServersChanged(server, index);
        }

        if (_trash.Count == 0)
        {
            _nextTrashSweep = now + (TrashPeriod / 2);
        }

        server.IdleSince = 0;
        _trash.Insert(0, server);
        if (Settings.ExpiresConnectionsWithoutServer)
        {
            Connections.ExpireConnectionsOf(server, now);
        }
    }

    /// <summary>
    /// Frees removed servers that nothing holds any more (ip_vs_dest_trash_expire): looked at once in half a period, noted as
    /// idle the first time, freed once idle for a whole period. Until then the same server comes back with its counters.
    /// </summary>
    private void SweepTrash(long now)
    {
        for (int index = _trash.Count - 1; index >= 0; index--)
        {
            RealServer server = _trash[index];
            if (server.IsGivenUp)
            {
                // By another worker.
                _trash.RemoveAt(index);
                continue;
            }

            if (server.TotalConnections > 0 || server.PersistentConnections > 0)
            {
                continue;
            }

            if (server.IdleSince == 0)
            {
                server.IdleSince = now;
            }
            else if (now >= server.IdleSince + TrashPeriod)
            {
                server.IsGivenUp = true;
                _trash.RemoveAt(index);
            }
        }
    }
}
