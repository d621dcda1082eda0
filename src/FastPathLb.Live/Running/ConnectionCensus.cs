using FastPathLb.Conntrack;
using FastPathLb.Engine.Building;
using FastPathLb.Wire;

namespace FastPathLb.Live.Running;

/// <summary>
/// Counts connections by state without ever stopping the worker for long: a slice of the table at a time. Counted by the worker; the last
/// whole count is read by any thread.
/// </summary>
public sealed class ConnectionCensus
{
    /// <summary>Records looked at in one go: about a millisecond where they lie in memory.</summary>
    public const int SliceRecords = 16_384;

    private static readonly string[] s_names =
    [
        .. Enum.GetValues<IpvsTcpState>().Select(IpvsTcpTransitions.Name), "UDP", "TEMPLATE", "TRACKED",
    ];

    private readonly BuiltLoadBalancer _built;
    private int[] _counting = new int[s_names.Length];
    private int[] _counted = new int[s_names.Length];
    private int _next;

    /// <summary>Makes a census of a load balancer's table.</summary>
    public ConnectionCensus(BuiltLoadBalancer built) => _built = built;

    /// <summary>States as <c>ipvsadm</c> names them; TRACKED are those of conntrack alone.</summary>
    public static IReadOnlyList<string> Names => s_names;

    /// <summary>Connections by state, in the order of <see cref="Names"/>, as of the last whole count.</summary>
    public IReadOnlyList<int> Counts => Volatile.Read(ref _counted);

    /// <summary>Looks at the next slice.</summary>
    internal void Continue()
    {
        ConnectionTable table = _built.Table;
        int end = Math.Min(table.NumbersUsed, _next + SliceRecords);
        for (; _next < end; _next++)
        {
            ref Connection connection = ref table[_next];
            if (connection.IsBalanced)
            {
                _counting[KindOf(connection)]++;
            }
            else if (connection.IsTracked)
            {
                _counting[^1]++;
            }
        }

        if (_next < table.NumbersUsed)
        {
            return;
        }

        // Readers keep whichever array they took; it is cleared only a whole count later.
        int[] stale = _counted;
        Volatile.Write(ref _counted, _counting);
        Array.Clear(stale);
        _counting = stale;
        _next = 0;
    }

    private static int KindOf(in Connection connection) =>
        (connection.Flags & ConnectionFlags.Template) != 0 ? s_names.Length - 2
        : connection.Original.Protocol == IpProtocol.Udp ? s_names.Length - 3
        : (int)connection.IpvsState;
}
