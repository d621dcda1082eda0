namespace FastPathLb.Conntrack.Tests;

/// <summary>The index of the data path.</summary>
internal sealed class RealIndex(Slab<Connection> connections) : IIndexUnderTest
{
    private readonly ConnectionIndex _index = new(connections);

    public IndexInsert TryInsert(FlowKey key, ulong hash, int number) =>
        _index.TryInsert(key, hash, number, FlowDirection.Original);

    public bool TryFind(FlowKey key, ulong hash, out int number) => _index.TryFind(key, hash, out number, out _);

    public bool Remove(ulong hash, int number) => _index.Remove(hash, number, FlowDirection.Original);

    public void Dispose() => _index.Dispose();
}
