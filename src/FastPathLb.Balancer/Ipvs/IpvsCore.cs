using FastPathLb.Balancer.Ipvs.Scheduling;
using FastPathLb.Balancer.Stack;
using FastPathLb.Conntrack;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Ipvs;

/// <summary>
/// A namespace's IP virtual server: services, servers and connections (ip_vs_ctl.c, ip_vs_conn.c, Linux 6.1). Owned by one
/// worker; services and servers change between batches only.
/// </summary>
public sealed class IpvsCore
{
    private const long Second = 1_000_000_000;
    private const long ControlledRetry = 60 * Second;
    private const long TrashPeriod = 120 * Second;
    private const int ExpireBudget = int.MaxValue;

    private readonly NetworkNamespace _space;
    private readonly ConnectionTable _table;
    private readonly List<VirtualService> _services = [];
    private readonly Dictionary<ServiceKey, VirtualService> _byKey = [];
    private readonly List<RealServer> _servers = [];
    private readonly List<RealServer> _trash = [];
    private long _nextTrashSweep;

    internal IpvsCore(NetworkNamespace space, ConnectionTable table)
    {
        _space = space;
        _table = table;
        Input = new IpvsInput(space, this, table);
        Output = new IpvsOutput(space, this, table);
    }

    /// <summary>Services in the order they were made.</summary>
    public IReadOnlyList<VirtualService> Services => _services;

    /// <summary>All servers that ever were, by number.</summary>
    public IReadOnlyList<RealServer> Servers => _servers;

    /// <summary>Switches.</summary>
    public IpvsSettings Settings { get; } = new();

    /// <summary>Timeouts.</summary>
    public IpvsTimeouts Timeouts { get; } = new();

    /// <summary>Whether packets pass IPVS's hooks: while there is a service.</summary>
    public bool IsActive => _services.Count > 0;

    internal IpvsInput Input { get; }

    internal IpvsOutput Output { get; }

    /// <summary>Finds a service by its key.</summary>
    public VirtualService? FindService(ServiceKey key) => _byKey.GetValueOrDefault(key);

    /// <summary>The service a packet is for (ip_vs_service_find): by mark, by address and port, by address alone.</summary>
    internal VirtualService? FindService(uint fwmark, IpProtocol protocol, uint address, ushort port)
    {
        if (fwmark != 0 && _byKey.TryGetValue(ServiceKey.OfFwmark(fwmark), out VirtualService? marked))
        {
            return marked;
        }

        return _byKey.TryGetValue(new ServiceKey(0, protocol, address, port), out VirtualService? exact) ? exact
            : _byKey.GetValueOrDefault(new ServiceKey(0, protocol, address, 0));
    }

    /// <summary>Adds a service (<c>ipvsadm -A</c>); an existing one is left as it is.</summary>
    public VirtualService AddService(ServiceKey key, string scheduler, IReadOnlyList<string> schedulerFlags)
    {
        if (_byKey.TryGetValue(key, out VirtualService? existing))
        {
            return existing;
        }

        VirtualService service = new(key, scheduler, schedulerFlags);
        _services.Add(service);
        _byKey.Add(key, service);
        return service;
    }

    /// <summary>Changes a service (<c>ipvsadm -E</c>); its servers and connections stay.</summary>
    public static void EditService(VirtualService service, string scheduler, IReadOnlyList<string> schedulerFlags)
    {
        service.SchedulerName = scheduler;
        service.SchedulerFlags = schedulerFlags;
        service.Scheduler = SchedulerCatalog.Create(scheduler, service, schedulerFlags);
    }

