namespace FastPathLb.Balancer.Tests.Workers;

/// <summary>
/// A gate that one at a time holds, and at which others stop when they come to it, but whose holder does not wait for those that run.
/// </summary>
internal sealed class BrokenGate : IGateUnderTest
{
    private const int Nobody = -1;

    private int _holder = Nobody;

    public void Begin(int worker)
    {
        SpinWait spin = default;
        while (Volatile.Read(ref _holder) != Nobody)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }
    }

    public void End(int worker)
    {
    }

    public void Pass(int worker) => Begin(worker);

    public void Hold(int worker)
    {
        SpinWait spin = default;
        while (Interlocked.CompareExchange(ref _holder, worker, Nobody) != Nobody)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }
    }

    public void Release(int worker) => Volatile.Write(ref _holder, Nobody);
}
