using System.Runtime.CompilerServices;

namespace FastPathLb.Balancer.Ipvs.Scheduling;

/// <summary>rr (ip_vs_rr.c): one after the other, the newest first.</summary>
public sealed class RoundRobinScheduler : Scheduler
{
    // The server picked last; null stands for the list's head, before the first.
    private RealServer? _last;

    // Where in the list it was when it was picked: looked at first, since the list seldom changes.
    private int _lastIndex;

    internal RoundRobinScheduler(VirtualService service)
        : base(service)
    {
    }

    /// <summary>Makes the next pick follow a server: where a recording began in the middle of a round.</summary>
    public void ContinueAfter(RealServer? server) => _last = server;

    internal override bool IsBlind => true;

    /// <inheritdoc/>
    public override RealServer? Pick(uint client, ushort clientPort, uint called)
    {
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
            : servers[((_last is null ? 0 : IndexOfLast(servers) + 1) + picksBefore) % servers.Length];
    }

    internal override void ServersChanged(RealServer? removed, int removedIndex)
    {
        if (removed is not null && ReferenceEquals(removed, _last))
        {
            // The one after the removed server comes next.
            _last = removedIndex > 0 ? Service.Servers[removedIndex - 1] : null;
        }
    }

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