    /// <summary>Sets persistence (<c>ipvsadm -p</c>).</summary>
    public static void SetPersistence(VirtualService service, int seconds, uint clientMask)
    {
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
        _byKey.Remove(service.Key);
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
            trashed => trashed.Address == address && trashed.Port == port && trashed.Service.Key == service.Key);
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
            server = new RealServer(_servers.Count, service, address, port);
            _servers.Add(server);
        }

        Update(server, method, weight, upperThreshold, lowerThreshold, isNew: true);
        service.Link(server);
        service.Scheduler.ServersChanged(null, -1);
        return server;
    }

    /// <summary>Changes a server (<c>ipvsadm -e</c>).</summary>
    public static void EditServer(
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

    /// <summary>Expires what is due by now.</summary>
    internal void Expire(long now)
    {
        SweepTrash(now);
        int budget = ExpireBudget;
        _table.Wheel.Start(now);
        for (int number = _table.Wheel.TakeDue(now, ref budget); number >= 0; number = _table.Wheel.TakeDue(now, ref budget))
        {
            ref Connection connection = ref _table[number];
            connection.Flags &= ~ConnectionFlags.Timed;
            if (connection.IsBalanced)
            {
                if (connection.IpvsExpires <= now)
                {
                    // At its own time, which may lie well before now: what depends on it is timed from there.
                    ExpireConnection(number, connection.IpvsExpires, isImmediate: false);
                }
                else
                {
                    _table.Time(number, connection.IpvsExpires);
                }
            }
            else if (connection.IsTracked)
            {
                if (connection.TrackExpires <= now)
                {
                    _space.Tracker.Forget(number, connection.TrackExpires);
                }
                else
                {
                    _table.Time(number, connection.TrackExpires);
                }
            }
        }
    }

    /// <summary>Finds the connection of a packet from a client, by the addresses the client used (ip_vs_conn_in_get).</summary>
    internal bool TryFindIn(in FlowKey key, long now, out int number)
    {
        if (!_table.TryFind(key, out number, out FlowDirection direction) || direction != FlowDirection.Original
            || !_table[number].IsBalanced)
        {
            number = -1;
            return false;
        }

        if (_table[number].IpvsExpires > now || !ExpireConnection(number, now, isImmediate: false))
        {
            return true;
        }

        number = -1;
        return false;
    }

    /// <summary>Finds the connection of a packet from a server, by server and client (ip_vs_conn_out_get).</summary>
    internal bool TryFindOut(FlowKey key, long now, int attached, out int number)
    {
        if (attached >= 0 && MatchesOut(attached, key))
        {
            number = attached;
        }
        else if (!(_table.TryFind(key, out number, out FlowDirection direction) && direction == FlowDirection.Reply
            && MatchesOut(number, key)))
        {
            key.Kind = FlowKind.IpvsReply;
            if (!_table.TryFind(key, out number, out _) || !_table[number].IsBalanced)
            {
                number = -1;
                return false;
            }
        }

        if (_table[number].IpvsExpires > now || !ExpireConnection(number, now, isImmediate: false))
        {
            return true;
        }

        number = -1;
        return false;
    }

    /// <summary>Makes IPVS find replies of a connection for which conntrack has no binding.</summary>
    internal void IndexReplyOf(int number)
    {
        ref Connection connection = ref _table[number];
        if ((connection.Flags & ConnectionFlags.Template) != 0 || connection.Server < 0)
        {
            return;
        }

        connection.Reply = ReplyKeyOf(connection);
        connection.Reply.Kind = FlowKind.IpvsReply;
        _table.IndexReply(number);
    }

    /// <summary>A new connection to a server (ip_vs_conn_new, ip_vs_bind_dest).</summary>
    /// <returns>Its number, or -1 where the table is full.</returns>
    internal int Open(in FlowKey key, RealServer server, bool isOnePacket, long now)
    {
        int number;
        if (_table.TryFind(key, out int found, out FlowDirection direction) && direction == FlowDirection.Original
            && !_table[found].IsBalanced)
        {
            // Conntrack knows the flow already.
            number = found;
        }
        else
        {
            number = _table.Allocate();
            if (number < 0)
            {
                return -1;
            }

            _table[number].Original = key;
            if (_table.IndexOriginal(number) != IndexInsert.Done)
            {
                _table.Release(number);
                return -1;
            }
        }

        ref Connection connection = ref _table[number];
        connection.Server = server.Number;
        connection.Control = 0;
        connection.InPackets = 0;
        connection.IpvsState = IpvsTcpState.None;
        connection.Flags |= ConnectionFlags.Balanced | ConnectionFlags.Inactive
            | (isOnePacket ? ConnectionFlags.OnePacket : ConnectionFlags.None)
            | (server.Method == ForwardingMethod.Masquerade ? ConnectionFlags.None : ConnectionFlags.NoOutput)
            | (Settings.UsesConntrack ? ConnectionFlags.OwnsConntrack : ConnectionFlags.None);
        server.TotalConnections++;
        if (server.TotalConnections == server.UpperThreshold)
        {
            server.UpdateOverload(1);
        }

        if (!connection.IsTracked)
        {
            IndexReplyOf(number);
        }

        connection.IpvsExpires = now + (3 * Second);
        _table.Time(number, connection.IpvsExpires);
        return number;
    }

    /// <summary>
    /// Takes over a TCP connection that was opened before anything was seen of it: established, its windows not known. It counts
    /// among the server's connections, but not among those scheduled.
    /// </summary>
    /// <param name="key">Client to virtual address.</param>
    /// <param name="server">Its server.</param>
    /// <param name="translatedSource">Address that the server sees as the client's.</param>
    /// <param name="translatedPort">Port that the server sees as the client's.</param>
    /// <param name="now">Time, nanoseconds since the Unix epoch.</param>
    public bool Adopt(in FlowKey key, RealServer server, uint translatedSource, ushort translatedPort, long now)
    {
        if (_table.TryFind(key, out _, out _))
        {
            return false;
        }

        int number = Open(key, server, isOnePacket: false, now);
        if (number < 0)
        {
            return false;
        }

        ref Connection connection = ref _table[number];
        connection.IpvsState = IpvsTcpState.Established;
        connection.Flags &= ~ConnectionFlags.Inactive;
        server.ActiveConnections++;
        Restart(number, now + Timeouts[IpvsTcpState.Established]);
        if (Settings.UsesConntrack)
        {
            FlowKey reply = ReplyKeyOf(connection);
            reply.Destination = translatedSource;
            reply.DestinationPort = translatedPort;
            _space.Tracker.Adopt(number, reply, now);
        }

        return true;
    }

    /// <summary>A persistence template (ip_vs_sched_persist).</summary>
    internal int OpenTemplate(in FlowKey key, RealServer server, long timeout, long now)
    {
        int number = _table.Allocate();
        if (number < 0)
        {
            return -1;
        }

        ref Connection template = ref _table[number];
        template.Original = key;
        template.Server = server.Number;
        template.Flags |= ConnectionFlags.Balanced | ConnectionFlags.Template | ConnectionFlags.Inactive;
        template.IpvsExpires = now + timeout;
        if (_table.IndexOriginal(number) != IndexInsert.Done)
        {
            template.Flags = ConnectionFlags.None;
            _table.Release(number);
            return -1;
        }

        server.PersistentConnections++;
        _table.Time(number, template.IpvsExpires);
        return number;
    }

    /// <summary>Starts the connection's time anew; where it ends sooner than it did, the wheel is told.</summary>
    internal void Restart(int number, long expires)
    {
        ref Connection connection = ref _table[number];
        bool isSooner = expires < connection.IpvsExpires;
        connection.IpvsExpires = expires;
        if (isSooner)
        {
            _table.Time(number, expires);
        }
    }

    /// <summary>
    /// Ends a connection (ip_vs_conn_expire): a template that controls others waits for them; conntrack's entry goes with it.
    /// </summary>
    /// <param name="number">The connection.</param>
    /// <param name="now">Time.</param>
    /// <param name="isImmediate">Whether it ends before its time: then a template that never carried traffic goes too.</param>
    /// <returns>Whether it is gone.</returns>
    internal bool ExpireConnection(int number, long now, bool isImmediate)
    {
        ref Connection connection = ref _table[number];
        bool isTemplate = (connection.Flags & ConnectionFlags.Template) != 0;
        if (isTemplate && connection.Control > 0)
        {
            Restart(number, now + ControlledRetry);
            _table.Time(number, now + ControlledRetry);
            return false;
        }

        uint control = isTemplate ? 0 : connection.Control;
        bool ownsConntrack = (connection.Flags & (ConnectionFlags.OwnsConntrack | ConnectionFlags.OnePacket))
            == ConnectionFlags.OwnsConntrack;
        Unbind(ref connection, isTemplate);
        connection.Flags &= ~(ConnectionFlags.Balanced | ConnectionFlags.Template | ConnectionFlags.Inactive
            | ConnectionFlags.OwnsConntrack | ConnectionFlags.OnePacket | ConnectionFlags.NoOutput
            | ConnectionFlags.TemplateAssured);
        connection.Control = 0;
        if (connection.IsTracked && ownsConntrack)
        {
            _space.Tracker.Forget(number, now);
        }
        else if (connection.IsTracked)
        {
            _table.Time(number, connection.TrackExpires);
        }
        else
        {
            _table.UnindexReply(number);
            _table.UnindexOriginal(number);
            _table.Untime(number);
            _table.Release(number);
        }

        if (control > 0)
        {
            LetGo((int)control - 1, now, isImmediate);
        }

        return true;
    }

    /// <summary>Makes a connection depend on a template (ip_vs_control_add).</summary>
    internal void Depend(int number, int template)
    {
        _table[number].Control = (uint)(template + 1);
        _table[template].Control++;
    }

    /// <summary>The template has carried traffic (ip_vs_control_assure_ct).</summary>
    internal void AssureTemplateOf(in Connection connection)
    {
        if (connection.Control > 0 && (connection.Flags & ConnectionFlags.Template) == 0)
        {
            _table[(int)connection.Control - 1].Flags |= ConnectionFlags.TemplateAssured;
        }
    }

    /// <summary>What comes back from a connection's server, as IPVS knows it.</summary>
    internal FlowKey ReplyKeyOf(in Connection connection)
    {
        RealServer server = _servers[connection.Server];
        FlowKey key = connection.Original.Reverse();
        if (server.Method == ForwardingMethod.Masquerade)
        {
            key.Source = server.Address;
            key.SourcePort = server.PortFor(connection.Original.DestinationPort);
        }

        return key;
    }

    private static void Update(
        RealServer server, ForwardingMethod method, int weight, int upperThreshold, int lowerThreshold, bool isNew)
    {
        if (isNew || weight != 0)
        {
            server.LastWeight = weight;
        }

        server.Weight = weight;
        server.Method = method;
        server.IsAvailable = true;
        if (server.UpperThreshold != upperThreshold || server.LowerThreshold != lowerThreshold)
        {
            server.UpperThreshold = upperThreshold;
            server.LowerThreshold = lowerThreshold;
            server.UpdateOverload(0);
        }
    }

    private bool MatchesOut(int number, in FlowKey key)
    {
        ref Connection connection = ref _table[number];
        return connection.IsBalanced && (connection.Flags & ConnectionFlags.Template) == 0
            && ReplyKeyOf(connection).Matches(key);
    }

    private void Unlink(VirtualService service, RealServer server, bool tellScheduler, long now)
    {
        server.IsAvailable = false;
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
            ExpireConnectionsOf(server, now);
        }
    }

    /// <summary>
    /// Frees removed servers that nothing holds any more (ip_vs_dest_trash_expire): looked at once in half a period, noted as
    /// idle the first time, freed once idle for a whole period. Until then the same server comes back with its counters.
    /// </summary>
    private void SweepTrash(long now)
    {
        while (_trash.Count > 0 && now >= _nextTrashSweep)
        {
            for (int index = _trash.Count - 1; index >= 0; index--)
            {
                RealServer server = _trash[index];
                if (server.TotalConnections > 0 || server.PersistentConnections > 0)
                {
                    continue;
                }

                if (server.IdleSince == 0)
                {
                    server.IdleSince = _nextTrashSweep;
                }
                else if (_nextTrashSweep >= server.IdleSince + TrashPeriod)
                {
                    _trash.RemoveAt(index);
                }
            }

            _nextTrashSweep += TrashPeriod / 2;
        }
    }

    /// <summary>ip_vs_expire_nodest_conn_flush.</summary>
    private void ExpireConnectionsOf(RealServer server, long now)
    {
        for (int number = 0; number < _table.NumbersUsed; number++)
        {
            ref Connection connection = ref _table[number];
            if (connection.IsBalanced && connection.Server == server.Number && connection.Original.Network == _space.Number
                && ((connection.Flags & ConnectionFlags.Template) == 0 || connection.Control == 0))
            {
                ExpireConnection(number, now, isImmediate: true);
            }
        }
    }

    private void Unbind(ref Connection connection, bool isTemplate)
    {
        RealServer server = _servers[connection.Server];
        connection.Server = -1;
        if (isTemplate)
        {
            server.PersistentConnections--;
            return;
        }

        if ((connection.Flags & ConnectionFlags.Inactive) == 0)
        {
            server.ActiveConnections--;
        }

        server.TotalConnections--;
        if (server.UpperThreshold > 0 && server.TotalConnections + 1 == server.LowerThresholdInForce)
        {
            server.UpdateOverload(-1);
        }
    }

    private void LetGo(int template, long now, bool isImmediate)
    {
        ref Connection connection = ref _table[template];
        if (connection.Control > 0)
        {
            connection.Control--;
        }

        if (isImmediate && connection.Control == 0 && (connection.Flags & ConnectionFlags.TemplateAssured) == 0)
        {
            ExpireConnection(template, now, isImmediate: true);
        }
    }
}
