namespace FastPathLb.Balancer.Ipvs.Scheduling;

/// <summary>
/// Picks a real server for a new connection (struct ip_vs_scheduler). Servers of weight 0 and overloaded ones take none.
/// Owned by one worker; told of changes between batches.
/// </summary>
public abstract class Scheduler
{
    // A turn is over within some tens of nanoseconds: to give up the processor for it costs more than to wait.
    private const int SpinsAtFirst = 200;

    // Beside what the turn is about, so that one cache line wanders between workers.
    private int _hasTurn;

    /// <summary>Makes a scheduler for a service.</summary>
    protected Scheduler(VirtualService service) => Service = service;

    /// <summary>The service.</summary>
    protected VirtualService Service { get; }

    /// <summary>The server for a new connection, or null where none can take it.</summary>
    /// <param name="client">Client's address.</param>
    /// <param name="clientPort">Client's port.</param>
    /// <param name="called">Address the client called.</param>
    public abstract RealServer? Pick(uint client, ushort clientPort, uint called);

    /// <summary>
    /// Whether picks depend neither on the client nor on what was opened before: then they may be made some connections ahead.
    /// </summary>
    internal virtual bool IsBlind => false;

    /// <summary>Several workers pick from here on, until <see cref="EndSharing"/>: between them nothing changes. While all of them rest.</summary>
    internal virtual void BeginSharing()
    {
    }

    /// <summary>Changes may come.</summary>
    internal virtual void EndSharing()
    {
    }

    /// <summary>
    /// Picks ahead for one of several workers, where that may be done (<see cref="IsBlind"/>): in one turn, since a turn costs a cache line
    /// that the others have.
    /// </summary>
    /// <param name="places">Takes the picks, as places in the service's list.</param>
    /// <returns>How many there are: fewer than there is room for where no server takes more.</returns>
    internal virtual int Claim(Span<int> places)
    {
        ReadOnlySpan<RealServer> servers = Service.Walked;
        int count = 0;
        int place = 0;
        BeginTurn();
        while (count < places.Length && Pick(client: 0, clientPort: 0, called: 0) is { } server)
        {
            // The next is seldom far from the last.
            while (!ReferenceEquals(servers[place], server))
            {
                place = place + 1 < servers.Length ? place + 1 : 0;
            }

            places[count++] = place;
        }

        EndTurn();
        return count;
    }

    /// <summary>Picks for one of several workers: in a turn, as the kernel's processors do (svc->sched_lock).</summary>
    internal virtual RealServer? PickAmongWorkers(uint client, ushort clientPort, uint called)
    {
        BeginTurn();
        RealServer? server = Pick(client, clientPort, called);
        EndTurn();
        return server;
    }

    /// <summary>Waits until no other worker picks. To be followed by <see cref="EndTurn"/>.</summary>
    private void BeginTurn()
    {
        SpinWait spin = default;
        for (int spins = 0; Interlocked.CompareExchange(ref _hasTurn, 1, 0) != 0; spins++)
        {
            if (spins < SpinsAtFirst)
            {
                Thread.SpinWait(1);
            }
            else
            {
                spin.SpinOnce(sleep1Threshold: -1);
            }
        }
    }

    /// <summary>Lets other workers pick.</summary>
    private void EndTurn() => Volatile.Write(ref _hasTurn, 0);

    /// <summary>A server was added, changed or taken out of the list.</summary>
    /// <param name="removedIndex">Where in the list the removed server was, or -1.</param>
    /// <param name="removed">The removed server, or null.</param>
    internal virtual void ServersChanged(RealServer? removed, int removedIndex)
    {
    }

    /// <summary>
    /// The server that will probably be picked after so many other picks, or null where that cannot be told: memory is asked for by
    /// it, nothing is decided.
    /// </summary>
    internal virtual RealServer? Forecast(int picksBefore) => null;

    /// <summary>The greatest common divisor of two positive numbers.</summary>
    private protected static int GreatestCommonDivisor(int left, int right)
    {
        while (right != 0)
        {
            (left, right) = (right, left % right);
        }

        return left;
    }
}
