using System.Diagnostics;
using FastPathLb.Balancer;
using FastPathLb.Engine.Building;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using Xunit.Abstractions;

namespace FastPathLb.Engine.Tests.Replaying;

/// <summary>
/// Frames of recordings, cut anywhere or with one byte changed: each ends in a verdict, and one that is not sent on or answered in a
/// reason. Three seconds; longer with FASTPATHLB_FUZZ_SECONDS.
/// </summary>
public sealed class DamageTests(ITestOutputHelper output)
{
    private const int Seed = 20261123;
    private const int FramesMin = 2000;

    [Theory]
    [InlineData(AttachPoint.Underlay)]
    [InlineData(AttachPoint.Overlay)]
    public void Every_damaged_frame_ends_in_a_verdict_with_a_reason(AttachPoint attachPoint)
    {
        double seconds = Fuzzing.Seconds(1.5);
        Random random = new(Seed);
        Stopwatch watch = Stopwatch.StartNew();
        long count = 0;
        long dropped = 0;
        string[] names = [.. Recordings.Names.Where(name => Recordings.Has(name, attachPoint))];
        do
        {
            string name = names[random.Next(names.Length)];
            (long frames, long drops) = RunDamaged(name, attachPoint, random);
            count += frames;
            dropped += drops;
        }
        while (count < FramesMin || watch.Elapsed.TotalSeconds < seconds);

        output.WriteLine($"{count} frames, {dropped} dropped, seed {Seed}");
        Assert.True(dropped > count / 20, $"{count} frames, {dropped} dropped");
    }

    private static (long Frames, long Dropped) RunDamaged(string name, AttachPoint attachPoint, Random random)
    {
        using BuiltLoadBalancer built = LoadBalancerBuilder.Build(
            Recordings.ReadNode(name), new LoadBalancerOptions { AttachPoint = attachPoint, Capacity = 1024 });
        CountingSink sink = new();
        FrameBatch batch = new();
        batch.ConnectSink(sink);
        long frames = 0;
        long dropped = 0;
        foreach (TimedFrame frame in Recordings.ReadFrames(name, attachPoint))
        {
            byte[] bytes = Damage(frame.Bytes, random, out int wireLength);
            batch.Clear();
            Assert.True(batch.TryAdd(bytes, frame.TimestampNanoseconds, 1, wireLength));
            built.Balancer.Process(batch);
            batch.Flush();
            FrameDescriptor descriptor = batch.Frames[0];
            Assert.NotEqual(Verdict.None, descriptor.Verdict);
            Assert.True(
                descriptor.Verdict is Verdict.Forwarded or Verdict.Answered || descriptor.Reason != DropReason.None,
                $"{name}, seed {Seed}: {descriptor.Verdict} without a reason: {Convert.ToHexString(bytes)}");
            frames++;
            dropped += descriptor.Verdict == Verdict.Dropped ? 1 : 0;
        }

        Assert.Equal(frames, built.Balancer.Counters.FramesIn);
        Assert.Equal(dropped, built.Balancer.Counters[Verdict.Dropped]);
        return (frames, dropped);
    }

    private static byte[] Damage(byte[] frame, Random random, out int wireLength)
    {
        wireLength = frame.Length;
        switch (random.Next(4))
        {
            case 0:
                // Cut on the wire.
                wireLength = random.Next(frame.Length + 1);
                return frame[..wireLength];
            case 1:
                // Cut by the capture.
                return frame[..random.Next(frame.Length + 1)];
            case 2:
                byte[] changed = [.. frame];
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
                return changed;
            default:
                return frame;
        }
    }
}
