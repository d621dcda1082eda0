namespace FastPathLb.Balancer.Ipvs.Scheduling;

/// <summary>
/// Picks that one of several workers took from the scheduler they share for connections that it is about to open: several in one turn,
/// since a turn costs a cache line that the others have. First taken, first used. Owned by one worker.
/// </summary>
internal sealed class ClaimedPicks
{
    // More than frames are looked at together, twice, and more than a cache line beside those of another worker.
    private const uint CountMax = 256;

    private readonly RealServer[] _picks = new RealServer[CountMax];
    private uint _next;
    private uint _end;

    /// <summary>How many there are.</summary>
    public int Count => (int)(_end - _next);

    /// <summary>Who will be taken after so many others.</summary>
    public RealServer this[int index] => _picks[(_next + (uint)index) % CountMax];

    /// <summary>Has a service's scheduler pick more, in one turn: as many as it can, and as there is room for.</summary>
    /// <param name="leader">The service whose scheduler picks for all workers.</param>
    /// <param name="own">
    /// The worker's own servers, in the order of the leader's: they are what is kept, since the leader's lie beside counters that its worker
    /// writes for each frame.
    /// </param>
    /// <param name="count">How many.</param>
    public void Claim(VirtualService leader, ReadOnlySpan<RealServer> own, int count)
    {
        uint begin = _end;
        Scheduler scheduler = leader.Scheduler;
        scheduler.BeginTurn();
        for (; count > 0 && Count < CountMax && scheduler.Pick(client: 0, clientPort: 0, called: 0) is { } server; count--)
        {
            _picks[_end++ % CountMax] = server;
        }

        scheduler.EndTurn();
        Adopt(begin, leader.Walked, own);
    }

    /// <summary>Takes the first one that still can take a connection; null where there is none.</summary>
    public RealServer? Take()
    {
        while (_next != _end)
        {
            RealServer server = _picks[_next++ % CountMax];
            if (server.CanTake)
            {
                return server;
            }
        }

        return null;
    }

    /// <summary>Puts the worker's own servers in the place of the leader's.</summary>
    private void Adopt(uint begin, ReadOnlySpan<RealServer> leaders, ReadOnlySpan<RealServer> own)
    {
        int place = 0;
        for (uint next = begin; next != _end; next++)
        {
            ref RealServer pick = ref _picks[next % CountMax];

            // From the last one on: round robin's next is the next in the list.
            while (!ReferenceEquals(leaders[place], pick))
            {
                place = place + 1 < leaders.Length ? place + 1 : 0;
            }

            System.Diagnostics.Debug.Assert(own[place].Number == pick.Number, "all workers' lists are in one order");
            pick = own[place];
        }
    }
}
