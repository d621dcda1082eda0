namespace FastPathLb.Conntrack.Tests;

/// <summary>The index where hashes are made to collide, which the table's seeded hash keeps from happening.</summary>
public sealed class ConnectionIndexTests
{
    private const int Reach = ConnectionIndex.ProbeLinesMax * ConnectionIndex.SlotsPerLine;

    [Fact]
    public void Keys_of_one_hash_are_told_apart_as_far_as_an_insert_reaches()
    {
        using Slab<Connection> connections = Records(200);
        using ConnectionIndex index = new(connections);
        const ulong Hash = 0xAAAA_BBBB_CCCC_DDDD;
        for (int number = 0; number < Reach; number++)
        {
            Assert.Equal(IndexInsert.Done, index.TryInsert(Keys.Of(number), Hash, number, FlowDirection.Original));
        }

        Assert.Equal(IndexInsert.Full, index.TryInsert(Keys.Of(Reach), Hash, Reach, FlowDirection.Original));
        for (int number = 0; number < 200; number++)
        {
            Assert.Equal(number < Reach, index.TryFind(Keys.Of(number), Hash, out int found, out _));
            Assert.Equal(number < Reach ? number : -1, found);
        }

        for (int number = 0; number < Reach; number += 3)
        {
            Assert.True(index.Remove(Hash, number, FlowDirection.Original));
            Assert.False(index.Remove(Hash, number, FlowDirection.Original));
        }

        for (int number = 0; number < Reach; number++)
        {
            Assert.Equal(number % 3 != 0, index.TryFind(Keys.Of(number), Hash, out _, out _));
        }

        Assert.Equal(IndexInsert.Done, index.TryInsert(Keys.Of(Reach), Hash, Reach, FlowDirection.Original));
        Assert.Equal(IndexInsert.Taken, index.TryInsert(Keys.Of(1), Hash, 0, FlowDirection.Original));
    }

    [Fact]
    public void A_key_beyond_a_full_line_is_found_after_a_slot_before_it_became_free()
    {
        using Slab<Connection> connections = Records(64);
        using ConnectionIndex index = new(connections);
        for (int number = 0; number <= ConnectionIndex.SlotsPerLine; number++)
        {
            Assert.Equal(IndexInsert.Done, index.TryInsert(Keys.Of(number), 1, number, FlowDirection.Original));
        }

        // The ninth is in the second line. Now the first line has room again: neither a search nor a rival may stop there.
        Assert.True(index.Remove(1, 0, FlowDirection.Original));
        Assert.True(index.TryFind(Keys.Of(8), 1, out int found, out _));
        Assert.Equal(8, found);
        Assert.Equal(IndexInsert.Taken, index.TryInsert(Keys.Of(8), 1, 8 + 16, FlowDirection.Original));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Searches_go_beyond_a_line_as_long_as_somebody_is_there(bool isShared)
    {
        using Slab<Connection> connections = Records(64);
        using ConnectionIndex index = new(connections) { IsShared = isShared };
        for (int number = 0; number < 2 * ConnectionIndex.SlotsPerLine; number++)
        {
            Assert.Equal(0, index.CountPassed() - Math.Max(0, number - ConnectionIndex.SlotsPerLine));
            Assert.Equal(IndexInsert.Done, index.TryInsert(Keys.Of(number), 1, number, FlowDirection.Original));
        }

        // Two lines are full: the next key goes past both, one that is there already past none.
        Assert.Equal(IndexInsert.Done, index.TryInsert(Keys.Of(16), 1, 16, FlowDirection.Original));
        Assert.Equal(10, index.CountPassed());
        Assert.Equal(IndexInsert.Taken, index.TryInsert(Keys.Of(16), 1, 17, FlowDirection.Original));
        Assert.Equal(10, index.CountPassed());
        Assert.True(index.Remove(1, 0, FlowDirection.Original));
        Assert.Equal(10, index.CountPassed());
        Assert.True(index.Remove(1, 16, FlowDirection.Original));
        Assert.Equal(8, index.CountPassed());
        for (int number = 15; number > 0; number--)
        {
            Assert.True(index.TryFind(Keys.Of(number), 1, out _, out _));
            Assert.True(index.Remove(1, number, FlowDirection.Original));
        }

        Assert.Equal(0, index.CountPassed());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_insert_that_finds_no_room_leaves_nothing_behind(bool isShared)
    {
        using Slab<Connection> connections = Records(200);
        using ConnectionIndex index = new(connections) { IsShared = isShared };
        for (int number = 0; number < Reach; number++)
        {
            // Homes one after the other, so that all lines are full and nobody is beyond any.
            ulong home = (ulong)(number / ConnectionIndex.SlotsPerLine) * (1ul << 32) / Lines(connections) + 1;
            Assert.Equal(IndexInsert.Done, index.TryInsert(Keys.Of(number), home << 32, number, FlowDirection.Original));
        }

        Assert.Equal(0, index.CountPassed());
        Assert.Equal(IndexInsert.Full, index.TryInsert(Keys.Of(Reach), 0, Reach, FlowDirection.Original));
        Assert.Equal(0, index.CountPassed());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void More_than_can_be_counted_are_found_and_never_forgotten(bool isShared)
    {
        const int CountMax = 31;
        using Slab<Connection> connections = Records(200);
        using ConnectionIndex index = new(connections) { IsShared = isShared };
        for (int number = 0; number < Reach; number++)
        {
            Assert.Equal(IndexInsert.Done, index.TryInsert(Keys.Of(number), 1, number, FlowDirection.Original));
        }

        // The first to come are the first to go: the last are always beyond lines that have room.
        for (int number = 0; number < Reach; number++)
        {
            Assert.True(index.TryFind(Keys.Of(Reach - 1), 1, out _, out _));
            Assert.True(index.TryFind(Keys.Of(number), 1, out _, out _));
            Assert.True(index.Remove(1, number, FlowDirection.Original));
        }

        // All lines but the last four had more keys beyond than that.
        Assert.Equal(12 * CountMax, index.CountPassed());
    }

    [Theory]
    [InlineData(0ul)]
    [InlineData(ulong.MaxValue)]
    [InlineData(0xFFFF_FFFF_0000_0000)]
    [InlineData(0x0000_0000_FFFF_FFFF)]
    public void Every_hash_has_a_home(ulong hash)
    {
        using Slab<Connection> connections = Records(200);
        using ConnectionIndex index = new(connections);
        for (int number = 0; number < 100; number++)
        {
            FlowDirection direction = (FlowDirection)(number & 1);
            FlowKey key = direction == FlowDirection.Original ? Keys.Of(number) : Keys.ReplyOf(number);
            Assert.Equal(IndexInsert.Done, index.TryInsert(key, hash, number, direction));
            Assert.True(index.TryFind(key, hash, out int found, out FlowDirection foundDirection));
            Assert.Equal((number, direction), (found, foundDirection));
        }
    }

    private static ulong Lines(Slab<Connection> connections) => (((ulong)connections.Count * 20 / 7) + 7) / 8;

    /// <summary>Records whose keys are those of their numbers; upwards of half, those of the first half again.</summary>
    private static Slab<Connection> Records(int count)
    {
        Slab<Connection> connections = new(count);
        for (int number = 0; number < count; number++)
        {
            connections[number].Original = Keys.Of(number);
            connections[number].Reply = Keys.ReplyOf(number);
        }

        return connections;
    }
}
