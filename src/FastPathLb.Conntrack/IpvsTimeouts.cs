namespace FastPathLb.Conntrack;

/// <summary>IPVS's timeouts (ip_vs_proto_tcp.c, ip_vs_proto_udp.c), in nanoseconds. <c>ipvsadm --set</c> changes three of them.</summary>
public sealed class IpvsTimeouts
{
    private const long Second = 1_000_000_000;

    private readonly long[] _tcp =
    [
        2 * Second, 900 * Second, 120 * Second, 60 * Second, 120 * Second, 120 * Second,
        10 * Second, 60 * Second, 30 * Second, 120 * Second, 120 * Second,
    ];

    /// <summary>Timeout of a TCP state.</summary>
    public long this[IpvsTcpState state]
    {
        get => _tcp[(int)state];
        set => _tcp[(int)state] = value;
    }

    /// <summary>Timeout of a UDP connection.</summary>
    public long Udp { get; set; } = 300 * Second;

    /// <summary>Timeout of a connection whose protocol has no states of its own.</summary>
    public long Other { get; set; } = 3 * Second;
}
