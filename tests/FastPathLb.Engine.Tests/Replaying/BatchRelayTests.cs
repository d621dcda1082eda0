using FastPathLb.Balancer;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Replaying;
using FastPathLb.Io.Captures;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;

namespace FastPathLb.Engine.Tests.Replaying;

/// <summary>Reading ahead and writing behind on another thread: the same frames in the same order, and no end that hangs or loses some.</summary>
public sealed class BatchRelayTests
{
    private const int FrameBytes = 200;

    [Theory]
    [InlineData("many-flows", AttachPoint.Underlay)]
    [InlineData("odd-frames", AttachPoint.Underlay)]
    [InlineData("icmp-frag-needed", AttachPoint.Overlay)]
    [InlineData("udp-fragments", AttachPoint.Overlay)]
    [InlineData("tcp-loss-reorder", AttachPoint.Overlay)]
    public void A_replay_is_the_same_as_on_one_thread(string name, AttachPoint attachPoint)
    {
        (MemorySink alone, long[] aloneCounts) = Replay(name, attachPoint, readsAhead: false);
        (MemorySink relayed, long[] relayedCounts) = Replay(name, attachPoint, readsAhead: true);

        Assert.NotEmpty(alone.Frames);
        Assert.Equal(aloneCounts, relayedCounts);
        Assert.Equal(
            alone.Frames.Select(frame => (frame.TimestampNanoseconds, Convert.ToHexString(frame.Bytes))),
            relayed.Frames.Select(frame => (frame.TimestampNanoseconds, Convert.ToHexString(frame.Bytes))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Batches_come_out_in_order_however_long_each_step_takes(int seed)
    {
        List<TimedFrame> frames = Numbered(30_000);
        Random random = new(seed);
        int sizeMax = random.Next(1, 257);
        Stumbling source = new(new MemorySource(frames, sizeMax), random.Next());
        NumberSink sink = new(random.Next());
        using BatchRelay relay = new(source, sink);
        int extra = 0;

        await EndsInTime(() => relay.Run(
            batch =>
            {
                Stumble(random);

                // Now and then more than the batch's list takes: it calls the sink in the middle.
                int copies = random.Next(20) == 0 ? 9 : 1;
                for (int index = 0; index < batch.Count; index++)
                {
                    for (int copy = 0; copy < copies; copy++)
                    {
                        batch.Emit(batch.Frames[index].Offset, FrameBytes, batch.Frames[index].TimestampNanoseconds, index);
                    }

                    extra += copies - 1;
                }
            },
            CancellationToken.None));

        Assert.Equal(frames.Count + extra, sink.Numbers.Count);
        Assert.Equal(sink.Numbers.Order(), sink.Numbers);
        Assert.Equal(frames.Count, sink.Numbers.Distinct().Count());
        Assert.True(sink.Calls > 0);
    }

    [Fact]
    public async Task What_was_processed_before_a_stop_is_written()
    {
        using CancellationTokenSource stop = new();
        NumberSink sink = new(1);
        using BatchRelay relay = new(new MemorySource(Numbered(30_000)), sink);
        int processed = 0;

        await EndsInTime(() => relay.Run(
            batch =>
            {
                EmitAll(batch);
                processed += batch.Count;
                if (processed > 10_000)
                {
                    stop.Cancel();
                }
            },
            stop.Token));

        Assert.InRange(processed, 10_001, 10_000 + FrameBatch.CountMax);
        Assert.Equal(Enumerable.Range(1, processed).Select(number => (long)number), sink.Numbers);
    }

    [Fact]
    public async Task A_full_disk_ends_it_and_what_was_written_stays()
    {
        NumberSink sink = new(1) { FailsAfter = 5000 };
        using BatchRelay relay = new(new MemorySource(Numbered(30_000)), sink);

        IOException failed = await Assert.ThrowsAsync<IOException>(
            () => EndsInTime(() => relay.Run(EmitAll, CancellationToken.None)));

        Assert.Equal("No space left on device", failed.Message);
        Assert.Equal(Enumerable.Range(1, sink.Numbers.Count).Select(number => (long)number), sink.Numbers);
        Assert.InRange(sink.Numbers.Count, 5000 - FrameBatch.CountMax, 5000);
    }

    [Fact]
    public async Task What_was_read_before_the_input_failed_is_written()
    {
        NumberSink sink = new(1);
        using BatchRelay relay = new(new Stumbling(new MemorySource(Numbered(30_000)), 1) { FailsAfter = 40 }, sink);

        IOException failed = await Assert.ThrowsAsync<IOException>(
            () => EndsInTime(() => relay.Run(EmitAll, CancellationToken.None)));

        Assert.Equal("Input/output error", failed.Message);
        Assert.Equal(Enumerable.Range(1, 40 * FrameBatch.CountMax).Select(number => (long)number), sink.Numbers);
    }

    [Fact]
    public async Task A_mistake_in_the_data_path_is_not_hidden()
    {
        using BatchRelay relay = new(new MemorySource(Numbered(30_000)), new NumberSink(1));

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => EndsInTime(() => relay.Run(_ => throw new InvalidOperationException(), CancellationToken.None)));
    }

    [Fact]
    public async Task An_empty_source_is_the_end()
    {
        NumberSink sink = new(1);
        using BatchRelay relay = new(new MemorySource([]), sink);

        await EndsInTime(() => relay.Run(_ => Assert.Fail("there is no batch"), CancellationToken.None));

        Assert.Empty(sink.Numbers);
    }

    private static (MemorySink Sink, long[] Counts) Replay(string name, AttachPoint attachPoint, bool readsAhead)
    {
        LoadBalancerOptions options = new() { AttachPoint = attachPoint };
        using BuiltLoadBalancer built = LoadBalancerBuilder.Build(Recordings.ReadNode(name), options);
        using CaptureReader reader = CaptureReader.Open(Recordings.CaptureOf(name, attachPoint));
        MemorySink sink = new();
        ReplaySummary summary = new Replay(built) { ReadsAhead = readsAhead }.Run(reader, sink);
        return (sink, [summary.Counters.FramesIn, summary.Counters.BytesIn, summary.OwnFrameCount, summary.UnservedFrameCount]);
    }

    private static List<TimedFrame> Numbered(int count)
    {
        List<TimedFrame> frames = [];
        for (int number = 1; number <= count; number++)
        {
            frames.Add(new TimedFrame(new byte[FrameBytes], number, FrameBytes));
        }

        return frames;
    }

    private static void EmitAll(FrameBatch batch)
    {
        for (int index = 0; index < batch.Count; index++)
        {
            batch.Emit(batch.Frames[index].Offset, FrameBytes, batch.Frames[index].TimestampNanoseconds, index);
        }
    }

    private static void Stumble(Random random)
    {
        switch (random.Next(40))
        {
            case 0:
                Thread.Sleep(1);
                break;
            case < 5:
                Thread.SpinWait(random.Next(20_000));
                break;
            default:
                break;
        }
    }

    private static async Task EndsInTime(Action run) => await Task.Run(run).WaitAsync(TimeSpan.FromMinutes(1));

    /// <summary>Gives batches at uneven times.</summary>
    private sealed class Stumbling(IFrameSource inner, int seed) : IFrameSource
    {
        private readonly Random _random = new(seed);
        private int _count;

        public int FailsAfter { get; init; } = int.MaxValue;

        public bool Receive(FrameBatch batch)
        {
            Stumble(_random);
            return _count++ < FailsAfter ? inner.Receive(batch) : throw new IOException("Input/output error");
        }
    }

    /// <summary>Keeps the frames' times, which are their numbers; takes its time.</summary>
    private sealed class NumberSink(int seed) : IFrameSink
    {
        private readonly Random _random = new(seed);

        public List<long> Numbers { get; } = [];

        public int Calls { get; private set; }

        public int FailsAfter { get; init; } = int.MaxValue;

        public void Send(FrameBatch batch)
        {
            Stumble(_random);
            Calls++;
            if (Numbers.Count + batch.Emitted.Length > FailsAfter)
            {
                throw new IOException("No space left on device");
            }

            foreach (ref readonly EmittedFrame frame in batch.Emitted)
            {
                Numbers.Add(frame.TimestampNanoseconds);
            }
        }
    }
}
