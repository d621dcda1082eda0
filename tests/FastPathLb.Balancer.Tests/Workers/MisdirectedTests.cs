using FastPathLb.Balancer.Workers;
using FastPathLb.Engine.Building;
using FastPathLb.Engine.Tables;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;

namespace FastPathLb.Balancer.Tests.Workers;

/// <summary>
/// Steering is a hint: recordings whose every frame goes to a worker that is drawn come out as from one load balancer, since a worker
/// takes over whatever it meets. On one thread, so that any difference is a rule's and not a race's.
/// </summary>
public sealed class MisdirectedTests
{
    private const int Capacity = 1 << 14;

    private static readonly Dictionary<string, string> s_mayDiffer = new(StringComparer.Ordinal)
    {
        ["persistence"] = "templates need all of the table: all frames of a persistent service are steered to one worker",
        ["syn-flood"] = "questions for next hops are each worker's own",
        ["chaos-1"] = "a port whose entry is over is taken as long as the entry lies there, where it is another worker's",
        ["chaos-2"] = "as chaos-1",
        ["swarm-scale"] = "as chaos-1",
    };

    public static TheoryData<string, AttachPoint> Recorded
    {
        get
        {
            TheoryData<string, AttachPoint> rows = [];
            foreach (string name in Recordings.Names.Where(name => !s_mayDiffer.ContainsKey(name)))
            {
                foreach (AttachPoint attachPoint in Enum.GetValues<AttachPoint>().Where(point => Recordings.Has(name, point)))
                {
                    rows.Add(name, attachPoint);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Frames_that_come_to_any_worker_come_out_the_same(string name, AttachPoint attachPoint)
    {
        IReadOnlyList<TimedFrame> frames = Recordings.ReadFrames(name, attachPoint);
        NodeState.NodeState node = Recordings.ReadNode(name);
        LoadBalancerOptions options = new() { AttachPoint = attachPoint, Capacity = Capacity };
        using BuiltLoadBalancer one = LoadBalancerBuilder.Build(node, options);
        frames = [.. frames.Where(frame => !one.Balancer.IsOwn(frame.Bytes))];
        using BuiltWorkers several = LoadBalancerBuilder.BuildWorkers(node, options, 3);

        // Workers search for ports that lead to them, and so find others than one worker does. Here nothing leads anywhere.
        foreach (BuiltLoadBalancer member in several.Members)
        {
            member.Namespace.Translator.Workers = 1;
        }


        (List<string> fates, List<byte[]> sent) = Run(frames, [one.Balancer], steering: null, seed: 0);
        (List<string> drawnFates, List<byte[]> drawnSent) =
            Run(frames, several.Group.Members, several.Group.Steering, seed: frames.Count);
        several.Group.Gather();

        Assert.Equal(fates, drawnFates);
        string? difference = FrameText.Difference([.. sent.Select(Inner)], [.. drawnSent.Select(Inner)]);
        Assert.True(difference is null, difference);
        Assert.Equal(TextOf(one), TextOf(several.First));
        Assert.Equal(one.Table.Count, several.First.Table.Count);
        foreach (Verdict verdict in Enum.GetValues<Verdict>())
        {
            Assert.Equal(one.Balancer.Counters[verdict], several.First.Balancer.Counters[verdict]);
        }

        byte[] Inner(byte[] frame) => OwnIdentification.Without(
            attachPoint == AttachPoint.Underlay && frame[12] == 8 && frame[13] == 0 ? frame[50..] : frame);
    }

    private static (List<string> Fates, List<byte[]> Sent) Run(
        IReadOnlyList<TimedFrame> frames, IReadOnlyList<LoadBalancer> members, FrameSteering? steering, int seed)
    {
        Random random = new(seed);
        FrameBatch batch = new();
        MemorySink sink = new();
        batch.ConnectSink(sink);
        List<string> fates = [];
        foreach (TimedFrame frame in frames)
        {
            batch.Clear();
            foreach (LoadBalancer member in members)
            {
                member.Advance(frame.TimestampNanoseconds, batch);
            }

            // A datagram's fragments come to one place, as they do by a card's hash of their addresses.
            int worker = steering?.WorkerOf(frame.Bytes) == FrameSteering.Alone ? 0 : random.Next(members.Count);
            Assert.True(batch.TryAdd(frame.Bytes, frame.TimestampNanoseconds, fates.Count, frame.WireLengthBytes));
            members[worker].Process(batch);
            batch.Flush();
            fates.Add($"{fates.Count} {batch.Frames[0].Verdict} {batch.Frames[0].Reason}");
        }

        return (fates, [.. sink.Frames.Select(frame => frame.Bytes)]);
    }

    private static string TextOf(BuiltLoadBalancer built)
    {
        using StringWriter text = new();
        IpvsadmTables.WriteList(text, built.Namespace);
        IpvsadmTables.WriteStatistics(text, built.Namespace);
        using StringWriter connections = new();
        IpvsadmTables.WriteConnections(connections, built.Namespace, built.Balancer.Now);

        // The kernel lists connections in the order of its hash; numbers of records have another one with several workers.
        foreach (string line in connections.ToString().Split('\n').Order(StringComparer.Ordinal))
        {
            text.WriteLine(line);
        }

        IptablesTables.Write(text, built.Namespace.Mangle);
        IptablesTables.Write(text, built.Namespace.Filter);
        IptablesTables.Write(text, built.Namespace.Translator.Table);
        return text.ToString();
    }
}
