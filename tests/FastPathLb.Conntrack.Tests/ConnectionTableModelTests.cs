namespace FastPathLb.Conntrack.Tests;

/// <summary>The table against a dictionary that says what it should hold.</summary>
public sealed class ConnectionTableModelTests
{
    private const int Steps = 20_000;

    [Theory]
    [InlineData(1, 16, 40)]
    [InlineData(2, 64, 80)]
    [InlineData(3, 1000, 1500)]
    [InlineData(4, 1000, 900)]
    [InlineData(5, 4096, 50_000)]
    [InlineData(6, 17, 17)]
    public void It_holds_what_a_dictionary_holds(int seed, int capacity, int keyCount)
    {
        using ConnectionTable table = new(capacity, (ulong)seed);
        TableModel model = new(table);
        Random random = new(seed);
        for (int step = 0; step < Steps; step++)
        {
            int key = random.Next(keyCount);
            switch (random.Next(10))
            {
                case < 5:
                    model.Insert(key, withReply: random.Next(4) != 0);
                    break;
                case < 8:
                    model.Remove(key);
                    break;
                default:
                    model.Find(key);
                    break;
            }
        }

        model.CheckAll(keyCount);
        model.RemoveAll();
        Assert.Equal(0, table.Count);
        model.CheckAll(keyCount);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(333)]
    [InlineData(10_000)]
    public void A_full_table_takes_no_more_and_takes_again_after_a_release(int capacity)
    {
        using ConnectionTable table = new(capacity);
        TableModel model = new(table);
        for (int key = 0; key < capacity; key++)
        {
            model.Insert(key, withReply: true);
        }

        Assert.Equal(capacity, table.Count);
        Assert.Equal(capacity, table.NumbersUsed);
        Assert.Equal(-1, table.Allocate());
        model.CheckAll(capacity + 100);

        model.Remove(capacity / 2);
        Assert.Equal(capacity - 1, table.Count);
        model.Insert(capacity + 1, withReply: true);
        Assert.Equal(-1, table.Allocate());
        model.CheckAll(capacity + 100);
    }

    [Fact]
    public void A_record_comes_back_cleared()
    {
        using ConnectionTable table = new(16);
        int number = table.Allocate();
        ref Connection connection = ref table[number];
        connection.IpvsExpires = 5;
        connection.Control = 7;
        connection.Server = 3;
        connection.SeenOriginal.End = 9;
        table.Release(number);

        int again = table.Allocate();

        Assert.Equal(number, again);
        Assert.Equal((0L, 0u, -1, 0u), (table[again].IpvsExpires, table[again].Control, table[again].Server, table[again].SeenOriginal.End));
        Assert.Equal(1, table.Count);
    }

    [Fact]
    public void A_key_that_another_connection_holds_is_refused()
    {
        using ConnectionTable table = new(16);
        int first = table.Allocate();
        int second = table.Allocate();
        table[first].Original = Keys.Of(1);
        table[first].Reply = Keys.ReplyOf(1);
        table[second].Original = Keys.Of(2);
        table[second].Reply = Keys.ReplyOf(1);

        Assert.Equal(IndexInsert.Done, table.IndexOriginal(first));
        Assert.Equal(IndexInsert.Done, table.IndexOriginal(first));
        Assert.Equal(IndexInsert.Done, table.IndexReply(first));
        Assert.Equal(IndexInsert.Done, table.IndexOriginal(second));
        Assert.Equal(IndexInsert.Taken, table.IndexReply(second));

        Assert.True(table.TryFind(Keys.ReplyOf(1), out int found, out FlowDirection direction));
        Assert.Equal((first, FlowDirection.Reply), (found, direction));
        table.UnindexReply(first);
        table.UnindexReply(first);
        Assert.Equal(IndexInsert.Done, table.IndexReply(second));
        Assert.True(table.TryFind(Keys.ReplyOf(1), out found, out _));
        Assert.Equal(second, found);
    }

