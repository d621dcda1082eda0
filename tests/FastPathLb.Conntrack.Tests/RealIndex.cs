namespace FastPathLb.Conntrack.Tests;

/// <summary>The index of the data path.</summary>
/// <param name="connections">The records.</param>
/// <param name="findsPlaces">Whether a place is looked for first, and the key put there where there is one, as whoever opens a connection does.</param>
internal sealed class RealIndex(Slab<Connection> connections, bool findsPlaces = false) : IIndexUnderTest
{
    private readonly ConnectionIndex _index = new(connections);

    public IndexInsert TryInsert(FlowKey key, ulong hash, int number)
    {
        ConnectionIndex.Homes homes = new(_index);
        IndexVacancy place = findsPlaces ? homes.Vacancy(homes.LineOf(hash), hash, out _) : default;
        return place.IsNone ? _index.TryInsert(key, hash, number, FlowDirection.Original)
            : _index.TryInsertAt(place, key, hash, number, FlowDirection.Original);
    }

    public bool TryFind(FlowKey key, ulong hash, out int number) => _index.TryFind(key, hash, out number, out _);

    public bool Remove(ulong hash, int number) => _index.Remove(hash, number, FlowDirection.Original);

    public void Dispose() => _index.Dispose();
}
