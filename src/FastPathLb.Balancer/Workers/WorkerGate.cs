namespace FastPathLb.Balancer.Workers;

/// <summary>
/// Lets one worker have everything to itself for a moment: the others come to rest at their next safe point, between two groups of
/// frames. For what is rare: fragments, ARP, changes of the configuration. Frames of known connections never ask for it.
/// </summary>
/// <remarks>
/// Each worker says that it runs before it looks for a holder; a holder says that it holds before it looks who runs; both with a full
/// fence between (Dekker). So never does one hold while another runs. A worker that waits for its turn rests itself.
/// </remarks>
public sealed class WorkerGate
{
    // Two cache lines for each: neighbours are fetched in pairs.
    private const int Stride = 32;
    private const int Nobody = -1;

    private readonly int[] _runs;
    private readonly int[] _holder = new int[3 * Stride];

    /// <summary>Makes a gate for a number of workers, all at rest.</summary>
    public WorkerGate(int workers)
    {
        Workers = workers;
        _runs = new int[(workers + 2) * Stride];
        _holder[Stride] = Nobody;
    }

    /// <summary>How many workers pass it.</summary>
    public int Workers { get; }

    /// <summary>A worker begins to run, as soon as nobody holds the gate.</summary>
    public void Begin(int worker)
    {
        ref int runs = ref _runs[(worker + 1) * Stride];
        while (true)
        {
            // Said before it is looked: the exchange is a full fence.
            Interlocked.Exchange(ref runs, 1);
            if (Volatile.Read(ref _holder[Stride]) == Nobody)
            {
                return;
            }

            Volatile.Write(ref runs, 0);
            WaitWhileHeld();
        }
    }

    /// <summary>A worker comes to rest: what it wrote is seen by whoever holds the gate afterwards.</summary>
    public void End(int worker) => Volatile.Write(ref _runs[(worker + 1) * Stride], 0);

    /// <summary>A safe point of a running worker: rests while another one holds the gate.</summary>
    public void Pass(int worker)
    {
        if (Volatile.Read(ref _holder[Stride]) != Nobody)
        {
            End(worker);
            Begin(worker);
        }
    }

    /// <summary>Takes the gate for a running worker, and waits until all others rest. Others may have held it before.</summary>
    public void Hold(int worker)
    {
        End(worker);
        SpinWait spin = default;
        while (Interlocked.CompareExchange(ref _holder[Stride], worker, Nobody) != Nobody)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }

        for (int other = 0; other < Workers; other++)
        {
            while (Volatile.Read(ref _runs[(other + 1) * Stride]) != 0)
            {
                spin.SpinOnce(sleep1Threshold: -1);
            }
        }
    }

    /// <summary>Gives the gate back and goes on running.</summary>
    public void Release(int worker)
    {
        Interlocked.Exchange(ref _runs[(worker + 1) * Stride], 1);
        Volatile.Write(ref _holder[Stride], Nobody);
    }

    private void WaitWhileHeld()
    {
        SpinWait spin = default;
        while (Volatile.Read(ref _holder[Stride]) != Nobody)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }
    }
}
