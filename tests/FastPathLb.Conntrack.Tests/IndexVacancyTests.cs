namespace FastPathLb.Conntrack.Tests;

/// <summary>Places that are found for keys that nobody has: never one for a key that is there, and what is put there is found.</summary>
public sealed class IndexVacancyTests
{
    private const int Capacity = 2048;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_place_is_free_and_its_key_absent_however_full_the_table_is(bool isShared)
    {
        using ConnectionTable table = new(Capacity, isShared: isShared);
        LookAhead ahead = table.LookAhead;
        Dictionary<int, int> numberOf = [];
        Random random = new(2);
        int places = 0;
        for (int step = 0; step < 60_000; step++)
        {
            int flow = random.Next(3 * Capacity);
            FlowKey key = Keys.Of(flow);
            ulong hash = table.Hash(key);
            IndexVacancy place = ahead.Vacancy(ahead.LineOf(hash), hash, out IndexEntry candidate);
            Assert.Equal(numberOf.ContainsKey(flow), table.TryFind(key, hash, out int found, out _));
            if (numberOf.TryGetValue(flow, out int number))
            {
                Assert.True(place.IsNone);
                Assert.Equal(number, found);
                table.UnindexOriginal(number);
                table.UnindexReply(number);
                table.Release(number);
                numberOf.Remove(flow);
                continue;
            }

            Assert.True(place.IsNone || candidate.IsNone);
            number = place.IsNone ? -1 : table.Allocate();
            if (number < 0)
            {
                continue;
            }

            places++;
            ref Connection connection = ref table[number];
            connection.Original = key;
            connection.Reply = Keys.ReplyOf(flow);
            Assert.Equal(IndexInsert.Done, table.IndexOriginalAt(place, ref connection, number, hash));
            ulong replyHash = table.Hash(connection.Reply);
            IndexVacancy replyPlace = ahead.Vacancy(ahead.LineOf(replyHash), replyHash, out _);
            Assert.Equal(
                IndexInsert.Done,
                replyPlace.IsNone ? table.IndexReply(number, replyHash) : table.IndexReplyAt(replyPlace, ref connection, number, replyHash));
            numberOf.Add(flow, number);
            Assert.True(table.TryFind(connection.Reply, out found, out FlowDirection direction) && direction == FlowDirection.Reply);
            Assert.Equal(number, found);
        }

        Assert.InRange(places, Capacity, 60_000);
        foreach ((int flow, int number) in numberOf)
        {
            Assert.True(table.TryFind(Keys.Of(flow), out int found, out _));
            Assert.Equal(number, found);
        }
    }
}
