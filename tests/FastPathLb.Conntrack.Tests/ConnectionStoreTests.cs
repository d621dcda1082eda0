namespace FastPathLb.Conntrack.Tests;

/// <summary>One memory, several workers' doors to it.</summary>
public sealed class ConnectionStoreTests
{
    private const long Second = 1_000_000_000;

    [Theory]
    [InlineData(16, 2)]
    [InlineData(16, 64)]
    [InlineData(1000, 3)]
    [InlineData(10_000, 2)]
    [InlineData(100_000, 64)]
    public void Numbers_are_handed_out_once_each_and_all_of_them(int capacity, int workers)
    {
        using ConnectionStore store = new(capacity, seed: 1, workers);
        bool[] isOut = new bool[capacity];
        int left = workers;
        bool[] isFull = new bool[workers];
        Random random = new(capacity + workers);
        while (left > 0)
        {
            int worker = random.Next(workers);
            if (isFull[worker])
            {
                continue;
            }

            int number = store.Tables[worker].Allocate();
            if (number < 0)
            {
                isFull[worker] = true;
                left--;
                continue;
            }

            Assert.InRange(number, 0, capacity - 1);
            Assert.False(isOut[number], $"number {number} is handed out twice");
            Assert.Equal(worker, store.Tables[worker][number].Owner);
            isOut[number] = true;
        }

        Assert.DoesNotContain(false, isOut);
        Assert.Equal(capacity, store.Count);
        Assert.Equal(capacity, store.NumbersUsed);
    }

    [Fact]
    public void Threads_that_take_at_once_take_different_numbers()
    {
        const int Capacity = 200_000;
        const int Workers = 4;
        using ConnectionStore store = new(Capacity, seed: 1, Workers);
        List<int>[] taken = new List<int>[Workers];
        Thread[] threads = new Thread[Workers];
        for (int worker = 0; worker < Workers; worker++)
        {
            int own = worker;
            taken[own] = [];
            threads[own] = new Thread(() =>
            {
                for (int number = store.Tables[own].Allocate(); number >= 0; number = store.Tables[own].Allocate())
                {
                    taken[own].Add(number);
                }
            });
        }

        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        Assert.Equal(Enumerable.Range(0, Capacity), taken.SelectMany(numbers => numbers).Order());
        Assert.Equal(Capacity, store.Count);
    }

    [Fact]
    public void What_a_worker_gives_back_it_takes_again_itself()
    {
        using ConnectionStore store = new(16, seed: 1, workers: 2);
        List<int>[] numbers = [TakeAll(store.Tables[0], 8), TakeAll(store.Tables[1], 8)];
        store.Tables[0].Release(numbers[0][3]);

        Assert.Equal(15, store.Count);
        Assert.Equal(-1, store.Tables[1].Allocate());
        Assert.Equal(numbers[0][3], store.Tables[0].Allocate());
        Assert.Equal(16, store.Tables[1].Count);
    }

    [Fact]
    public void Another_workers_connection_is_found_and_not_owned_unless_all_others_rest()
    {
        using ConnectionStore store = new(64, seed: 1, workers: 2);
        ConnectionTable own = store.Tables[0];
        ConnectionTable other = store.Tables[1];
        int number = Open(other, key: 7, due: 5 * Second);

        Assert.True(own.TryFind(Keys.Of(7), out int found, out FlowDirection direction));
        Assert.Equal((number, FlowDirection.Original), (found, direction));
        Assert.True(own.IsForeign(number));
        Assert.False(own.TryOwn(number));
        Assert.True(own.IsForeign(number));
        Assert.False(other.IsForeign(number));

        own.IsExclusive = true;
        Assert.True(own.TryOwn(number));
        own.IsExclusive = false;
        Assert.False(own.IsForeign(number));
        Assert.True(other.IsForeign(number));
        Assert.True(own.TryOwn(number));
        Assert.False(other.TryOwn(number));
    }

    [Fact]
    public void The_timer_moves_with_its_connection()
    {
        using ConnectionStore store = new(64, seed: 1, workers: 2);
        ConnectionTable own = store.Tables[0];
        ConnectionTable other = store.Tables[1];
        own.Wheel.Start(0);
        other.Wheel.Start(0);
        int moved = Open(other, key: 1, due: 5 * Second);
        int stays = Open(other, key: 2, due: 5 * Second);
        int untimed = Open(other, key: 3, due: null);

        own.IsExclusive = true;
        Assert.True(own.TryOwn(moved));
        Assert.True(own.TryOwn(untimed));
        own.IsExclusive = false;

        Assert.Equal((1, 1), (own.Wheel.Count, other.Wheel.Count));
        Assert.Empty(Due(own, 4 * Second));
        Assert.Equal([moved], Due(own, 6 * Second));
        Assert.Equal([stays], Due(other, 6 * Second));
    }

