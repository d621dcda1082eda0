using System.Buffers.Binary;
using FastPathLb.Live.Running;

namespace FastPathLb.Live.Tests.Units;

/// <summary>Frames come out of a ring as they went in, between two threads.</summary>
public sealed class FrameRingTests
{
    private const int SizeBytes = 4096;
    private const int Frames = 300_000;
    private const int FrameBytesMax = 700;

    [Fact]
    public void Frames_come_out_in_order_with_their_times_however_often_it_wraps()
    {
        FrameRing ring = new(SizeBytes);
        for (int number = 0; number < 1000; number++)
        {
            byte[] frame = FrameOf(number);
            Assert.True(ring.TryAdd(frame, frame.Length + 5, number));
            Assert.False(ring.TryPeek(out _), "not before it is published");
            ring.Publish();

            Assert.True(ring.TryPeek(out RingedFrame taken));
            Assert.True(taken.Bytes.SequenceEqual(frame), $"frame {number}");
            Assert.Equal(frame.Length + 5, taken.WireLengthBytes);
            Assert.Equal(number, taken.TimestampNanoseconds);
            ring.Take(taken);
            Assert.False(ring.TryPeek(out _));
            ring.Release();
            Assert.False(ring.HasFrames);
        }
    }

    [Fact]
    public void A_full_ring_takes_no_more_until_room_is_given_back_and_never_what_is_too_long()
    {
        FrameRing ring = new(SizeBytes);
        byte[] frame = new byte[500];
        int count = 0;
        while (ring.TryAdd(frame, frame.Length, count))
        {
            count++;
        }

        ring.Publish();
        Assert.Equal(7, count);
        Assert.True(ring.IsPressed);
        Assert.True(ring.TryPeek(out RingedFrame first));
        ring.Take(first);
        Assert.False(ring.TryAdd(frame, frame.Length, 0), "not before it is released");
        ring.Release();
        Assert.True(ring.TryAdd(frame, frame.Length, 0));
        Assert.False(new FrameRing(SizeBytes).TryAdd(new byte[ring.FrameBytesMax + 1 + (SizeBytes / 2)], 0, 0));
    }

    [Fact]
    public void Longest_frames_pass_at_every_place()
    {
        FrameRing ring = new(SizeBytes);
        byte[] longest = new byte[ring.FrameBytesMax];
        for (int offset = 1; offset < 200; offset++)
        {
            foreach (byte[] frame in (byte[][])[new byte[offset], longest])
            {
                Assert.True(ring.TryAdd(frame, frame.Length, 0), $"{frame.Length} bytes at {offset}");
                ring.Publish();
                Assert.True(ring.TryPeek(out RingedFrame taken));
                Assert.Equal(frame.Length, taken.Bytes.Length);
                ring.Take(taken);
                ring.Release();
            }
        }
    }

    [Fact]
    public void Two_threads_lose_nothing_and_mix_up_nothing()
    {
        // A test of threads that cannot fail proves nothing: one ring with two adders has to go wrong first.
        Assert.True(Enumerable.Range(0, 50).Any(_ => Race(adders: 2) is not null), "two adders were not noticed");

        Assert.Null(Race(adders: 1));
    }

    /// <returns>What went wrong, or null.</returns>
    private static string? Race(int adders)
    {
        FrameRing ring = new(SizeBytes * 4);
        using CancellationTokenSource ending = new();
        Thread[] threads = [.. Enumerable.Range(0, adders).Select(_ => new Thread(() => Add(ring, ending.Token)))];
        Array.ForEach(threads, thread => thread.Start());
        string? problem = null;
        int expected = 0;
        SpinWait spin = default;
        DateTime patience = DateTime.UtcNow.AddSeconds(30);
        try
        {
            while (problem is null && expected < Frames)
            {
                int taken = 0;
                while (problem is null && ring.TryPeek(out RingedFrame frame))
                {
                    problem = Check(frame, expected++);
                    ring.Take(frame);
                    taken++;
                }

                ring.Release();
                if (taken == 0)
                {
                    problem = DateTime.UtcNow > patience ? "nothing comes" : null;
                    spin.SpinOnce(sleep1Threshold: -1);
                }
            }
        }
        catch (ArgumentException broken)
        {
            problem = broken.Message;
        }

        ending.Cancel();
        Array.ForEach(threads, thread => thread.Join());
        return problem;
    }

    private static void Add(FrameRing ring, CancellationToken ending)
    {
        SpinWait spin = default;
        try
        {
            for (int number = 0; number < Frames && !ending.IsCancellationRequested; number++)
            {
                byte[] frame = FrameOf(number);
                while (!ring.TryAdd(frame, number, number) && !ending.IsCancellationRequested)
                {
                    ring.Publish();
                    spin.SpinOnce(sleep1Threshold: -1);
                }

                if (number % 7 == 0 || number == Frames - 1)
                {
                    ring.Publish();
                }
            }
        }
        catch (ArgumentException)
        {
            // Two adders have brought its positions into disorder.
        }
    }

    private static string? Check(in RingedFrame frame, int number)
    {
        byte[] expected = FrameOf(number);
        return frame.TimestampNanoseconds != number || frame.WireLengthBytes != number ? $"frame {frame.TimestampNanoseconds} instead of {number}"
            : !frame.Bytes.SequenceEqual(expected) ? $"frame {number} differs"
            : null;
    }

    /// <summary>A frame whose length and bytes tell its number.</summary>
    private static byte[] FrameOf(int number)
    {
        byte[] frame = new byte[4 + (number * 31 % FrameBytesMax)];
        BinaryPrimitives.WriteInt32LittleEndian(frame, number);
        frame.AsSpan(4).Fill((byte)number);
        return frame;
    }
}
