namespace FastPathLb.Conntrack.Tests;

/// <summary>
/// Threads that insert the same keys at the same time, each with a record of its own, round after round. After a round every key
/// must have exactly one winner, every other thread must have been told so, and the winner must be found.
/// </summary>
internal sealed class InsertRace : IDisposable
{
    private const int KeyCount = 16;

    private readonly Slab<Connection> _connections;
    private readonly IIndexUnderTest _index;
    private readonly int _threadCount;
    private readonly int _seed;
    private readonly bool _collides;
    private readonly IndexInsert[] _results;
    private int _waiting;
    private int _phase;
    private volatile string? _failure;

    public InsertRace(Func<Slab<Connection>, IIndexUnderTest> makeIndex, int threadCount, int seed, bool collides)
    {
        _threadCount = threadCount;
        _seed = seed;
        _collides = collides;
        _results = new IndexInsert[threadCount * KeyCount];
        _connections = new Slab<Connection>(threadCount * KeyCount);
        for (int number = 0; number < _connections.Count; number++)
        {
            _connections[number].Original = Keys.Of(number % KeyCount);
        }

        _index = makeIndex(_connections);
    }

    /// <summary>Rounds that were run.</summary>
    public int Rounds { get; private set; }

    /// <summary>Runs rounds until one goes wrong.</summary>
    /// <returns>What went wrong, or null.</returns>
    public string? Run(int roundsMax)
    {
        Thread[] threads = new Thread[_threadCount];
        for (int index = 0; index < threads.Length; index++)
        {
            int own = index;
            threads[index] = new Thread(() => RunThread(own, roundsMax)) { IsBackground = true };
            threads[index].Start();
        }

        foreach (Thread thread in threads)
        {
            Assert.True(thread.Join(TimeSpan.FromMinutes(3)), "a thread hangs");
        }

        return _failure;
    }

    public void Dispose()
    {
        _index.Dispose();
        _connections.Dispose();
    }

    private void RunThread(int thread, int roundsMax)
    {
        // All threads walk the keys in the same order, so that they meet; the seed says where they begin and who waits how long.
        Random common = new(_seed);
        Random own = new(_seed + (thread * 7919));
        for (int round = 0; round < roundsMax && _failure is null; round++)
        {
            int start = common.Next(KeyCount);
            Thread.SpinWait(own.Next(20));
            Meet();
            for (int step = 0; step < KeyCount; step++)
            {
                int key = (start + step) % KeyCount;
                int number = (thread * KeyCount) + key;
                _results[number] = _index.TryInsert(Keys.Of(key), HashOf(key), number);
            }

            Meet();
            if (thread == 0)
            {
                _failure = Check(round);
                Rounds = round + 1;
            }

            Meet();
            for (int key = 0; key < KeyCount; key++)
            {
                int number = (thread * KeyCount) + key;
                if (_results[number] == IndexInsert.Done && !_index.Remove(HashOf(key), number))
                {
                    _failure ??= $"seed {_seed}, round {round}: key {key} was lost before its owner removed it";
                }
            }

            Meet();
        }
    }

    private ulong HashOf(int key) => _collides ? 1 : Keys.Of(key).Hash((ulong)_seed);

    private string? Check(int round)
    {
        for (int key = 0; key < KeyCount; key++)
        {
            int winner = -1;
            for (int thread = 0; thread < _threadCount; thread++)
            {
                int number = (thread * KeyCount) + key;
                switch (_results[number])
                {
                    case IndexInsert.Done when winner >= 0:
                        return $"seed {_seed}, round {round}: key {key} was inserted twice, by records {winner} and {number}";
                    case IndexInsert.Done:
                        winner = number;
                        break;
                    case IndexInsert.Full:
                        return $"seed {_seed}, round {round}: no room for key {key}";
                    default:
                        break;
                }
            }

            if (winner < 0)
            {
                return $"seed {_seed}, round {round}: nobody inserted key {key}";
            }

            if (!_index.TryFind(Keys.Of(key), HashOf(key), out int found) || found != winner)
            {
                return $"seed {_seed}, round {round}: key {key} of record {winner} was not found ({found})";
            }
        }

        return null;
    }

    /// <summary>Waits for all threads: sense-reversing, spinning first, since they must leave together.</summary>
    private void Meet()
    {
        int phase = Volatile.Read(ref _phase);
        if (Interlocked.Increment(ref _waiting) == _threadCount)
        {
            Volatile.Write(ref _waiting, 0);
            Volatile.Write(ref _phase, phase + 1);
            return;
        }

        SpinWait spin = default;
        while (Volatile.Read(ref _phase) == phase)
        {
            if (spin.Count < 1000)
            {
                Thread.SpinWait(1);
                spin.SpinOnce(sleep1Threshold: -1);
            }
            else
            {
                Thread.Yield();
            }
        }
    }
}
