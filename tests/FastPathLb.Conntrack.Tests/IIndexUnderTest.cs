namespace FastPathLb.Conntrack.Tests;

/// <summary>What the race harness needs of an index: the real one, and one that is broken on purpose.</summary>
internal interface IIndexUnderTest : IDisposable
{
    IndexInsert TryInsert(FlowKey key, ulong hash, int number);

    bool TryFind(FlowKey key, ulong hash, out int number);

    bool Remove(ulong hash, int number);
}
