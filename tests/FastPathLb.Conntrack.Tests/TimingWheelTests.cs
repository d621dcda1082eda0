namespace FastPathLb.Conntrack.Tests;

public sealed class TimingWheelTests
{
    private const long Tick = 1L << TimingWheel.TickShift;
    private const long Second = 1_000_000_000;
    private const long Start = 1_700_000_000 * Second;

    [Theory]
    [InlineData(1, 2_000)]
    [InlineData(2, 2_000)]
    [InlineData(3, 2_000)]
    [InlineData(4, 2_000)]
    [InlineData(5, 2_000)]
    [InlineData(6, 2_000)]
    public void It_gives_out_what_is_due_and_nothing_else(int seed, int steps)
    {
        const int Count = 300;
        using TimingWheel wheel = new(Count);
        WheelModel model = new(wheel, Start);
        Random random = new(seed);
        for (int step = 0; step < steps; step++)
        {
            int number = random.Next(Count);
            switch (random.Next(8))
            {
                case < 4:
                    model.Set(number, model.Now + RandomSpan(random));
                    break;
                case 4:
                    model.Remove(number);
                    break;
                case 5:
                    // Prolonged without telling the wheel: it must not come before its new time.
                    model.Prolong(number, RandomSpan(random));
                    break;
                default:
                    model.Advance(model.Now + RandomSpan(random));
                    break;
            }
        }

        model.Advance(model.Now + (400 * 86_400 * Second));
        Assert.Equal(0, wheel.Count);
        Assert.Equal(0, model.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void In_steps_of_a_tick_everything_comes_in_its_own_tick(int seed)
    {
        const int Count = 500;
        using TimingWheel wheel = new(Count);
        WheelModel model = new(wheel, Start);
        Random random = new(seed);
        for (int number = 0; number < Count; number++)
        {
            model.Set(number, Start + random.NextInt64(20 * Second));
        }

        while (model.Count > 0)
        {
            model.Advance(model.Now + Tick);
        }

        Assert.Equal(Count, model.Expired.Count);
        Assert.All(model.Expired, item => Assert.InRange(item.At - item.Due, 0, 2 * Tick));
        Assert.Equal(model.Expired.Select(item => item.Due >> TimingWheel.TickShift).Order(), model.Expired.Select(item => item.Due >> TimingWheel.TickShift));
    }

    [Fact]
    public void A_budget_leaves_the_rest_for_the_next_call()
    {
        using TimingWheel wheel = new(4);
        wheel.Start(Start);
        wheel.Add(0, Start + (3 * Tick));
        wheel.Add(1, Start + (5 * Tick));
        int budget = 0;
        Assert.Equal(-1, wheel.TakeDue(Start + Second, ref budget));
        budget = 1;
        Assert.Equal(0, wheel.TakeDue(Start + Second, ref budget));
        Assert.Equal(-1, wheel.TakeDue(Start + Second, ref budget));
        budget = 1;
        Assert.Equal(1, wheel.TakeDue(Start + Second, ref budget));
    }

    [Fact]
    public void A_time_before_the_wheels_own_gives_nothing_and_changes_nothing()
    {
        // The frames of a capture are not always in the order of their times. What was put back for its later time must not come again.
        using TimingWheel wheel = new(2);
        wheel.Start(Start);
        wheel.Add(0, Start + (10 * Tick));
        wheel.Add(1, Start + (1000 * Second));
        int budget = int.MaxValue;
        Assert.Equal(0, wheel.TakeDue(Start + (20 * Tick), ref budget));

        wheel.Add(0, Start + (5 * Tick));
        Assert.Equal(-1, wheel.TakeDue(Start, ref budget));
        Assert.Equal(-1, wheel.TakeDue(Start + (5 * Tick), ref budget));
        Assert.Equal(2, wheel.Count);
        Assert.Equal(0, wheel.TakeDue(Start + (20 * Tick), ref budget));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3600)]
    [InlineData(86_400)]
    [InlineData(30 * 86_400)]
    [InlineData(200 * 86_400)]
    public void A_leap_costs_what_is_due_in_it_and_not_its_length(long seconds)
    {
        using TimingWheel wheel = new(1);
        wheel.Start(Start);
        long due = Start + (seconds * Second);
        wheel.Add(0, due);

        // Twice at the most on each level: the slot of its span, and where a round of the level ends before that.
        int budget = 8;
        int takes = 0;
        for (long now = due + Second; wheel.TakeDue(now, ref budget) == 0 && takes++ < 2;)
        {
            if (takes == 1)
            {
                wheel.Add(0, due);
            }
        }

        Assert.True(takes > 0, "it did not come");
        Assert.True(budget > 0, "slots were passed one by one");
    }

    [Fact]
    public void A_jump_over_an_empty_wheel_costs_nothing()
    {
        using TimingWheel wheel = new(1);
        wheel.Start(0);
        int budget = 1;
        Assert.Equal(-1, wheel.TakeDue(long.MaxValue / 2, ref budget));
        wheel.Add(0, (long.MaxValue / 2) + Second);
        budget = 1000;
        Assert.Equal(-1, wheel.TakeDue((long.MaxValue / 2) + (Second / 2), ref budget));
        Assert.Equal(0, wheel.TakeDue((long.MaxValue / 2) + (2 * Second), ref budget));
    }

    [Fact]
    public void A_wheel_that_never_began_has_nothing()
    {
        using TimingWheel wheel = new(1);
        int budget = 10;
        Assert.Equal(-1, wheel.TakeDue(Start, ref budget));
        Assert.Equal(0, wheel.Count);
    }

    [Fact]
    public void What_is_added_for_the_past_comes_at_once()
    {
        using TimingWheel wheel = new(2);
        wheel.Start(Start);
        wheel.Add(1, Start - Second);
        int budget = 0;
        Assert.Equal(1, wheel.TakeDue(Start, ref budget));
    }

    [Fact]
    public void Records_of_one_slot_can_leave_it_in_any_order()
    {
        using TimingWheel wheel = new(5);
        wheel.Start(Start);
        for (int number = 0; number < 5; number++)
        {
            wheel.Add(number, Start + Second);
        }

        wheel.Remove(2);
        wheel.Remove(4);
        wheel.Remove(0);
        Assert.Equal(2, wheel.Count);
        List<int> taken = [];
        int budget = int.MaxValue;
        for (int number = wheel.TakeDue(Start + (2 * Second), ref budget); number >= 0;
            number = wheel.TakeDue(Start + (2 * Second), ref budget))
        {
            taken.Add(number);
        }

        Assert.Equal([1, 3], taken.Order());
    }

    // Nanoseconds to a year: every level of the wheel, its edges, and beyond.
    private static long RandomSpan(Random random) => random.Next(6) switch
    {
        0 => random.NextInt64(Tick),
        1 => random.NextInt64(256 * Tick),
        2 => random.NextInt64(65_536 * Tick),
        3 => random.NextInt64(300 * Second),
        4 => (1L << (8 * random.Next(1, 4))) * Tick + random.NextInt64(-2, 3) * Tick,
        _ => random.NextInt64(random.Next(20) == 0 ? 365 * 86_400 * Second : 86_400 * Second),
    };

    /// <summary>The wheel's users and what they know: a record's true time, which the wheel may look at too early but never too late.</summary>
    private sealed class WheelModel
    {
        private readonly TimingWheel _wheel;
        private readonly Dictionary<int, long> _due = [];

        public WheelModel(TimingWheel wheel, long start)
        {
            _wheel = wheel;
            Now = start;
            wheel.Start(start);
        }

        public long Now { get; private set; }

        public int Count => _due.Count;

        public List<(int Number, long Due, long At)> Expired { get; } = [];

        public void Set(int number, long due)
        {
            Remove(number);
            _due.Add(number, due);
            _wheel.Add(number, due);
            Assert.Equal(_due.Count, _wheel.Count);
        }

        public void Remove(int number)
        {
            if (_due.Remove(number))
            {
                _wheel.Remove(number);
            }
        }

        public void Prolong(int number, long span)
        {
            if (_due.TryGetValue(number, out long due))
            {
                _due[number] = due + span;
            }
        }

        public void Advance(long now)
        {
            Now = now;
            int budget = int.MaxValue;
            for (int number = _wheel.TakeDue(now, ref budget); number >= 0; number = _wheel.TakeDue(now, ref budget))
            {
                long due = _due[number];
                if (due <= now)
                {
                    _due.Remove(number);
                    Expired.Add((number, due, now));
                }
                else
                {
                    _wheel.Add(number, due);
                }
            }

            // Whatever is a whole tick overdue must have come.
            Assert.DoesNotContain(_due.Values, due => (due >> TimingWheel.TickShift) + 1 <= now >> TimingWheel.TickShift);
            Assert.Equal(_due.Count, _wheel.Count);
        }
    }
}
