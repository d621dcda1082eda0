using System.IO.Compression;
using FastPathLb.Balancer;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Replaying;
using FastPathLb.Io.Captures;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using Xunit.Abstractions;

namespace FastPathLb.Engine.Tests.Replaying;

/// <summary>
/// Captures cut anywhere, or with one byte changed anywhere: file header, record headers, times, frames. The replay neither throws nor
/// hangs, and every frame has a verdict.
/// </summary>
public sealed class CaptureDamageTests(ITestOutputHelper output)
{
    private const int Truncations = 40;
    private const int Corruptions = 90;

    public static TheoryData<string, AttachPoint> Captures => new()
    {
        { "rr-basic", AttachPoint.Underlay },
        { "rr-basic", AttachPoint.Overlay },
        { "ping-vip", AttachPoint.Underlay },
        { "ping-vip", AttachPoint.Overlay },
        { "odd-encapsulation", AttachPoint.Underlay },
        { "odd-encapsulation", AttachPoint.Overlay },
        { "arp", AttachPoint.Underlay },
        { "arp", AttachPoint.Overlay },
    };

    [Theory]
    [MemberData(nameof(Captures))]
    public void A_damaged_capture_is_replayed_as_far_as_it_goes(string name, AttachPoint attachPoint)
    {
        NodeState.NodeState node = Recordings.ReadNode(name);
        byte[] capture = Decompress(Recordings.CaptureOf(name, attachPoint));
        Random random = new(name.Length + (int)attachPoint);
        using HangWatch hangs = new(HangWatch.Limit);
        long whole = Run(capture, "whole");
        long least = whole;
        for (int index = 0; index <= Truncations; index++)
        {
            int length = (int)((long)capture.Length * index / Truncations) - (index > 0 ? random.Next(1, 20) : 0);
            long frames = Run(capture[..Math.Max(length, 0)], $"cut to {length} bytes");
            Assert.InRange(frames, 0, whole);
            least = Math.Min(least, frames);
        }

        for (int index = 0; index < Corruptions; index++)
        {
            // The file's header, the first record's header, and then anywhere.
            int position = index < 40 ? index : random.Next(capture.Length);
            byte[] damaged = [.. capture];
            damaged[position] ^= (byte)random.Next(1, 256);
            Run(damaged, $"byte {position} is {damaged[position]:x2}, was {capture[position]:x2}");
        }

        output.WriteLine($"{whole} frames in {capture.Length} bytes");
        Assert.Equal(0, least);
        Assert.True(whole > 0);

        long Run(byte[] bytes, string injury)
        {
            using BuiltLoadBalancer built = LoadBalancerBuilder.Build(node, new LoadBalancerOptions { AttachPoint = attachPoint, Capacity = 1024 });
            try
            {
                long frames = 0;
                hangs.Run(() => $"{name}, {attachPoint}, {injury}", () => frames = FuzzTargets.Replay(built, bytes));
                return frames;
            }
            catch (Exception exception) when (exception is not Xunit.Sdk.XunitException)
            {
                throw new InvalidOperationException($"{name}, {attachPoint}, {injury}: {exception.Message}", exception);
            }
        }
    }

    [Theory]
    [InlineData(AttachPoint.Underlay)]
    [InlineData(AttachPoint.Overlay)]
    public void Times_at_the_end_of_all_numbers_are_replayed(AttachPoint attachPoint)
    {
        // Of PcapPlusPlus's pcapng-example.pcapng: a time of 2^64 units between ordinary ones.
        TimedFrame[] frames = [.. Recordings.ReadFrames("ping-vip", attachPoint)];
        using MemoryStream bytes = new();
        using (CaptureWriter writer = CaptureWriter.Create(bytes, "times", new CaptureWriterOptions { Format = CaptureFormat.Pcapng }))
        {
            for (int index = 0; index < frames.Length; index++)
            {
                writer.Write(index % 3 == 1 ? long.MaxValue : frames[index].TimestampNanoseconds, frames[index].Bytes);
            }
        }

        using BuiltLoadBalancer built = LoadBalancerBuilder.Build(
            Recordings.ReadNode("ping-vip"), new LoadBalancerOptions { AttachPoint = attachPoint });
        using HangWatch hangs = new(HangWatch.Limit);
        long replayed = 0;
        hangs.Run(() => $"times, {attachPoint}", () => replayed = FuzzTargets.Replay(built, bytes.ToArray()));

        Assert.Equal(frames.Count(frame => !built.Balancer.IsOwn(frame.Bytes)), replayed);
        Assert.True(built.Balancer.Counters[Verdict.Answered] > 0);
        Assert.Equal(CaptureSource.TimeMax, built.Balancer.Now);
    }

    private static byte[] Decompress(string path)
    {
        using GZipStream unzipped = new(File.OpenRead(path), CompressionMode.Decompress);
        using MemoryStream bytes = new();
        unzipped.CopyTo(bytes);
        return bytes.ToArray();
    }
}
