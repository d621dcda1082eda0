namespace FastPathLb.Balancer.Ipvs.Scheduling;

/// <summary>
/// Picks that one of several workers took from the scheduler they share for connections that it is about to open: several at once, see
/// <see cref="Scheduler.Claim"/>. First taken, first used. Owned by one worker.
/// </summary>
/// <remarks>
/// Kept as places in the service's list, which all workers have alike, so that what is read for each connection is the worker's own. Void
/// once the list changes.
/// </remarks>
internal sealed class ClaimedPicks
{
    // More than frames are looked at together, twice, and more than a cache line beside those of another worker.
    private const uint CountMax = 256;

    private readonly int[] _places = new int[CountMax];
    private readonly VirtualService _service;
    private uint _next;
    private uint _end;

    /// <summary>Begins without picks.</summary>
    /// <param name="service">The worker's own service.</param>
    public ClaimedPicks(VirtualService service) => _service = service;

    /// <summary>How many there are.</summary>
    public int Count => (int)(_end - _next);

    /// <summary>Who will be taken after so many others.</summary>
    public RealServer this[int index] => At(_next + (uint)index);

    /// <summary>Has a scheduler pick more: as many as it can, and as there is room for.</summary>
    public void Claim(Scheduler scheduler, int count)
    {
        while (count > 0 && Count < CountMax)
        {
            int begin = (int)(_end % CountMax);
            int wanted = Math.Min(count, (int)CountMax - Math.Max(begin, Count));
            int claimed = scheduler.Claim(_places.AsSpan(begin, wanted));
            _end += (uint)claimed;
            count = claimed < wanted ? 0 : count - claimed;
        }
    }

    /// <summary>Takes the first one that still can take a connection; null where there is none.</summary>
    public RealServer? Take()
    {
        while (_next != _end)
        {
            RealServer server = At(_next++);
            if (server.CanTake)
            {
                return server;
            }
        }

        return null;
    }

    private RealServer At(uint number) => _service.Walked[_places[number % CountMax]];
}
