using FastPathLb.Balancer.Workers;
using FastPathLb.Engine.Building;

namespace FastPathLb.Live.Running;

/// <summary>
/// The load balancer as its workers have it: one for each, over one table of connections, and all of one configuration. Changed and read
/// as a whole while no worker runs.
/// </summary>
internal sealed class LiveMembers : IDisposable
{
    private readonly BuiltWorkers? _workers;

    /// <summary>One worker's, which stands for itself.</summary>
    public LiveMembers(BuiltLoadBalancer only) => All = [only];

    /// <summary>Several workers'.</summary>
    public LiveMembers(BuiltWorkers workers)
    {
        _workers = workers;
        All = workers.Members;
    }

    /// <summary>The load balancers, in the order of the workers.</summary>
    public IReadOnlyList<BuiltLoadBalancer> All { get; }

    /// <summary>The first one, whose configuration is all others'.</summary>
    public BuiltLoadBalancer First => All[0];

    /// <summary>How they share, or null where there is one.</summary>
    public WorkerGroup? Group => _workers?.Group;

    /// <summary>Called after each change, while no worker runs yet.</summary>
    public Action? Changed { get; set; }

    /// <summary>Changes each in the same way. By way of the mailbox.</summary>
    /// <param name="change">The change, of a member and its number.</param>
    /// <returns>What it said of the first.</returns>
    public string? Change(Func<BuiltLoadBalancer, int, string?> change)
    {
        if (_workers is null)
        {
            return change(First, 0);
        }

        string? said = null;
        int number = 0;
        _workers.Change(member =>
        {
            string? text = change(member, number);
            said = number == 0 ? text : said;
            number++;
        });
        Changed?.Invoke();
        return said;
    }

    /// <inheritdoc/>
    public void Dispose() => First.Dispose();
}
