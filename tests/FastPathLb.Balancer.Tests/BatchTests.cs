using FastPathLb.Engine.Building;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;

namespace FastPathLb.Balancer.Tests;

/// <summary>How frames are batched is nobody's business: what comes out is the same.</summary>
public sealed class BatchTests
{
    public static TheoryData<string, AttachPoint> Recorded
    {
        get
        {
            TheoryData<string, AttachPoint> rows = [];
            foreach (string name in Recordings.Names)
            {
                foreach (AttachPoint attachPoint in Enum.GetValues<AttachPoint>())
                {
                    if (Recordings.Has(name, attachPoint))
                    {
                        rows.Add(name, attachPoint);
                    }
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Recorded))]
    public void One_frame_at_a_time_or_256_give_the_same_bytes(string name, AttachPoint attachPoint)
    {
        IReadOnlyList<TimedFrame> frames = Recordings.ReadFrames(name, attachPoint);
        Outcome single = Run(name, attachPoint, frames, 1);
        Outcome few = Run(name, attachPoint, frames, 7);
        Outcome full = Run(name, attachPoint, frames, FrameBatch.CountMax);

        Assert.NotEmpty(single.Fates);
        Assert.Equal(single.Fates, full.Fates);
        Assert.Equal(single.Fates, few.Fates);
        foreach (Outcome batched in (Outcome[])[few, full])
        {
            string? difference = FrameText.Difference(single.Sent, batched.Sent);
            Assert.True(difference is null, difference);
        }
    }

    private static Outcome Run(string name, AttachPoint attachPoint, IReadOnlyList<TimedFrame> frames, int batchMax)
    {
        using BuiltLoadBalancer built = LoadBalancerBuilder.Build(
            Recordings.ReadNode(name), new LoadBalancerOptions { AttachPoint = attachPoint, Capacity = 1 << 14 });
        MemorySource source = new([.. frames.Where(frame => !built.Balancer.IsOwn(frame.Bytes))], batchMax);
        MemorySink sink = new();
        FrameBatch batch = new();
        batch.ConnectSink(sink);
        List<string> fates = [];
        while (true)
        {
            batch.Clear();
            if (!source.Receive(batch))
            {
                return new Outcome(fates, [.. sink.Frames.Select(frame => frame.Bytes)]);
            }

            built.Balancer.Process(batch);
            batch.Flush();
            foreach (FrameDescriptor frame in batch.Frames)
            {
                fates.Add($"{frame.Number} {frame.Verdict} {frame.Reason} {frame.Connection}");
            }
        }
    }

    private sealed record Outcome(List<string> Fates, List<byte[]> Sent);
}
