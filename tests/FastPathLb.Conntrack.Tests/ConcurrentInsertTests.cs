using Xunit.Abstractions;

namespace FastPathLb.Conntrack.Tests;

public sealed class ConcurrentInsertTests(ITestOutputHelper output)
{
    private const int SeedCount = 8;

    /// <summary>The control needs this many rounds at the worst; without a race in them the machine cannot tell, and nothing passes.</summary>
    private const int ControlSeedsMax = 200;

    [Theory]
    [InlineData(2, false, 1500, false)]
    [InlineData(2, true, 1500, false)]
    [InlineData(3, true, 150, false)]
    [InlineData(2, false, 1500, true)]
    [InlineData(2, true, 1500, true)]
    [InlineData(3, true, 150, true)]
    public void Exactly_one_insert_of_a_key_wins_and_none_is_lost(int threadCount, bool collides, int roundsPerSeed, bool findsPlaces)
    {
        RequireControl(threadCount, collides, roundsPerSeed);
        for (int seed = 0; seed < SeedCount; seed++)
        {
            using InsertRace race = new(connections => new RealIndex(connections, findsPlaces), threadCount, seed, collides);
            Assert.Null(race.Run(roundsPerSeed));
            Assert.Equal(roundsPerSeed, race.Rounds);
        }
    }

    [Theory]
    [InlineData(20)]
    [InlineData(6)]
    public void A_thread_finds_its_own_keys_while_others_churn_in_the_same_lines(int keysPerThread)
    {
        const int ThreadCount = 3;
        const int Steps = 60_000;
        using Slab<Connection> connections = new(ThreadCount * keysPerThread);
        using ConnectionIndex index = new(connections);
        for (int number = 0; number < connections.Count; number++)
        {
            connections[number].Original = Keys.Of(number);
        }

        string? failure = null;
        Thread[] threads =
        [
            .. Enumerable.Range(0, ThreadCount).Select(thread => new Thread(() =>
                failure ??= Churn(index, thread, thread * keysPerThread, keysPerThread, Steps))),
        ];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            Assert.True(thread.Join(TimeSpan.FromMinutes(3)), "a thread hangs");
        }

        Assert.Null(failure);
        if (keysPerThread < 10)
        {
            // No line has more keys beyond it than can be counted, so that the counts go back to nothing.
            Assert.Equal(0, index.CountPassed());
        }
    }

    // All keys share one hash, so all threads work in the same eight lines.
    private static string? Churn(ConnectionIndex index, int seed, int first, int count, int steps)
    {
        const ulong Hash = 77;
        Random random = new(seed);
        bool[] isIn = new bool[count];
        for (int step = 0; step < steps; step++)
        {
            int key = random.Next(count);
            int number = first + key;
            if (index.TryFind(Keys.Of(number), Hash, out int found, out _) != isIn[key] || (isIn[key] && found != number))
            {
                return $"seed {seed}, step {step}: key {number} should {(isIn[key] ? "" : "not ")}be found; found {found}";
            }

            if (isIn[key])
            {
                if (!index.Remove(Hash, number, FlowDirection.Original))
                {
                    return $"seed {seed}, step {step}: key {number} was lost";
                }
            }
            else if (index.TryInsert(Keys.Of(number), Hash, number, FlowDirection.Original) is var result && result != IndexInsert.Done)
            {
                return $"seed {seed}, step {step}: insert of key {number} ended with {result}";
            }

            isIn[key] = !isIn[key];
        }

        for (int key = 0; key < count; key++)
        {
            if (isIn[key] && !index.Remove(Hash, first + key, FlowDirection.Original))
            {
                return $"seed {seed}: key {first + key} was lost at the end";
            }
        }

        return null;
    }

    /// <summary>A harness that does not catch the broken index proves nothing about the real one.</summary>
    private void RequireControl(int threadCount, bool collides, int roundsPerSeed)
    {
        for (int seed = 0; seed < ControlSeedsMax; seed++)
        {
            using InsertRace control = new(connections => new BrokenIndex(connections), threadCount, seed, collides);
            if (control.Run(roundsPerSeed) is { } caught)
            {
                output.WriteLine($"control caught after {control.Rounds} rounds: {caught}");
                return;
            }
        }

        Assert.Fail("inconclusive: the broken index was not caught, so this machine does not run the threads side by side");
    }
}
