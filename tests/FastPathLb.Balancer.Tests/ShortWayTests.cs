using FastPathLb.Engine.Building;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using Xunit.Abstractions;

namespace FastPathLb.Balancer.Tests;

/// <summary>
/// The short way of established connections against the general path, on recordings that are shaken: frames doubled, left out,
/// overtaken and damaged, in batches of any size, with the node changed in between and leaps of time. Longer with
/// FASTPATHLB_FUZZ_SECONDS; FASTPATHLB_SEED gives other inputs.
/// </summary>
public sealed class ShortWayTests(ITestOutputHelper output)
{
    private const long Second = 1_000_000_000;

    private static readonly string[] s_recordings =
        ["many-flows", "tcp-transfer", "tcp-loss-reorder", "chaos-1", "rr-two-services", "persistence", "udp-fragments", "conn-reuse"];

    private static readonly string[] s_commands =
    [
        "ipvsadm -e -f 273 -r 10.0.1.3:0 -m -w 0", "ipvsadm -d -f 273 -r 10.0.1.3:0", "ipvsadm -a -f 273 -r 10.0.1.3:0 -m -w 1",
        "ipvsadm --set 10 5 7", "ipvsadm --set 900 120 300", "iptables -t mangle -A PREROUTING -d 10.0.1.2/32 -j ACCEPT",
        "iptables -t mangle -D PREROUTING 1", "iptables -t filter -I FORWARD 1 -p udp -j DROP", "iptables -t filter -F",
        "iptables -t mangle -A POSTROUTING -m conntrack --ctstate ESTABLISHED", "sysctl -w net.ipv4.ip_forward=0",
        "sysctl -w net.ipv4.ip_forward=1", "sysctl -w net.ipv4.conf.all.send_redirects=0",
        "ip neigh replace 10.0.1.3 lladdr 02:42:0a:00:01:03 dev eth0", "ip neigh replace 10.0.1.8 lladdr 02:42:0a:00:01:99 dev eth0",
        "bridge fdb replace 02:42:0a:00:01:03 dev vxlan0 dst 172.19.188.124 self permanent", "sysctl -w net.ipv4.vs.conntrack=0",
        "sysctl -w net.ipv4.vs.conntrack=1", "sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1",
        "ip addr add 10.0.1.77/32 dev eth0", "sysctl -w net.ipv4.vs.expire_nodest_conn=1",
    ];

    private static int Seed => Fuzzing.Seed(20261124);

    private static double Seconds => Fuzzing.Seconds(3);

    [Theory]
    [InlineData(AttachPoint.Underlay)]
    [InlineData(AttachPoint.Overlay)]
    public void Shaken_recordings_come_out_the_same(AttachPoint attachPoint)
    {
        string[] names = [.. s_recordings.Where(name => Recordings.Names.Contains(name) && Recordings.Has(name, attachPoint))];
        long shortWay = 0;
        long frames = 0;
        long began = System.Diagnostics.Stopwatch.GetTimestamp();
        int round = 0;
        for (; round < names.Length || System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalSeconds < Seconds; round++)
        {
            (long taken, long all) = Shake(names[round % names.Length], attachPoint, Seed + round);
            shortWay += taken;
            frames += all;
        }

        output.WriteLine($"{round} rounds, {frames} frames, {shortWay} of them by the short way");
        Assert.True(shortWay > frames / 20, $"only {shortWay} of {frames} frames took the short way");
    }

    private static (long ShortWay, long Frames) Shake(string name, AttachPoint attachPoint, int seed)
    {
        NodeState.NodeState node = Recordings.ReadNode(name);
        LoadBalancerOptions options = new() { AttachPoint = attachPoint, Capacity = 4096 };
        using BuiltLoadBalancer general = LoadBalancerBuilder.Build(node, options);
        using BuiltLoadBalancer quick = LoadBalancerBuilder.Build(node, options);
        general.Balancer.UsesEstablishedPath = false;
        Mutator mutator = new(seed);
        Random random = mutator.Random;
        IReadOnlyList<TimedFrame> frames = [.. Recordings.ReadFrames(name, attachPoint).Where(frame => !general.Balancer.IsOwn(frame.Bytes))];
        FrameBatch expected = new();
        FrameBatch actual = new();
        MemorySink expectedSink = new();
        MemorySink actualSink = new();
        expected.ConnectSink(expectedSink);
        actual.ConnectSink(actualSink);
        long leapt = 0;
        long count = 0;
        for (int next = 0; next < frames.Count;)
        {
            expected.Clear();
            actual.Clear();
            expectedSink.Clear();
            actualSink.Clear();
            for (int size = random.Next(1, 200); size > 0 && next < frames.Count; size--)
            {
                int index = random.Next(20) == 0 ? random.Next(Math.Max(0, next - 5), Math.Min(frames.Count, next + 5)) : next++;
                TimedFrame frame = frames[index];
                byte[] bytes = random.Next(25) == 0 ? mutator.DamageFrame(frame.Bytes, frames[random.Next(frames.Count)].Bytes) : frame.Bytes;
                leapt += random.Next(2000) == 0 ? random.NextInt64(400 * Second) : random.Next(50) == 0 ? random.NextInt64(Second / 10) : 0;
                int wire = bytes.Length + (random.Next(60) == 0 ? random.Next(100) : 0);
                expected.TryAdd(bytes, frame.TimestampNanoseconds + leapt, index + 1, wire);
                actual.TryAdd(bytes, frame.TimestampNanoseconds + leapt, index + 1, wire);
            }

            count += expected.Count;
            general.Balancer.Process(expected);
            quick.Balancer.Process(actual);
            expected.Flush();
            actual.Flush();
            string where = $"{name}, {attachPoint}, seed {seed}, before frame {next}";
            for (int index = 0; index < expected.Count; index++)
            {
                FrameDescriptor wanted = expected.Frames[index];
                FrameDescriptor got = actual.Frames[index];
                Assert.True(
                    wanted.Verdict == got.Verdict && wanted.Reason == got.Reason && wanted.Connection == got.Connection,
                    $"{where}: frame {wanted.Number} is {got.Verdict} {got.Reason} {got.Connection}, not {wanted.Verdict} {wanted.Reason} {wanted.Connection}");
            }

            string? difference = FrameText.Difference(
                [.. expectedSink.Frames.Select(frame => frame.Bytes)], [.. actualSink.Frames.Select(frame => frame.Bytes)]);
            Assert.True(difference is null, $"{where}: {difference}");
            Assert.Equal(
                expectedSink.Frames.Select(frame => frame.TimestampNanoseconds), actualSink.Frames.Select(frame => frame.TimestampNanoseconds));
            if (random.Next(6) == 0)
            {
                NodeCommand command = NodeCommandReader.Parse(s_commands[random.Next(s_commands.Length)]);
                CommandApplier.Apply(general, command, general.Balancer.Now);
                CommandApplier.Apply(quick, command, quick.Balancer.Now);
            }
        }

        Assert.Equal(Tables.Of(general), Tables.Of(quick));
        foreach (Verdict verdict in Enum.GetValues<Verdict>())
        {
            Assert.Equal(general.Balancer.Counters[verdict], quick.Balancer.Counters[verdict]);
        }

        Assert.Equal(general.Balancer.Counters.BytesIn, quick.Balancer.Counters.BytesIn);
        return (quick.Balancer.EstablishedFrames, count);
    }
}
