using System.Diagnostics;
using FastPathLb.Live.Interop;
using FastPathLb.Live.Running;
using FastPathLb.Pipeline;

namespace FastPathLb.Live.Tests.Units;

/// <summary>What is handed over comes to the right worker, and wakes it.</summary>
public sealed class FrameExchangeTests
{
    [Fact]
    public void Frames_come_to_the_worker_they_are_for_in_their_order()
    {
        using Alarms alarms = new(3);
        FrameExchange exchange = new(alarms.All);
        for (byte number = 0; number < 10; number++)
        {
            Assert.True(exchange.TryHandOver(from: 0, to: number % 2 == 0 ? 1 : 2, [number, 1, 2], 3, number));
        }

        Assert.True(exchange.TryHandOver(from: 1, to: 2, [99], 1, 99));
        Assert.False(exchange.HasFrames(1));
        exchange.Publish(0, 0b110);
        exchange.Publish(1, 0b100);

        Assert.False(exchange.HasFrames(0));
        FrameBatch batch = new();
        exchange.Fill(1, batch);
        Assert.Equal([0, 2, 4, 6, 8], batch.Frames.ToArray().Select(frame => frame.TimestampNanoseconds));
        Assert.False(exchange.HasFrames(1));
        batch.Clear();
        exchange.Fill(2, batch);
        Assert.Equal([1, 3, 5, 7, 9, 99], batch.Frames.ToArray().Select(frame => frame.TimestampNanoseconds));
        Assert.Equal([9, 1, 2], batch.FrameBytes(4).ToArray());
    }

    [Fact]
    public void What_a_batch_has_no_room_for_stays()
    {
        using Alarms alarms = new(2);
        FrameExchange exchange = new(alarms.All);
        for (int number = 0; number < FrameBatch.CountMax + 3; number++)
        {
            Assert.True(exchange.TryHandOver(1, 0, new byte[60], 60, number));
        }

        exchange.Publish(1, 1);
        FrameBatch batch = new();
        exchange.Fill(0, batch);
        Assert.Equal(FrameBatch.CountMax, batch.Count);
        Assert.True(exchange.HasFrames(0));
        batch.Clear();
        exchange.Fill(0, batch);
        Assert.Equal(3, batch.Count);
        Assert.Equal(FrameBatch.CountMax, batch.Frames[0].TimestampNanoseconds);
    }

    [Fact]
    public void A_full_ring_refuses_and_others_are_not_full_by_it()
    {
        using Alarms alarms = new(3);
        FrameExchange exchange = new(alarms.All);
        byte[] frame = new byte[1500];
        int count = 0;
        while (exchange.TryHandOver(0, 1, frame, frame.Length, count))
        {
            count++;
        }

        Assert.InRange(count, 300, 350);
        Assert.True(exchange.TryHandOver(0, 2, frame, frame.Length, 0));
        Assert.True(exchange.TryHandOver(2, 1, frame, frame.Length, 0));
    }

    [Fact]
    public void No_frame_waits_for_a_sleeper()
    {
        // Without its saying that it sleeps nobody wakes it: the longest wait then is the whole sleep.
        Assert.True(LongestWait(saysSo: false) > TimeSpan.FromMilliseconds(400), "the control was woken");

        Assert.True(LongestWait(saysSo: true) < TimeSpan.FromMilliseconds(400), "a frame waited");
    }

    /// <summary>How long a frame waits at most for a worker that sleeps whenever there is nothing, half a second at a time.</summary>
    private static TimeSpan LongestWait(bool saysSo)
    {
        const int Frames = 2000;
        const int SleepMilliseconds = 500;
        using Alarms alarms = new(2);
        FrameExchange exchange = new(alarms.All);
        long longest = 0;
        int taken = 0;
        Thread sleeper = new(() =>
        {
            FrameBatch batch = new();
            while (Volatile.Read(ref taken) < Frames && longest < Stopwatch.Frequency * 4 / 10)
            {
                if (!exchange.HasFrames(1))
                {
                    if (!saysSo || exchange.FallAsleep(1))
                    {
                        _ = LibcInterop.Poll(alarms.All[1].Descriptor, -1, SleepMilliseconds, out _, out _);
                    }

                    exchange.WakeUp(1);
                    alarms.All[1].Silence();
                }

                batch.Clear();
                exchange.Fill(1, batch);
                foreach (ref FrameDescriptor frame in batch.Frames)
                {
                    longest = Math.Max(longest, Stopwatch.GetTimestamp() - frame.TimestampNanoseconds);
                    Volatile.Write(ref taken, taken + 1);
                }
            }
        });
        sleeper.Start();
        for (int number = 0; number < Frames && sleeper.IsAlive; number++)
        {
            Assert.True(exchange.TryHandOver(0, 1, new byte[60], 60, Stopwatch.GetTimestamp()));
            exchange.Publish(0, 0b10);
            int done = number + 1;
            SpinWait.SpinUntil(() => Volatile.Read(ref taken) >= done || !sleeper.IsAlive);
        }

        sleeper.Join();
        return Stopwatch.GetElapsedTime(0, longest);
    }

    private sealed class Alarms(int count) : IDisposable
    {
        public IReadOnlyList<WorkerAlarm> All { get; } = [.. Enumerable.Range(0, count).Select(_ => new WorkerAlarm())];

        public void Dispose()
        {
            foreach (WorkerAlarm alarm in All)
            {
                alarm.Dispose();
            }
        }
    }
}
