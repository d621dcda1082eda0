using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace FastPathLb.Balancer.Ipvs.Scheduling;

/// <summary>rr (ip_vs_rr.c): one after the other, the newest first.</summary>
/// <remarks>
/// Where workers share it, a count of all picks stands for the last server: whoever adds to it has as many turns of the round, and nobody waits.
/// </remarks>
public sealed class RoundRobinScheduler : Scheduler
{
    // Two cache lines on either side of the count: neighbours are fetched in pairs, and everything around is read for each opening.
    private const int CountPlace = 16;

    // The server picked last; null stands for the list's head, before the first.
    private RealServer? _last;

    // Where in the list it was when it was picked: looked at first, since the list seldom changes.
    private int _lastIndex;

    private long[]? _shared;
    private bool _isShared;

    internal RoundRobinScheduler(VirtualService service)
        : base(service)
    {
    }

    /// <summary>Makes the next pick follow a server: where a recording began in the middle of a round.</summary>
    public void ContinueAfter(RealServer? server)
    {
        Debug.Assert(!_isShared, "rounds begin before workers share them");
        _last = server;
    }

    internal override bool IsBlind => true;

    // Picks of all workers, and the place in the list of the next one with them: it goes on without end.
    private ref long Shared => ref _shared![CountPlace];

    internal override void BeginSharing()
    {
        if (!_isShared)
        {
            _shared ??= new long[CountPlace * 2];
            Shared = _last is null ? 0 : IndexOfLast(Service.Walked) + 1;
            _isShared = true;
        }
    }

    internal override void EndSharing()
    {
        if (_isShared)
        {
            ReadOnlySpan<RealServer> servers = Service.Walked;
            _last = Shared == 0 || servers.Length == 0 ? null : servers[PlaceOf(Shared - 1, servers.Length)];
            _isShared = false;
        }
    }

    internal override int Claim(Span<int> places)
    {
        ReadOnlySpan<RealServer> servers = Service.Walked;
        if (!_isShared)
        {
            return base.Claim(places);
        }

        int count = 0;
        int before = -1;
        while (servers.Length > 0 && count < places.Length && count > before)
        {
            int wanted = places.Length - count;
            int place = PlaceOf(Interlocked.Add(ref Shared, wanted) - wanted, servers.Length);
            before = count;
            for (; wanted > 0; wanted--)
            {
                places[count] = place;
                count += servers[place].CanTake ? 1 : 0;
                place = place + 1 < servers.Length ? place + 1 : 0;
            }
        }

        return count;
    }

    // Adding to the count is the turn.
    internal override RealServer? PickAmongWorkers(uint client, ushort clientPort, uint called) =>
        _isShared ? PickShared(Service.Walked) : base.PickAmongWorkers(client, clientPort, called);

    /// <inheritdoc/>
    public override RealServer? Pick(uint client, ushort clientPort, uint called)
    {
        Debug.Assert(!_isShared, "the count stands for the last server");
        ReadOnlySpan<RealServer> servers = Service.Walked;
        int next = _lastIndex + 1 < servers.Length ? _lastIndex + 1 : 0;
        if ((uint)_lastIndex >= (uint)servers.Length || !ReferenceEquals(servers[_lastIndex], _last) || !servers[next].CanTake)
        {
            return PickAfter(servers, _last is null ? -1 : IndexOfLast(servers));
        }

        _last = servers[next];
        _lastIndex = next;
        return _last;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private RealServer? PickShared(ReadOnlySpan<RealServer> servers)
    {
        for (int step = 0; step < servers.Length; step++)
        {
            RealServer server = servers[PlaceOf(Interlocked.Increment(ref Shared) - 1, servers.Length)];
            if (server.CanTake)
            {
                return server;
            }
        }

        // Others may have had the turns of those who can: that is no reason to have nobody.
        foreach (RealServer server in servers)
        {
            if (server.CanTake)
            {
                return server;
            }
        }

        return null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private RealServer? PickAfter(ReadOnlySpan<RealServer> servers, int start)
    {
        for (int step = 1; step <= servers.Length; step++)
        {
            int index = start + step;
            if (index >= servers.Length)
            {
                if (start < 0)
                {
                    break;
                }

                index -= servers.Length;
            }

            if (servers[index].CanTake)
            {
                _last = servers[index];
                _lastIndex = index;
                return _last;
            }
        }

        return null;
    }

    internal override RealServer? Forecast(int picksBefore)
    {
        ReadOnlySpan<RealServer> servers = Service.Walked;
        return servers.Length == 0 ? null
            : servers[PlaceOf((_isShared ? Volatile.Read(ref Shared) : _last is null ? 0 : IndexOfLast(servers) + 1) + picksBefore, servers.Length)];
    }

    internal override void ServersChanged(RealServer? removed, int removedIndex)
    {
        Debug.Assert(!_isShared, "servers change while nobody shares them");
        if (removed is not null && ReferenceEquals(removed, _last))
        {
            // The one after the removed server comes next.
            _last = removedIndex > 0 ? Service.Servers[removedIndex - 1] : null;
        }
    }

    private static int PlaceOf(long pick, int count) => (int)((ulong)pick % (uint)count);

    private int IndexOfLast(ReadOnlySpan<RealServer> servers)
    {
        if ((uint)_lastIndex < (uint)servers.Length && ReferenceEquals(servers[_lastIndex], _last))
        {
            return _lastIndex;
        }

        for (int index = 0; index < servers.Length; index++)
        {
            if (ReferenceEquals(servers[index], _last))
            {
                return index;
            }
        }

        return -1;
    }
}
