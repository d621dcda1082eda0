using FastPathLb.Balancer.Workers;

namespace FastPathLb.Balancer.Tests.Workers;

/// <summary>The gate of the data path.</summary>
internal sealed class RealGate(int workers) : IGateUnderTest
{
    private readonly WorkerGate _gate = new(workers);

    public void Begin(int worker) => _gate.Begin(worker);

    public void End(int worker) => _gate.End(worker);

    public void Pass(int worker) => _gate.Pass(worker);

    public void Hold(int worker) => _gate.Hold(worker);

    public void Release(int worker) => _gate.Release(worker);
}
