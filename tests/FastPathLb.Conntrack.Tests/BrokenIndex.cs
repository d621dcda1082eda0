namespace FastPathLb.Conntrack.Tests;

/// <summary>
/// An index whose insert looks for the key, then takes a free slot: no tentative phase, so two threads may both find nothing and
/// both take one. Every step is atomic by itself; what is missing is what the harness must see.
/// </summary>
internal sealed class BrokenIndex(Slab<Connection> connections) : IIndexUnderTest
{
    private readonly long[] _slots = new long[128];

    public IndexInsert TryInsert(FlowKey key, ulong hash, int number)
    {
        if (TryFind(key, hash, out _))
        {
            return IndexInsert.Taken;
        }

        // The window is held open, so that a machine with one processor to spare shows it too.
        Thread.Yield();
        for (int slot = 0; slot < _slots.Length; slot++)
        {
            if (Interlocked.CompareExchange(ref _slots[slot], number + 1, 0) == 0)
            {
                return IndexInsert.Done;
            }
        }

        return IndexInsert.Full;
    }

    public bool TryFind(FlowKey key, ulong hash, out int number)
    {
        for (int slot = 0; slot < _slots.Length; slot++)
        {
            long word = Volatile.Read(ref _slots[slot]);
            if (word != 0 && connections[(int)word - 1].Original.Matches(key))
            {
                number = (int)word - 1;
                return true;
            }
        }

        number = -1;
        return false;
    }

    public bool Remove(ulong hash, int number)
    {
        for (int slot = 0; slot < _slots.Length; slot++)
        {
            if (Interlocked.CompareExchange(ref _slots[slot], 0, number + 1) == number + 1)
            {
                return true;
            }
        }

        return false;
    }

    public void Dispose()
    {
    }
}
