namespace FastPathLb.Balancer.Stack;

/// <summary>
/// Path MTUs that the namespace's own stack learned (ipv4_update_pmtu, __ip_rt_update_pmtu in net/ipv4/route.c). Without sockets
/// that is from errors about its own echo replies alone (icmp_err): errors about balanced packets go on to who sent those.
/// Owned by one worker.
/// </summary>
internal sealed class PathMtuTable
{
    /// <summary>The least that is believed, bytes (ip_rt_min_pmtu): of less only that there is less.</summary>
    public const int BytesMin = 552;

    /// <summary>Destinations known at a time; one more makes all forgotten.</summary>
    public const int DestinationsMax = 1024;

    /// <summary>How long it is believed (ip_rt_mtu_expires).</summary>
    public const long LifetimeNanoseconds = 600_000_000_000;

    private readonly NetworkNamespace _space;
    private readonly Dictionary<uint, Known> _known = new(DestinationsMax);

    public PathMtuTable(NetworkNamespace space) => _space = space;

    private readonly record struct Known(int MtuBytes, bool IsLocked, long Expires);

    /// <summary>A number that changes whenever something is learned.</summary>
    public long Version { get; private set; }

    /// <summary>Whether nothing was ever learned, or all forgotten.</summary>
    public bool IsEmpty => _known.Count == 0;

    /// <summary>MTU of the way to a destination for the namespace's own packets and for IPVS's (dst_mtu).</summary>
    public int Of(uint destination, NetworkInterface output, long now) =>
        _known.TryGetValue(destination, out Known known) && known.Expires > now ? known.MtuBytes : output.MtuBytes;

    /// <summary>MTU of the way to a destination for packets of others: what was learned counts where it was too small to believe.</summary>
    public int OfForwarded(uint destination, NetworkInterface output, long now) =>
        _known.TryGetValue(destination, out Known known) && known.IsLocked && known.Expires > now ? known.MtuBytes : output.MtuBytes;

    /// <summary>Learns what somebody on the way to a destination said.</summary>
    public void Learn(uint destination, int mtuBytes, long now)
    {
        if (_space.FindRoute(destination) is not { } route)
        {
            return;
        }

        int old = Of(destination, route.Interface, now);
        bool isLocked = mtuBytes < BytesMin;
        if (old < mtuBytes || (_known.TryGetValue(destination, out Known known) && known.IsLocked && known.Expires > now))
        {
            return;
        }

        if (_known.Count == DestinationsMax && !_known.ContainsKey(destination))
        {
            _known.Clear();
        }

        _known[destination] = new Known(isLocked ? Math.Min(old, BytesMin) : mtuBytes, isLocked, now + LifetimeNanoseconds);
        Version++;
    }
}