    [Fact]
    public void Fetching_ahead_changes_nothing()
    {
        using ConnectionTable table = new(64);
        int number = table.Allocate();
        table[number].Original = Keys.Of(1);
        table[number].Reply = Keys.ReplyOf(1);
        LookAhead ahead = table.LookAhead;
        IndexEntry entry = Fetch(table.Hash(Keys.Of(1)));
        Assert.True(entry.IsNone);
        Assert.Equal(-1, entry.Number);
        table.IndexOriginal(number);
        table.IndexReply(number);
        entry = Fetch(table.Hash(Keys.ReplyOf(1)));
        Assert.Equal(number, entry.Number);
        Assert.Equal(FlowDirection.Reply, entry.Direction);
        Assert.Equal(new IndexEntry(number, FlowDirection.Reply), entry);
        for (int key = 0; key < 1000; key++)
        {
            ulong hash = table.Hash(Keys.Of(key));
            Assert.Equal(hash, ahead.Hash(Keys.Of(key).Addresses, Keys.Of(key).Rest));
            uint line = ahead.PrefetchIndex(hash);
            entry = ahead.PrefetchConnection(line, hash);
            Assert.Equal(key == 1, entry.Number == number && entry.Direction == FlowDirection.Original);
            _ = ahead.TouchIndex(line) + ahead.Touch(Math.Max(0, entry.Number));
            Assert.Equal(key == 1, table.TryFind(Keys.Of(key), hash, out int found, out _));
            Assert.Equal(key == 1 ? number : -1, found);
        }

        IndexEntry Fetch(ulong hash) => ahead.PrefetchConnection(ahead.PrefetchIndex(hash), hash);
    }

    [Theory]
    [InlineData(15)]
    [InlineData(0)]
    [InlineData((1 << 30) + 1)]
    public void A_capacity_has_limits(int capacity) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConnectionTable(capacity));

    /// <summary>What the table should hold: key → record number and whether its reply key is indexed.</summary>
    private sealed class TableModel(ConnectionTable table)
    {
        private readonly Dictionary<int, (int Number, bool HasReply)> _entries = [];
        private readonly HashSet<int> _numbers = [];

        public void Insert(int key, bool withReply)
        {
            if (_entries.ContainsKey(key))
            {
                Find(key);
                return;
            }

            int number = table.Allocate();
            if (number < 0)
            {
                Assert.Equal(table.Capacity, _entries.Count);
                return;
            }

            ref Connection connection = ref table[number];
            connection.Original = Keys.Of(key);
            connection.Reply = Keys.ReplyOf(key);
            Assert.Equal(IndexInsert.Done, table.IndexOriginal(number));
            if (withReply)
            {
                Assert.Equal(IndexInsert.Done, table.IndexReply(number));
            }

            Assert.True(_numbers.Add(number), $"record {number} was given out twice");
            _entries.Add(key, (number, withReply));
            Assert.Equal(_entries.Count, table.Count);
        }

        public void Remove(int key)
        {
            if (_entries.Remove(key, out (int Number, bool HasReply) entry))
            {
                table.UnindexReply(entry.Number);
                table.UnindexOriginal(entry.Number);
                table.Release(entry.Number);
                _numbers.Remove(entry.Number);
            }

            Find(key);
            Assert.Equal(_entries.Count, table.Count);
        }

        public void RemoveAll()
        {
            foreach (int key in _entries.Keys.ToList())
            {
                Remove(key);
            }
        }

        public void Find(int key)
        {
            bool isHeld = _entries.TryGetValue(key, out (int Number, bool HasReply) entry);
            Assert.Equal(isHeld, table.TryFind(Keys.Of(key), out int number, out FlowDirection direction));
            Assert.Equal(isHeld ? entry.Number : -1, number);
            Assert.Equal(FlowDirection.Original, direction);

            Assert.Equal(isHeld && entry.HasReply, table.TryFind(Keys.ReplyOf(key), out number, out direction));
            Assert.Equal(isHeld && entry.HasReply ? (entry.Number, FlowDirection.Reply) : (-1, FlowDirection.Original), (number, direction));
        }

        public void CheckAll(int keyCount)
        {
            for (int key = 0; key < keyCount; key++)
            {
                Find(key);
            }
        }
    }
}
