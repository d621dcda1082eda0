namespace FastPathLb.Workload;

/// <summary>
/// Where threads wait for each other in order to begin at the same moment: within a fraction of a microsecond, since they wait awake. A barrier
/// that lets them sleep has them begin some fifty microseconds apart, as long as a thousand openings take.
/// </summary>
internal sealed class StartingLine
{
    private int _runners;
    private int _arrived;
    private int _starts;

    /// <summary>Makes one for a number of threads.</summary>
    public StartingLine(int runners) => _runners = runners;

    /// <summary>Waits for all others.</summary>
    public void Wait()
    {
        int starts = Volatile.Read(ref _starts);
        if (Interlocked.Increment(ref _arrived) >= Volatile.Read(ref _runners))
        {
            Start();
            return;
        }

        // On fewer processors than threads it has to be given up after a while.
        SpinWait spin = default;
        for (int spins = 0; Volatile.Read(ref _starts) == starts; spins++)
        {
            if (spins < 10_000)
            {
                Thread.SpinWait(1);
            }
            else
            {
                spin.SpinOnce(sleep1Threshold: -1);
            }
        }
    }

    /// <summary>A thread goes: the others no longer wait for it.</summary>
    public void Leave()
    {
        if (Volatile.Read(ref _arrived) >= Interlocked.Decrement(ref _runners))
        {
            Start();
        }
    }

    private void Start()
    {
        Volatile.Write(ref _arrived, 0);
        Interlocked.Increment(ref _starts);
    }
}
