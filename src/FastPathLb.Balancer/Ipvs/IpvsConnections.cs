using System.Runtime.CompilerServices;
using FastPathLb.Balancer.Stack;
using FastPathLb.Conntrack;

namespace FastPathLb.Balancer.Ipvs;

/// <summary>
/// IPVS's connections and templates (ip_vs_conn.c): found in both directions, opened, controlled by templates, expired. Their
/// records are shared with the connection tracker's.
/// </summary>
public sealed class IpvsConnections
{
    private const long Second = 1_000_000_000;
    private const long ControlledRetry = 60 * Second;
    private const int ExpireBudget = int.MaxValue;
    private const int PrefetchedAtOnce = 16;

    private readonly NetworkNamespace _space;
    private readonly IpvsCore _ipvs;
    private readonly ConnectionTable _table;
    private readonly LookAhead _ahead;

    internal IpvsConnections(NetworkNamespace space, IpvsCore ipvs, ConnectionTable table)
    {
        _space = space;
        _ipvs = ipvs;
        _table = table;
        _ahead = table.LookAhead;
    }

    /// <summary>Expires what is due by now, in the order of the times: a template that ends meanwhile waits for its connections.</summary>
    internal void Expire(long now)
    {
        int budget = ExpireBudget;
        TimingWheel wheel = _table.Wheel;
        wheel.Start(now);
        long before = wheel.Reached;
        int prefetched = 0;
        for (int number = wheel.TakeDue(now, ref budget); number >= 0; number = wheel.TakeDue(now, ref budget))
        {
            if (prefetched-- == 0)
            {
                prefetched = PrefetchDue(number, now) - 1;
            }

            ref Connection connection = ref _table[number];
            connection.Flags &= ~ConnectionFlags.Timed;
            if (!ExpireIfDue(number, wheel.Reached) && (connection.IsBalanced || connection.IsTracked))
            {
                _table.Time(number, connection.IsBalanced ? connection.IpvsExpires : connection.TrackExpires);
            }
        }

        if (wheel.Reached != before)
        {
            // The part of a tick that is left. Once a tick is enough: a packet ends what it finds to be over.
            for (int number = wheel.FirstOfNextTick; number >= 0;)
            {
                int next = wheel.NextOf(number);
                ExpireIfDue(number, now);
                number = next;
            }
        }
    }

    /// <summary>Asks for the memory of connections that come one after the other from a slot of the wheel: records, then index lines.</summary>
    /// <returns>How many, the first among them.</returns>
    private int PrefetchDue(int first, long now)
    {
        Span<int> numbers = stackalloc int[PrefetchedAtOnce];
        int count = 0;
        for (int number = first; number >= 0 && count < PrefetchedAtOnce; number = _table.Wheel.NextOf(number))
        {
            numbers[count++] = number;
            _ahead.PrefetchRecord(number);
        }

        if (count == 1)
        {
            return 1;
        }

        foreach (int number in numbers[..count])
        {
            ref Connection connection = ref _ahead[number];
            if ((connection.IsBalanced ? connection.IpvsExpires : connection.TrackExpires) <= now)
            {
                _ahead.PrefetchIndex(_ahead.Hash(connection.Original.Addresses, connection.Original.Rest));
                _ahead.PrefetchIndex(_ahead.Hash(connection.Reply.Addresses, connection.Reply.Rest));
            }
        }

        return count;
    }

