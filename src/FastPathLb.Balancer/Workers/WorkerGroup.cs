using FastPathLb.Balancer.Ipvs;
using FastPathLb.Pipeline;

namespace FastPathLb.Balancer.Workers;

/// <summary>
/// Load balancers of one configuration that share their connections' memory, each for a thread of its own. A connection belongs to
/// the worker that its frames are steered to.
/// </summary>
public sealed class WorkerGroup
{
    private readonly LoadBalancer[] _members;

    /// <summary>Joins load balancers that were built alike over the tables of one store.</summary>
    /// <param name="members">The load balancers, in the order of the store's tables.</param>
    public WorkerGroup(params LoadBalancer[] members)
    {
        _members = members;
        Gate = new WorkerGate(_members.Length);
        Steering = new FrameSteering(_members.Length, _members[0].Namespace, _members[0].Uplink);
        for (int worker = 0; worker < _members.Length; worker++)
        {
            _members[worker].Join(this, worker);
        }

        ShareScheduling();
    }

    /// <summary>The load balancers.</summary>
    public IReadOnlyList<LoadBalancer> Members => _members;

    /// <summary>What lets one of them have all to itself.</summary>
    public WorkerGate Gate { get; }

    /// <summary>In whose turn connections are opened, where that matters.</summary>
    public OpeningTurns Turns { get; } = new();

    /// <summary>Which of them a frame is for.</summary>
    public FrameSteering Steering { get; }

    /// <summary>Does something to each load balancer while none of them runs. From a thread that runs none.</summary>
    public void Change(Action<LoadBalancer> change)
    {
        foreach (VirtualService service in _members[0].Namespace.Ipvs.Services)
        {
            service.Scheduler.EndSharing();
        }

        foreach (LoadBalancer member in _members)
        {
            member.Namespace.Connections.IsExclusive = true;
            change(member);
            member.Namespace.Connections.IsExclusive = false;
        }

        ShareScheduling();
        Steering.Refresh();
    }

    /// <summary>
    /// Moves all counters to the first load balancer, whose tables then are those of the whole group. While none of them runs.
    /// </summary>
    public void Gather()
    {
        for (int worker = 1; worker < _members.Length; worker++)
        {
            CounterTransfer.Move(_members[worker], _members[0]);
        }
    }

    /// <summary>The first one's schedulers pick for all, so that rounds are one whole.</summary>
    private void ShareScheduling()
    {
        foreach (LoadBalancer member in _members)
        {
            foreach (VirtualService service in member.Namespace.Ipvs.Services)
            {
                service.Leader = _members[0].Namespace.Ipvs.FindService(service.Key);
            }
        }

        foreach (VirtualService service in _members[0].Namespace.Ipvs.Services)
        {
            service.Scheduler.BeginSharing();
        }
    }

    /// <summary>Lets the others learn what an ARP packet says, without their answering it as well. The gate is held.</summary>
    internal void Teach(int worker, FrameBatch batch, ReadOnlySpan<byte> arp, int inputIndex, long now)
    {
        int offset = batch.RentOutput(arp.Length);
        for (int other = 0; other < _members.Length; other++)
        {
            if (other != worker)
            {
                arp.CopyTo(batch.Slice(offset, arp.Length));
                _members[other].Learn(batch, offset, arp.Length, inputIndex, now);
            }
        }
    }
}
