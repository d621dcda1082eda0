using FastPathLb.Balancer.Workers;

namespace FastPathLb.Engine.Building;

/// <summary>Load balancers of one node's state that share their connections, one for each worker.</summary>
/// <param name="Members">The load balancers.</param>
/// <param name="Group">The same, joined.</param>
public sealed record BuiltWorkers(IReadOnlyList<BuiltLoadBalancer> Members, WorkerGroup Group) : IDisposable
{
    /// <summary>The first one, which has the whole group's counters after <see cref="WorkerGroup.Gather"/>.</summary>
    public BuiltLoadBalancer First => Members[0];

    /// <summary>Does something to each, while none of them runs: a change of the configuration.</summary>
    public void Change(Action<BuiltLoadBalancer> change)
    {
        int member = 0;
        Group.Change(_ => change(Members[member++]));
    }

    /// <inheritdoc/>
    public void Dispose() => First.Dispose();
}
