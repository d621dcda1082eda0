namespace FastPathLb.Balancer.Tests.Workers;

/// <summary>What the gate's harness needs of a gate: the real one, and one that is broken on purpose.</summary>
internal interface IGateUnderTest
{
    void Begin(int worker);

    void End(int worker);

    void Pass(int worker);

    void Hold(int worker);

    void Release(int worker);
}
