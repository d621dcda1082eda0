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

    /// <summary>Has a scheduler pick more, in one turn: as many as it can, and as there is room for.</summary>
    public void Claim(Scheduler scheduler, int count)
    {
        scheduler.BeginTurn();
        for (; count > 0 && Count < CountMax && scheduler.Pick(client: 0, clientPort: 0, called: 0) is { } server; count--)
        {
            _picks[_end++ % CountMax] = server;
        }

        scheduler.EndTurn();
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
}
