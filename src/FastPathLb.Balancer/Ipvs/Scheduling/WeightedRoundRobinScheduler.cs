namespace FastPathLb.Balancer.Ipvs.Scheduling;

/// <summary>
/// wrr (ip_vs_wrr.c): rounds over the list with a required weight that falls from the highest by the greatest common divisor.
/// </summary>
public sealed class WeightedRoundRobinScheduler : Scheduler
{
    private const int Head = -1;

    private int _position = Head;
    private int _required;
    private int _highest;
    private int _step;

    internal WeightedRoundRobinScheduler(VirtualService service)
        : base(service)
    {
        Measure();
        _required = _highest;
    }

    internal override bool IsBlind => true;

    /// <inheritdoc/>
    public override RealServer? Pick(uint client, ushort clientPort, uint called)
    {
        if (_highest == 0)
        {
            return null;
        }

        ReadOnlySpan<RealServer> servers = Service.Walked;
        int last = _position;
        int index = last;
        int stop = int.MaxValue;
        bool isLastPass = false;
        bool isRestarted = false;
        while (true)
        {
            for (index++; index < servers.Length; index++)
            {
                if (!servers[index].IsOverloaded && servers[index].Weight >= _required)
                {
                    _position = index;
                    return servers[index];
                }

                if (index == stop)
                {
                    _position = index;
                    return null;
                }
            }

            index = Head;
            _required -= _step;
            if (_required <= 0)
            {
                _required = _highest;
                if (isLastPass || last == Head)
                {
                    _position = Head;
                    return null;
                }

                isRestarted = true;
            }

            isLastPass = _required <= _step;
            if (isLastPass && isRestarted && last != Head)
            {
                // The first walk was for servers after the last one alone: now for those up to it.
                stop = last;
            }
        }
    }

    internal override void ServersChanged(RealServer? removed, int removedIndex)
    {
        _position = Head;
        Measure();
        if (_required > _highest || _required == 0)
        {
            _required = _highest;
        }
        else if (_step > 1)
        {
            _required = (_required / _step * _step) + 1;
        }
    }

    private void Measure()
    {
        int divisor = 0;
        int highest = 0;
        foreach (RealServer server in Service.Servers)
        {
            if (server.Weight > 0)
            {
                divisor = divisor > 0 ? GreatestCommonDivisor(server.Weight, divisor) : server.Weight;
            }

            highest = Math.Max(highest, server.Weight);
        }

        // So that the last round's required weight is 1, also where a weight fell below the divisor meanwhile.
        _step = divisor > 0 ? divisor : 1;
        _highest = highest - (_step - 1);
    }
}
