using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using FastPathLb.Balancer;
using FastPathLb.Engine.Building;
using FastPathLb.NodeState;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using Xunit.Abstractions;

namespace FastPathLb.Engine.Tests;

/// <summary>
/// The fuzz targets on damaged samples, two seconds each unless FASTPATHLB_FUZZ_SECONDS says otherwise; FASTPATHLB_SEED gives other
/// inputs. A finding is printed with its bytes: put it into <see cref="Findings"/>.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int SeedDefault = 20261122;
    private const long Second = 1_000_000_000;
    private const int FramesPerBalancer = 4000;
    private const int RoundsMin = 500;

    private static readonly string[] s_commands =
    [
        "ipvsadm -A -f 300 -s rr", "ipvsadm -E -f 273 -s wlc -p 60", "ipvsadm -D -f 273", "ipvsadm -a -f 273 -r 10.0.1.11:0 -m -w 2",
        "ipvsadm -e -f 273 -r 10.0.1.3:0 -m -w 0", "ipvsadm -d -f 273 -r 10.0.1.3:0", "ipvsadm --set 10 5 7", "ipvsadm -C",
        "iptables -t mangle -A INPUT -d 10.0.1.2/32 -j MARK --set-xmark 0x111/0xffffffff", "iptables -t mangle -D INPUT 1",
        "iptables -t nat -A POSTROUTING -p tcp -j SNAT --to-source 10.0.1.5:7000-7005", "iptables -t filter -P FORWARD DROP", "iptables -F",
        "sysctl -w net.ipv4.vs.conntrack=0", "sysctl -w net.ipv4.vs.expire_nodest_conn=1", "sysctl -w net.ipv4.ip_forward=0",
        "ip addr add 10.0.1.2/32 dev eth0", "ip addr del 10.0.1.2/32 dev eth0", "ip neigh del 10.0.1.3 dev eth0",
        "bridge fdb replace 02:42:0a:00:01:03 dev vxlan0 dst 172.19.188.124 self permanent",
    ];

    private static int Seed => Fuzzing.Seed(SeedDefault);

    private static TimeSpan Time => TimeSpan.FromSeconds(Fuzzing.Seconds(2));

    /// <summary>Inputs that once were findings: target, bytes in hexadecimal.</summary>
    public static TheoryData<string, string> Findings => new()
    {
        { "print", "" },
        { "run", "" },
    };

    [Theory]
    [MemberData(nameof(Findings))]
    public void What_was_found_once_is_not_found_again(string target, string hex)
    {
        byte[] bytes = Convert.FromHexString(hex);
        if (target == "print")
        {
            FuzzTargets.Print(bytes);
            return;
        }

        foreach (AttachPoint attachPoint in Enum.GetValues<AttachPoint>())
        {
            using BuiltLoadBalancer built = new SmallSwarm { AttachPoint = attachPoint }.Build();
            FuzzTargets.Run(built, NewBatch(), bytes, bytes.Length, TestBalancer.Epoch);
        }
    }

    [Fact]
    public void Any_bytes_are_printed_on_one_line()
    {
        byte[][] samples = Samples(AttachPoint.Underlay);
        Fuzz("print", mutator =>
        {
            byte[] bytes = Any(mutator, samples);
            return (bytes, () => FuzzTargets.Print(bytes));
        });
    }

    [Theory]
    [InlineData(AttachPoint.Underlay)]
    [InlineData(AttachPoint.Overlay)]
    public void Any_frames_end_in_a_verdict_whatever_is_changed_meanwhile(AttachPoint attachPoint)
    {
        byte[][] samples = Samples(attachPoint);
        NodeState.NodeState[] nodes =
            [.. ((string[])["rr-two-services", "persistence", "sched-mh-mh-port", "chaos-1"]).Select(Recordings.ReadNode)];
        FrameBatch batch = NewBatch();
        BuiltLoadBalancer? built = null;
        long now = 0;
        int left = 0;
        long[] verdicts = new long[8];
        try
        {
            Fuzz($"run {attachPoint}", mutator =>
            {
                Random random = mutator.Random;
                if (left-- == 0 || built is null)
                {
                    built?.Dispose();
                    built = LoadBalancerBuilder.Build(
                        nodes[random.Next(nodes.Length)], new LoadBalancerOptions { AttachPoint = attachPoint, Capacity = random.Next(16, 600) });
                    now = TestBalancer.Epoch;
                    left = FramesPerBalancer;
                }

                now += Pause(random);
                if (random.Next(100) == 0)
                {
                    string command = s_commands[random.Next(s_commands.Length)];
                    return (Encoding.ASCII.GetBytes(command), () => FuzzTargets.RunCommand(built, command, now));
                }

                byte[] bytes = Any(mutator, samples);
                int wire = bytes.Length + (random.Next(8) == 0 ? random.Next(2000) : 0);
                return (bytes, () => verdicts[(int)FuzzTargets.Run(built, batch, bytes, wire, now)]++);
            }, 4 * FramesPerBalancer);
        }
        finally
        {
            built?.Dispose();
        }

        output.WriteLine(string.Join(", ", Enum.GetValues<Verdict>().Select(verdict => $"{verdict} {verdicts[(int)verdict]}")));
        Assert.All(
            (Verdict[])[Verdict.Forwarded, Verdict.Answered, Verdict.Dropped, Verdict.Consumed, Verdict.Held],
            verdict => Assert.True(verdicts[(int)verdict] > 0, $"the inputs never led to {verdict}"));
    }

    [Fact]
    public void Any_bytes_are_replayed_as_a_capture_or_refused()
    {
        byte[][] captures =
        [
            .. ((string[])["rr-basic", "odd-frames", "udp-fragments", "icmp-unreachable"])
                .Select(name => Unzip(Recordings.CaptureOf(name, AttachPoint.Overlay))),
        ];
        NodeState.NodeState node = Recordings.ReadNode("rr-basic");
        long frames = 0;
        Fuzz("replay", mutator =>
        {
            byte[] bytes = mutator.Damage(
                captures[mutator.Random.Next(captures.Length)], captures[mutator.Random.Next(captures.Length)]);
            return (bytes, () =>
            {
                using BuiltLoadBalancer built = LoadBalancerBuilder.Build(
                    node, new LoadBalancerOptions { AttachPoint = AttachPoint.Overlay, Capacity = 256 });
                frames += FuzzTargets.Replay(built, bytes);
            }
            );
        });
        Assert.True(frames > 1000, $"only {frames} frames were replayed");
    }

    [Fact]
    public void Any_text_is_a_configuration_that_builds_or_is_refused()
    {
        byte[][] samples =
        [
            .. ((string[])["rr-two-services", "persistence", "sched-mh-mh-port", "swarm-web"])
                .Select(name => Encoding.UTF8.GetBytes(LbConfigWriter.Write(Recordings.ReadNode(name)))),
            Encoding.UTF8.GetBytes(new SmallSwarm { PersistenceSeconds = 60 }.ToYaml()),
        ];
        int built = 0;
        Fuzz("config", mutator =>
        {
            byte[] bytes = mutator.Damage(samples[mutator.Random.Next(samples.Length)], samples[mutator.Random.Next(samples.Length)]);
            return (bytes, () => built += FuzzTargets.ReadConfig(Encoding.UTF8.GetString(bytes)) ? 1 : 0);
        });
        Assert.True(built > 0, "every text was refused");
    }

    private static byte[] Any(Mutator mutator, byte[][] samples)
    {
        byte[] sample = samples[mutator.Random.Next(samples.Length)];
        return mutator.Random.Next(10) switch
        {
            0 => mutator.Noise(200),
            < 4 => sample,
            _ => mutator.DamageFrame(sample, samples[mutator.Random.Next(samples.Length)]),
        };
    }

    // Mostly close together, now and then minutes, once in a while back or years ahead.
    private static long Pause(Random random) => random.Next(1000) switch
    {
        0 => random.NextInt64(86_400 * 365 * Second),
        1 => -random.NextInt64(3600 * Second),
        < 10 => random.NextInt64(1000 * Second),
        < 100 => random.NextInt64(Second),
        _ => random.NextInt64(1_000_000),
    };

    private static byte[][] Samples(AttachPoint attachPoint) =>
    [
        .. ((string[])["rr-basic", "odd-frames", "odd-encapsulation", "udp-fragments", "icmp-unreachable", "icmp-frag-needed", "ping-vip", "arp",
            "tcp-states", "persistence", "snat-collision"])
            .SelectMany(name => Recordings.ReadFrames(name, attachPoint)).Select(frame => frame.Bytes),
    ];

    private static FrameBatch NewBatch()
    {
        FrameBatch batch = new();
        batch.ConnectSink(new CountingSink());
        return batch;
    }

    private static byte[] Unzip(string path)
    {
        using GZipStream unzipped = new(File.OpenRead(path), CompressionMode.Decompress);
        using MemoryStream bytes = new();
        unzipped.CopyTo(bytes);
        return bytes.ToArray();
    }

    private void Fuzz(string target, Func<Mutator, (byte[] Bytes, Action Run)> next, int roundsMin = RoundsMin)
    {
        Mutator mutator = new(Seed);
        Stopwatch watch = Stopwatch.StartNew();
        using HangWatch hangs = new(HangWatch.Limit);
        long rounds = 0;
        for (; rounds < roundsMin || watch.Elapsed < Time; rounds++)
        {
            (byte[] bytes, Action run) = next(mutator);
            long round = rounds;
            string Describe() => $"{target}, seed {Seed}, round {round}: {Convert.ToHexString(bytes)}";
            try
            {
                hangs.Run(Describe, run);
            }
            catch (Exception exception) when (exception is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"{Describe()}\n{exception}");
            }
        }

        output.WriteLine($"{target}: {rounds:N0} inputs in {watch.Elapsed.TotalSeconds:F1} s, seed {Seed}");
    }
}
