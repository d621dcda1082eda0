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

    /// <summary>
    /// The short way of established connections is an optimisation: frames, fates, tables and counters are those of the general
    /// path, outer headers included.
    /// </summary>
    [Theory]
    [MemberData(nameof(Recorded))]
    public void The_short_way_and_the_general_path_give_the_same(string name, AttachPoint attachPoint)
    {
        IReadOnlyList<TimedFrame> frames = Recordings.ReadFrames(name, attachPoint);
        Outcome general = Run(name, attachPoint, frames, FrameBatch.CountMax, usesShortWay: false);
        Outcome shortWay = Run(name, attachPoint, frames, FrameBatch.CountMax);
        Assert.Equal(general.Fates, shortWay.Fates);
        string? difference = FrameText.Difference(general.Sent, shortWay.Sent);
        Assert.True(difference is null, difference);
        Assert.Equal(general.Tables, shortWay.Tables);
        Assert.Equal(0, general.ShortWay);
        if (name is "tcp-transfer" or "many-flows" or "rr-basic")
        {
            Assert.True(shortWay.ShortWay > frames.Count / 10, $"{shortWay.ShortWay} of {frames.Count} frames took the short way");
        }
    }

    private static Outcome Run(
        string name, AttachPoint attachPoint, IReadOnlyList<TimedFrame> frames, int batchMax, bool usesShortWay = true)
    {
        using BuiltLoadBalancer built = LoadBalancerBuilder.Build(
            Recordings.ReadNode(name), new LoadBalancerOptions { AttachPoint = attachPoint, Capacity = 1 << 14 });
        built.Balancer.UsesEstablishedPath = usesShortWay;
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
                return new Outcome(
                    fates, [.. sink.Frames.Select(frame => frame.Bytes)], Tables.Of(built), built.Balancer.EstablishedFrames);
            }

            built.Balancer.Process(batch);
            batch.Flush();
            foreach (FrameDescriptor frame in batch.Frames)
            {
                fates.Add($"{frame.Number} {frame.Verdict} {frame.Reason} {frame.Connection}");
            }
        }
    }

    private sealed record Outcome(List<string> Fates, List<byte[]> Sent, string Tables, long ShortWay);
}
