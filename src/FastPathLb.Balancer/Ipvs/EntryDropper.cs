using FastPathLb.Conntrack;
using FastPathLb.Wire;

namespace FastPathLb.Balancer.Ipvs;

/// <summary>
/// drop_entry (ip_vs_random_dropentry and todrop_entry in ip_vs_conn.c): once a second, connections in one of 32 of the kernel's hash
/// buckets, chosen by chance, end if they are half open, or long idle with few packets. Chance is drawn by a seed here, so that runs are
/// alike; which connections a kernel ended, no dump tells. Owned by one worker.
/// </summary>
internal sealed class EntryDropper
{
    // ip_vs_conn_tab_bits.
    private const int BucketBits = 12;
    private const int Buckets = 1 << BucketBits;
    private const int DrawsPerSweep = Buckets >> 5;
    private const int PacketsMax = 8;
    private const long Period = 1_000_000_000;
    private const long IdleLeast = 60_000_000_000;
    private const ulong Seed = 0x9E3779B97F4A7C15;

    private readonly IpvsCore _ipvs;
    private readonly ConnectionTable _table;
    private readonly ushort _space;
    private readonly ulong[] _drawn = new ulong[Buckets / 64];

    // By packets so far: of so many such connections one ends (todrop_rate is the number itself).
    private readonly int[] _left = new int[PacketsMax + 1];
    private ulong _random = Seed;
    private long _next = long.MaxValue;

    public EntryDropper(IpvsCore ipvs, ConnectionTable table, ushort space)
    {
        _ipvs = ipvs;
        _table = table;
        _space = space;
    }

    /// <summary>When connections are looked at next, nanoseconds since the Unix epoch.</summary>
    public long NextDue => !_ipvs.Settings.DropsEntries ? long.MaxValue : _next == long.MaxValue ? long.MinValue : _next;

    /// <summary>Looks at connections as often as seconds have passed; the kernel's timer begins with the namespace, ours with the clock.</summary>
    public void Sweep(long now)
    {
        if (_next == long.MaxValue)
        {
            _next = ((now / Period) + 1) * Period;
        }

        for (; _next <= now; _next += Period)
        {
            _ipvs.Connections.Expire(_next);
            if (_table.Count == 0)
            {
                // Nothing will be there until the next packet: a leap needs no steps.
                _next = ((now / Period) + 1) * Period;
                return;
            }

            SweepOnce(_next);
        }
    }

    private void SweepOnce(long now)
    {
        Array.Clear(_drawn);
        for (int draw = 0; draw < DrawsPerSweep; draw++)
        {
            _random ^= _random << 13;
            _random ^= _random >> 7;
            _random ^= _random << 17;
            int bucket = (int)(_random & (Buckets - 1));
            _drawn[bucket >> 6] |= 1ul << (bucket & 63);
        }

        for (int number = 0; number < _table.NumbersUsed; number++)
        {
            ref Connection connection = ref _table[number];
            if (connection.IsBalanced && !_table.IsForeign(number) && connection.Original.Network == _space && IsDrawn(connection) && IsToDrop(connection, now))
            {
                _ipvs.Connections.ExpireConnection(number, now, isImmediate: true);
            }
        }
    }

    private bool IsDrawn(in Connection connection)
    {
        int bucket = (int)(connection.Original.Hash(Seed) >> (64 - BucketBits));
        return (_drawn[bucket >> 6] & (1ul << (bucket & 63))) != 0;
    }

    private bool IsToDrop(in Connection connection, long now)
    {
        if ((connection.Flags & ConnectionFlags.Template) != 0)
        {
            return connection.Control == 0 && (connection.Flags & ConnectionFlags.TemplateAssured) == 0;
        }

        if (connection.Original.Protocol != IpProtocol.Tcp)
        {
            long timeout = connection.Original.Protocol == IpProtocol.Udp ? _ipvs.Timeouts.Udp : _ipvs.Timeouts.Other;
            return IsIdleAndDue(connection, timeout, now);
        }

        return connection.IpvsState switch
        {
            IpvsTcpState.SynReceived or IpvsTcpState.SynAck => true,
            IpvsTcpState.Established => IsIdleAndDue(connection, _ipvs.Timeouts[IpvsTcpState.Established], now),
            _ => false,
        };
    }

    /// <summary>Idle for a minute, with few packets, and its turn.</summary>
    private bool IsIdleAndDue(in Connection connection, long timeout, long now)
    {
        int packets = connection.InPackets;
        if (timeout + now < connection.IpvsExpires + IdleLeast || packets > PacketsMax || packets == 0 || --_left[packets] > 0)
        {
            return false;
        }

        _left[packets] = packets;
        return true;
    }
}