    [Fact]
    public void A_decision_of_the_former_owner_is_forgotten()
    {
        using ConnectionStore store = new(64, seed: 1, workers: 2);
        int number = Open(store.Tables[1], key: 1, due: Second);
        store.Tables[1][number].DecisionGeneration = 2;
        store.Tables[0].IsExclusive = true;

        Assert.True(store.Tables[0].TryOwn(number));
        Assert.Equal(0, store.Tables[0][number].DecisionGeneration);
    }

    [Fact]
    public void A_connection_that_was_taken_over_is_given_back_to_the_taker_and_the_sum_stays_right()
    {
        using ConnectionStore store = new(32, seed: 1, workers: 2);
        List<int> numbers = TakeAll(store.Tables[1], 5);
        store.Tables[0].IsExclusive = true;
        foreach (int number in numbers)
        {
            Assert.True(store.Tables[0].TryOwn(number));
            store.Tables[0].Release(number);
        }

        Assert.Equal(0, store.Count);
        Assert.Equal(numbers.Order(), TakeAll(store.Tables[0], 5).Order());
        Assert.Equal(5, store.Count);
    }

    [Fact]
    public void Keys_are_one_index_for_all()
    {
        using ConnectionStore store = new(64, seed: 1, workers: 3);
        Open(store.Tables[2], key: 9, due: null);
        int number = store.Tables[0].Allocate();
        store.Tables[0][number].Original = Keys.Of(9);

        Assert.Equal(IndexInsert.Taken, store.Tables[0].IndexOriginal(number));
    }

    [Fact]
    public void One_worker_owns_everything_there_is()
    {
        using ConnectionTable table = new(16);
        int number = table.Allocate();
        Assert.False(table.IsForeign(number));
        Assert.True(table.TryOwn(number));
        Assert.Equal(1, table.Store.Workers);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(ConnectionStore.WorkersMax + 1)]
    public void Workers_have_a_limit(int workers) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConnectionStore(64, seed: 1, workers));

    [Fact]
    public void Counts_of_a_server_are_the_sum_of_all_workers()
    {
        using ConnectionStore store = new(64, seed: 1, workers: 3);
        ServerCounts counts = store.CountsOf(space: 1, server: 4);
        counts.AddTotal(0, 1);
        counts.AddTotal(2, 1);
        counts.AddActive(1, 1);
        counts.AddTemplates(2, 3);

        // One worker's connection ends with the worker that took it over.
        counts.AddTotal(1, -1);
        Assert.Equal((1, 1, 3), (counts.Total, counts.Active, counts.Templates));
        Assert.Same(counts, store.CountsOf(1, 4));
        Assert.NotSame(counts, store.CountsOf(1, 3));
        Assert.NotSame(counts, store.CountsOf(2, 4));
    }

    [Fact]
    public void Counting_from_several_threads_loses_nothing()
    {
        const int Workers = 4;
        const int Steps = 200_000;
        using ConnectionStore store = new(64, seed: 1, Workers);
        ServerCounts counts = store.CountsOf(1, 0);
        Thread[] threads =
        [
            .. Enumerable.Range(0, Workers).Select(worker => new Thread(() =>
            {
                for (int step = 0; step < Steps; step++)
                {
                    counts.AddTotal(worker, 1);
                    counts.AddActive(worker, step % 2 == 0 ? 1 : -1);
                }
            })),
        ];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        Assert.Equal((Workers * Steps, 0), (counts.Total, counts.Active));
    }

    private static List<int> TakeAll(ConnectionTable table, int count) => [.. Enumerable.Range(0, count).Select(_ => table.Allocate())];

    private static int Open(ConnectionTable table, int key, long? due)
    {
        int number = table.Allocate();
        table[number].Original = Keys.Of(key);
        Assert.Equal(IndexInsert.Done, table.IndexOriginal(number));
        if (due is { } time)
        {
            table[number].TrackExpires = time;
            table.Time(number, time);
        }

        return number;
    }

    private static List<int> Due(ConnectionTable table, long now)
    {
        List<int> due = [];
        int budget = int.MaxValue;
        for (int number = table.Wheel.TakeDue(now, ref budget); number >= 0; number = table.Wheel.TakeDue(now, ref budget))
        {
            // The caller looks whether it is due, and puts it back where not.
            if (table[number].TrackExpires > now)
            {
                table.Wheel.Add(number, table[number].TrackExpires);
                break;
            }

            due.Add(number);
        }

        return due;
    }
}
