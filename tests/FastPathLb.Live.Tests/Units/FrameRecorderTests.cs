using System.Buffers.Binary;
using FastPathLb.Io.Captures;
using FastPathLb.Live.Recording;
using FastPathLb.Live.Running;
using FastPathLb.Live.Tests.Lab;
using FastPathLb.Pipeline;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastPathLb.Live.Tests.Units;

/// <summary>What several workers record becomes one capture.</summary>
public sealed class FrameRecorderTests
{
    private const int FrameBytes = 60;

    [Fact]
    public void Frames_of_several_workers_are_in_the_order_of_their_times_and_a_workers_own_in_its_own()
    {
        const int Frames = 3000;
        using TemporaryFolder folder = new();
        LiveClock clock = new();
        long start = clock.Read() + 3_600_000_000_000;
        FakeDevice[] devices = [new(), new(), new()];
        using (FrameRecorder recorder = new(new RecordingOptions(folder["all.pcapng"]), devices, clock, NullLogger.Instance))
        {
            // None is old enough to be written before all are there.
            Random random = new(3);
            long[] next = [start, start, start];
            for (int number = 0; number < Frames; number++)
            {
                int worker = random.Next(3);
                Record(recorder.Shares[worker], worker, number, next[worker] += random.Next(1, 9));
            }
        }

        (long Time, int Worker, int Number)[] read = Read(folder["all.pcapng"]);
        Assert.Equal(Frames, read.Length);
        Assert.Equal(read.Select(frame => frame.Time).Order(), read.Select(frame => frame.Time));
        Assert.All(read.GroupBy(frame => frame.Worker), own => Assert.Equal(own.Select(frame => frame.Number).Order(), own.Select(frame => frame.Number)));
    }

    [Fact]
    public void Workers_that_are_faster_than_the_file_wait_and_nothing_is_left_out()
    {
        const int Frames = 200_000;
        using TemporaryFolder folder = new();
        LiveClock clock = new();
        FakeDevice[] devices = [new(), new()];
        using (FrameRecorder recorder = new(new RecordingOptions(folder["all.pcap.gz"]), devices, clock, NullLogger.Instance))
        {
            Thread[] threads =
            [
                .. Enumerable.Range(0, 2).Select(worker => new Thread(() =>
                {
                    for (int number = 0; number < Frames; number++)
                    {
                        Record(recorder.Shares[worker], worker, number, clock.Read());
                    }
                })),
            ];
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());
        }

        (long Time, int Worker, int Number)[] read = Read(folder["all.pcap.gz"]);
        Assert.Equal(2 * Frames, read.Length);
        Assert.All(
            read.GroupBy(frame => frame.Worker), own => Assert.Equal(Enumerable.Range(0, Frames), own.Select(frame => frame.Number)));
    }

    [Fact]
    public void What_is_recorded_is_in_the_file_within_seconds_while_it_runs()
    {
        using TemporaryFolder folder = new();
        LiveClock clock = new();
        FakeDevice[] devices = [new(), new()];
        using FrameRecorder recorder = new(new RecordingOptions(folder["all.pcap"]), devices, clock, NullLogger.Instance);
        Record(recorder.Shares[1], 1, 7, clock.Read());

        Assert.True(SpinWait.SpinUntil(() => new FileInfo(folder["all.pcap"]).Length > FrameBytes, TimeSpan.FromSeconds(20)));
        Assert.Equal(1, recorder.FrameCount);
    }

    /// <summary>Records a frame as received, and nothing sent.</summary>
    private static void Record(WorkerRecorder share, int worker, int number, long time)
    {
        FrameBatch batch = s_batch ??= new FrameBatch();
        byte[] frame = s_frame ??= new byte[FrameBytes];
        batch.Clear();
        BinaryPrimitives.WriteInt32BigEndian(frame, worker);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), number);
        Assert.True(batch.TryAdd(frame, time));
        share.RecordReceived(batch);
    }

    [ThreadStatic]
    private static FrameBatch? s_batch;

    [ThreadStatic]
    private static byte[]? s_frame;

    private static (long Time, int Worker, int Number)[] Read(string path)
    {
        using CaptureReader reader = CaptureReader.Open(path);
        List<(long, int, int)> frames = [];
        while (reader.TryRead(out CapturedFrame frame))
        {
            frames.Add((
                frame.TimestampNanoseconds, BinaryPrimitives.ReadInt32BigEndian(frame.Data), BinaryPrimitives.ReadInt32BigEndian(frame.Data[4..])));
        }

        return [.. frames];
    }
}
