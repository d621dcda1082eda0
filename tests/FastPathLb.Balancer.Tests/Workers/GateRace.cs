namespace FastPathLb.Balancer.Tests.Workers;

/// <summary>
/// Threads that write their own pairs of plain numbers between safe points, and now and then hold the gate and write everybody's.
/// The two of a pair are the same wherever nobody is in the midst of writing them.
/// </summary>
internal sealed class GateRace
{
    // Two cache lines a pair, so that false sharing does not order what is to be in disorder.
    private const int Stride = 32;

    private readonly IGateUnderTest _gate;
    private readonly int _workers;
    private readonly int _seed;
    private readonly int _steps;
    private readonly int[] _pairs;
    private readonly int[] _held;
    private volatile string? _failure;

    public GateRace(IGateUnderTest gate, int workers, int seed, int steps)
    {
        (_gate, _workers, _seed, _steps) = (gate, workers, seed, steps);
        _pairs = new int[(workers + 1) * Stride];
        _held = new int[workers * Stride];
    }

    /// <summary>Times that the gate was held, by all.</summary>
    public int HeldCount { get; private set; }

    /// <summary>Runs all threads to their ends.</summary>
    /// <returns>What went wrong, or null.</returns>
    public string? Run()
    {
        Thread[] threads = [.. Enumerable.Range(0, _workers).Select(worker => new Thread(() => Work(worker)) { IsBackground = true })];
        Array.ForEach(threads, thread => thread.Start());
        foreach (Thread thread in threads)
        {
            if (!thread.Join(TimeSpan.FromMinutes(1)))
            {
                return $"seed {_seed}: a worker waits for ever";
            }
        }

        for (int worker = 0; worker < _workers; worker++)
        {
            HeldCount += _held[worker * Stride];
        }

        for (int worker = 0; worker < _workers && _failure is null; worker++)
        {
            int expected = _steps + HeldCount;
            if (_pairs[worker * Stride] != expected || _pairs[(worker * Stride) + 1] != expected)
            {
                return $"seed {_seed}: worker {worker} counts {_pairs[worker * Stride]}, {_pairs[(worker * Stride) + 1]}, not {expected}";
            }
        }

        return _failure;
    }

    private void Work(int worker)
    {
        Random random = new(_seed + (worker * 7919));
        _gate.Begin(worker);
        for (int step = 0; step < _steps && _failure is null; step++)
        {
            Write(worker, random);
            switch (random.Next(40))
            {
                case 0:
                    _gate.Hold(worker);
                    for (int other = 0; other < _workers; other++)
                    {
                        Write(other, random);
                    }

                    _held[worker * Stride]++;
                    _gate.Release(worker);
                    break;
                case 1:
                    // A batch ends and another begins.
                    _gate.End(worker);
                    Delay(random);
                    _gate.Begin(worker);
                    break;
                default:
                    _gate.Pass(worker);
                    break;
            }
        }

        _gate.End(worker);
    }

    private void Write(int worker, Random random)
    {
        ref int first = ref _pairs[worker * Stride];
        ref int second = ref _pairs[(worker * Stride) + 1];
        int before = first;
        if (before != second)
        {
            _failure ??= $"seed {_seed}: the pair of worker {worker} is {before}, {second}: somebody is in the midst of it";
        }

        first = before + 1;
        Delay(random);
        second = before + 1;
    }

    // Often none at all: the narrow races are there. Now and then long enough that another thread gets the processor.
    private static void Delay(Random random)
    {
        int chance = random.Next(200);
        if (chance == 0)
        {
            Thread.Yield();
        }
        else if (chance < 60)
        {
            Thread.SpinWait(chance);
        }
    }
}
