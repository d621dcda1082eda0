using System.Runtime.CompilerServices;

namespace FastPathLb.Conntrack;

/// <summary>
/// Connections that a real server holds (struct ip_vs_dest: activeconns, inactconns, persistconns). Each worker counts its own in a
/// cache line of its own; whoever asks gets the sum.
/// </summary>
public sealed class ServerCounts
{
    // Two cache lines: neighbours are fetched in pairs. The first are nobody's: they keep the first worker's counts from what lies before
    // them and all workers read, the array's own length and this object.
    private const int Stride = 32;
    private const int TotalOffset = 1;
    private const int TemplatesOffset = 2;

    private readonly int[] _cells;
    private readonly int _end;

    internal ServerCounts(int workers)
    {
        _end = (workers + 1) * Stride;
        _cells = new int[_end + Stride];
    }

    /// <summary>Connections in an active state.</summary>
    public int Active => Sum(0);

    /// <summary>All connections but templates.</summary>
    public int Total => Sum(TotalOffset);

    /// <summary>Templates.</summary>
    public int Templates => Sum(TemplatesOffset);

    /// <summary>
    /// Whether a removed server was given up: workers look at different moments, and the first one's word counts. Set between
    /// batches or by a worker; never taken back.
    /// </summary>
    public bool IsGivenUp { get; set; }

    /// <summary>Whether the server takes no new connections until it has fewer (IP_VS_DEST_F_OVERLOAD).</summary>
    public bool IsOverloaded { get; set; }

    /// <summary>A worker's connection became active, or ceased to be.</summary>
    public void AddActive(int worker, int change) => _cells[(worker + 1) * Stride] += change;

    /// <summary>A worker's connection came or went.</summary>
    public void AddTotal(int worker, int change) => _cells[((worker + 1) * Stride) + TotalOffset] += change;

    /// <summary>A worker's template came or went.</summary>
    public void AddTemplates(int worker, int change) => _cells[((worker + 1) * Stride) + TemplatesOffset] += change;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Sum(int offset)
    {
        int sum = 0;
        for (int cell = Stride + offset; cell < _end; cell += Stride)
        {
            sum += Volatile.Read(ref _cells[cell]);
        }

        return sum;
    }
}
