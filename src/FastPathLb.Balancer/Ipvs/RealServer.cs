using FastPathLb.Conntrack;

namespace FastPathLb.Balancer.Ipvs;

/// <summary>A real server of a virtual service (struct ip_vs_dest). Lives on while connections hold it.</summary>
public sealed class RealServer
{
    private readonly ServerCounts _counts;
    private readonly int _worker;

    internal RealServer(int number, VirtualService service, uint address, ushort port, ConnectionTable table, ushort space)
    {
        Number = number;
        _counts = table.Store.CountsOf(space, number);
        _worker = table.Worker;
        Service = service;
        Address = address;
        Port = port;
    }

    /// <summary>Number by which connections know it; stable while it lives.</summary>
    public int Number { get; }

    /// <summary>The service it belongs to, or last belonged to.</summary>
    public VirtualService Service { get; internal set; }

    /// <summary>Address.</summary>
    public uint Address { get; }

    /// <summary>Port; 0 keeps the port the client called.</summary>
    public ushort Port { get; }

    /// <summary>How packets reach it.</summary>
    public ForwardingMethod Method { get; internal set; }

    /// <summary>Weight; 0 takes no new connections.</summary>
    public int Weight { get; internal set; }

    /// <summary>Weight before the last change that mattered to a table of Maglev's (last_weight).</summary>
    public int LastWeight { get; internal set; }

    /// <summary>Connections from which on it is overloaded; 0 for none.</summary>
    public int UpperThreshold { get; internal set; }

    /// <summary>Connections below which it is no longer overloaded; 0 for three quarters of the upper one.</summary>
    public int LowerThreshold { get; internal set; }

    /// <summary>Whether it is in a service's list (IP_VS_DEST_F_AVAILABLE).</summary>
    public bool IsAvailable { get; internal set; }

    /// <summary>Whether it takes no new connections until it has fewer (IP_VS_DEST_F_OVERLOAD).</summary>
    public bool IsOverloaded
    {
        get => _counts.IsOverloaded;
        internal set => _counts.IsOverloaded = value;
    }

    /// <summary>Connections in an active state, of all workers.</summary>
    public int ActiveConnections => _counts.Active;

    /// <summary>All connections but templates, of all workers.</summary>
    public int TotalConnections => _counts.Total;

    /// <summary>Templates, of all workers.</summary>
    public int PersistentConnections => _counts.Templates;

    /// <summary>Connections in an inactive state, as ipvsadm shows them.</summary>
    public int InactiveConnections => TotalConnections - ActiveConnections;

    /// <summary>Traffic.</summary>
    public IpvsCounters Counters { get; } = new();

    /// <summary>Whether it is in a service's list and packets are masqueraded to it, as Swarm has it.</summary>
    internal bool IsMasqueraded => IsAvailable && Method == ForwardingMethod.Masquerade;

    /// <summary>Whether a scheduler may pick it at all.</summary>
    internal bool CanTake => Weight > 0 && !IsOverloaded;

    /// <summary>Since when nothing holds the removed server, as far as was looked; 0 where it was not.</summary>
    internal long IdleSince { get; set; }

    /// <summary>Whether a worker gave the removed server up: it does not come back.</summary>
    internal bool IsGivenUp
    {
        get => _counts.IsGivenUp;
        set => _counts.IsGivenUp = value;
    }

    /// <summary>A connection became active, or ceased to be.</summary>
    internal void AddActive(int change) => _counts.AddActive(_worker, change);

    /// <summary>A connection came or went.</summary>
    internal void AddTotal(int change) => _counts.AddTotal(_worker, change);

    /// <summary>A template came or went.</summary>
    internal void AddTemplates(int change) => _counts.AddTemplates(_worker, change);

    /// <summary>The port a connection to a virtual port goes to.</summary>
    public ushort PortFor(ushort virtualPort) => Port != 0 ? Port : virtualPort;

    /// <summary>
    /// Looks at the thresholds after a connection came or went. Workers count at the same time: one of them may see the sum leap
    /// over a threshold, so that what lies beyond it counts as well, and the fence has the last one of them see the sum of all.
    /// </summary>
    /// <param name="trend">Above 0 after a connection came, below 0 after one went.</param>
    internal void CheckOverload(int trend)
    {
        if (UpperThreshold == 0)
        {
            return;
        }

        Interlocked.MemoryBarrier();
        int total = TotalConnections;
        if (trend > 0 ? total >= UpperThreshold : total < LowerThresholdInForce)
        {
            UpdateOverload(trend);
        }
    }

    /// <summary>
    /// Looks at the thresholds (__ip_vs_dest_update_overload): between the lower and the upper one the flag stays as it was,
    /// but that a rising count keeps it and a falling one clears it.
    /// </summary>
    /// <param name="trend">Above 0 after a connection came, below 0 after one went, 0 after thresholds changed.</param>
    internal void UpdateOverload(int trend)
    {
        if (UpperThreshold != 0)
        {
            if (TotalConnections >= (trend > 0 ? LowerThresholdInForce : UpperThreshold))
            {
                IsOverloaded = true;
                return;
            }

            if (TotalConnections >= (trend < 0 ? UpperThreshold : LowerThresholdInForce))
            {
                return;
            }
        }

        IsOverloaded = false;
    }

    /// <summary>The lower threshold, or three quarters of the upper one.</summary>
    internal int LowerThresholdInForce => LowerThreshold != 0 ? LowerThreshold : UpperThreshold - (UpperThreshold >> 2);
}
