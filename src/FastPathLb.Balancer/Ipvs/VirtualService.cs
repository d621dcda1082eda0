using FastPathLb.Balancer.Ipvs.Scheduling;

namespace FastPathLb.Balancer.Ipvs;

/// <summary>A virtual service (struct ip_vs_service): what clients call, and the real servers behind it.</summary>
public sealed class VirtualService
{
    private readonly List<RealServer> _servers = [];

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
    public long PersistenceNanoseconds { get; internal set; }

    /// <summary>Which clients count as one for persistence.</summary>
    public uint PersistenceMask { get; internal set; } = uint.MaxValue;

    /// <summary>Whether every datagram is a connection of its own.</summary>
    public bool IsOnePacket { get; internal set; }

    /// <summary>Real servers, the newest first: the kernel's list, and the order schedulers walk.</summary>
    public IReadOnlyList<RealServer> Servers => _servers;

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

    internal void Link(RealServer server) => _servers.Insert(0, server);

    internal int Unlink(RealServer server)
    {
        int index = _servers.IndexOf(server);
        if (index >= 0)
        {
            _servers.RemoveAt(index);
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