    /// <summary>Finds the connection of a packet from a client, by the addresses the client used (ip_vs_conn_in_get).</summary>
    internal bool TryFindIn(FlowKey key, long now, out int number)
    {
        if (!_table.TryFind(key, out number, out FlowDirection direction) || direction != FlowDirection.Original
            || !_table.TryOwn(number) || !_table[number].IsBalanced)
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
        else if (attached >= 0 && !_table[attached].IsBalanced && _table[attached].Control > 0
            && MatchesOut((int)_table[attached].Control - 1, key))
        {
            number = (int)_table[attached].Control - 1;
        }
        else if (!(_table.TryFind(key, out number, out FlowDirection direction) && direction == FlowDirection.Reply
            && _table.TryOwn(number) && MatchesOut(number, key)))
        {
            key.Kind = FlowKind.IpvsReply;
            if (!_table.HasIpvsReplies || !_table.TryFind(key, out number, out _) || !_table.TryOwn(number) || !_table[number].IsBalanced)
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

    /// <summary>Whether a packet is a reply that IPVS knows, and conntrack does not.</summary>
    internal bool IsReply(FlowKey key)
    {
        key.Kind = FlowKind.IpvsReply;
        return _table.HasIpvsReplies && _table.TryFind(key, out _, out _);
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

    /// <summary>
    /// A new connection to a server (ip_vs_conn_new, ip_vs_bind_dest). Its replies are found once conntrack has confirmed its first
    /// packet, or else after <see cref="IndexReplyOf"/>: nothing can answer before that packet has left.
    /// </summary>
    /// <returns>Its number, or -1 where the table is full.</returns>
    internal int Open(FlowKey key, RealServer server, bool isOnePacket, long now)
    {
        int number;
        if (_table.TryFind(key, out int found, out FlowDirection direction) && direction == FlowDirection.Original
            && !_table[found].IsBalanced && _table.TryOwn(found))
        {
            // Conntrack knows the flow already.
            number = found;
        }
        else
        {
            if (!TryReserve(key, _table.Hash(key), out number))
            {
                return -1;
            }
        }

        Begin(number, server, isOnePacket, now);
        return number;
    }

    /// <summary>Takes a record for a flow that nobody knows, and has it found.</summary>
    private bool TryReserve(FlowKey key, ulong hash, out int number)
    {
        number = _table.Allocate();
        if (number < 0)
        {
            return false;
        }

        _table[number].Original = key;
        if (_table.IndexOriginal(number, hash) == IndexInsert.Done)
        {
            return true;
        }

        _table.Release(number);
        number = -1;
        return false;
    }

    /// <summary>Begins the entry of a connection to a server in a record that is the flow's.</summary>
    internal void Begin(int number, RealServer server, bool isOnePacket, long now) =>
        Begin(ref _table[number], number, server, isOnePacket, now);

    /// <summary>The same with the record at hand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Begin(ref Connection connection, int number, RealServer server, bool isOnePacket, long now)
    {
        connection.Server = server.Number;
        connection.Control = 0;
        connection.InPackets = 0;
        connection.DecisionGeneration = 0;
        connection.IpvsState = IpvsTcpState.None;
        connection.Flags |= ConnectionFlags.Balanced | ConnectionFlags.Inactive
            | (isOnePacket ? ConnectionFlags.OnePacket : ConnectionFlags.None)
            | (server.Method == ForwardingMethod.Masquerade ? ConnectionFlags.None : ConnectionFlags.NoOutput)
            | (_ipvs.Settings.UsesConntrack ? ConnectionFlags.OwnsConntrack : ConnectionFlags.None);
        server.AddTotal(1);
        server.CheckOverload(1);

        connection.IpvsExpires = now + (3 * Second);
        _table.Time(ref connection, number, connection.IpvsExpires);
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
    public bool Adopt(FlowKey key, RealServer server, uint translatedSource, ushort translatedPort, long now)
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
        server.AddActive(1);
        Restart(number, now + _ipvs.Timeouts[IpvsTcpState.Established]);
        if (_ipvs.Settings.UsesConntrack)
        {
            FlowKey reply = ReplyKeyOf(connection);
            reply.Destination = translatedSource;
            reply.DestinationPort = translatedPort;
            _space.Tracker.Adopt(number, reply, now);
        }
        else
        {
            IndexReplyOf(number);
        }

        return true;
    }

    /// <summary>A persistence template (ip_vs_sched_persist).</summary>
    internal int OpenTemplate(FlowKey key, RealServer server, long timeout, long now)
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

        server.AddTemplates(1);
        _table.Time(number, template.IpvsExpires);
        return number;
    }

    /// <summary>Starts the connection's time anew; where it ends sooner than it did, the wheel is told.</summary>
    internal void Restart(int number, long expires) => Restart(ref _table[number], number, expires);

    /// <summary>The same with the record at hand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Restart(ref Connection connection, int number, long expires)
    {
        if (expires < connection.IpvsExpires)
        {
            _table.Time(number, expires);
        }

        connection.IpvsExpires = expires;
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
        if (!_table.TryOwn(number))
        {
            return false;
        }

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
        RealServer server = _ipvs.Servers[connection.Server];
        FlowKey key = connection.Original.Reverse();
        if (server.Method == ForwardingMethod.Masquerade)
        {
            key.Source = server.Address;
            key.SourcePort = server.PortFor(connection.Original.DestinationPort);
        }

        return key;
    }

    /// <summary>Ends the connections of a removed server (ip_vs_expire_nodest_conn_flush).</summary>
    internal void ExpireConnectionsOf(RealServer server, long now)
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

    /// <summary>
    /// Ends what is over, at its own time, which may lie well before now: what depends on it is timed from there.
    /// </summary>
    private bool ExpireIfDue(int number, long now)
    {
        ref Connection connection = ref _table[number];
        if (connection.IsBalanced && connection.IpvsExpires <= now)
        {
            ExpireConnection(number, connection.IpvsExpires, isImmediate: false);
            return true;
        }

        if (!connection.IsBalanced && connection.IsTracked && connection.TrackExpires <= now)
        {
            _space.Tracker.Forget(number, connection.TrackExpires);
            return true;
        }

        return false;
    }

    private bool MatchesOut(int number, FlowKey key)
    {
        ref Connection connection = ref _table[number];
        return connection.IsBalanced && (connection.Flags & ConnectionFlags.Template) == 0
            && ReplyKeyOf(connection).Matches(key);
    }

    private void Unbind(ref Connection connection, bool isTemplate)
    {
        RealServer server = _ipvs.Servers[connection.Server];
        connection.Server = -1;
        if (isTemplate)
        {
            server.AddTemplates(-1);
            return;
        }

        if ((connection.Flags & ConnectionFlags.Inactive) == 0)
        {
            server.AddActive(-1);
        }

        server.AddTotal(-1);
        server.CheckOverload(-1);
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
