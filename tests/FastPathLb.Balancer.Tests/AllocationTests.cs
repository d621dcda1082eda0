using System.Diagnostics;
using FastPathLb.Engine.Building;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;
using FastPathLb.Wire;
using Xunit.Abstractions;

namespace FastPathLb.Balancer.Tests;

/// <summary>
/// In steady state nothing is allocated: not a byte, not a collection, over ten million frames, half of them at each attach point.
/// </summary>
[Collection(Alone.Name)]
public sealed class AllocationTests(ITestOutputHelper output)
{
#if DEBUG
    private const int FrameCount = 100_000;
#else
    private const int FrameCount = 5_000_000;
#endif

    private const int FlowCount = 64;
    private const int WarmUpBatches = 300;
    private const int AttemptsMax = 3;

    [Theory]
    [InlineData(AttachPoint.Overlay)]
    [InlineData(AttachPoint.Underlay)]
    public void Millions_of_frames_allocate_nothing(AttachPoint attachPoint)
    {
        using BuiltLoadBalancer built = new SmallSwarm { AttachPoint = attachPoint }.Build();
        CountingSink sink = new();
        FrameBatch batch = new();
        batch.ConnectSink(sink);
        byte[][] frames = OpenFlows(built, attachPoint);
        Assert.Equal(FrameBatch.CountMax, frames.Length);

        // Every path is compiled, every dictionary has its size.
        long now = Run(built, batch, frames, WarmUpBatches, TestBalancer.Epoch + 1_000_000_000);
        Assert.All(batch.Frames.ToArray(), frame => Assert.Equal(Verdict.Forwarded, frame.Verdict));

        // The test host may wake up meanwhile; what the data path allocates it allocates every time.
        long allocated = -1;
        int collections = -1;
        for (int attempt = 0; attempt < AttemptsMax && (allocated != 0 || collections != 0); attempt++)
        {
            const int Batches = FrameCount / FrameBatch.CountMax;
            long sentBefore = sink.FrameCount;
            int collectionsBefore = GC.CollectionCount(0);
            long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
            long began = Stopwatch.GetTimestamp();
            now = Run(built, batch, frames, Batches, now);
            TimeSpan elapsed = Stopwatch.GetElapsedTime(began);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
            collections = GC.CollectionCount(0) - collectionsBefore;

            output.WriteLine($"{sink.FrameCount - sentBefore:N0} frames in {elapsed.TotalSeconds:F1} s, {allocated} bytes, {collections} collections");
            Assert.Equal((long)Batches * FrameBatch.CountMax, sink.FrameCount - sentBefore);
        }

        Assert.Equal((0L, 0), (allocated, collections));
    }

    /// <summary>A scan: whatever is noted about a port has its place from the start.</summary>
    [Theory]
    [InlineData(AttachPoint.Overlay)]
    [InlineData(AttachPoint.Underlay)]
    public void Connections_to_port_after_port_allocate_nothing(AttachPoint attachPoint)
    {
        const int PortCount = 64 * FrameBatch.CountMax;
        using BuiltLoadBalancer built = new SmallSwarm { AttachPoint = attachPoint, Capacity = 2 * PortCount }.Build();
        FrameBatch batch = new();
        CountingSink sink = new();
        batch.ConnectSink(sink);
        byte[][] frames =
        [
            .. Enumerable.Range(1, PortCount).Select(port =>
            {
                byte[] frame = SmallSwarm.ToBalancer(
                    PacketBuilder.Tcp($"{SmallSwarm.Client}:{30000 + (port % 3)}", $"{SmallSwarm.Vip}:{port}", TcpFlags.Syn, 1000)).Build();
                return attachPoint == AttachPoint.Overlay ? frame : SmallSwarm.FromNode2.Wrap(frame);
            }),
        ];
        long allocatedBefore = 0;
        long now = TestBalancer.Epoch;
        for (int first = 0; first < frames.Length; first += FrameBatch.CountMax)
        {
            if (first == 16 * FrameBatch.CountMax)
            {
                allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
            }

            now = Run(built, batch, frames.AsSpan(first, FrameBatch.CountMax), 1, now);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - allocatedBefore);
        Assert.Equal(frames.Length, sink.FrameCount);
        Assert.True(built.Table.Count == frames.Length, $"{built.Table.Count} connections");
    }

    /// <summary>Opens TCP and UDP flows, and gives the frames of a batch of their traffic: both protocols, both directions.</summary>
    private static byte[][] OpenFlows(BuiltLoadBalancer built, AttachPoint attachPoint)
    {
        TestBalancer balancer = new(built);
        List<byte[]> frames = [];
        for (int flow = 0; flow < FlowCount; flow++)
        {
            string client = $"{SmallSwarm.Client}:{30_000 + flow}";
            string vip = SmallSwarm.Vip + ":80";
            string lb = $"{SmallSwarm.Lb}:{30_000 + flow}";
            string server = ServerOf(Send(PacketBuilder.Tcp(client, vip, TcpFlags.Syn, 1000))) + ":80";
            Send(PacketBuilder.Tcp(server, lb, TcpFlags.Syn | TcpFlags.Ack, 5000, 1001));
            Send(PacketBuilder.Tcp(client, vip, TcpFlags.Ack, 1001, 5001));
            frames.Add(Make(PacketBuilder.Tcp(client, vip, TcpFlags.Ack, 1001, 5001)));
            frames.Add(Make(PacketBuilder.Tcp(server, lb, TcpFlags.Ack, 5001, 1001)));

            string udpServer = ServerOf(Send(PacketBuilder.Udp(client, SmallSwarm.Vip + ":53"))) + ":53";
            Send(PacketBuilder.Udp(udpServer, lb));
            frames.Add(Make(PacketBuilder.Udp(client, SmallSwarm.Vip + ":53", Enumerable.Range(0, 64).Select(value => (byte)value).ToArray())));
            frames.Add(Make(PacketBuilder.Udp(udpServer, lb, Enumerable.Range(0, 300).Select(value => (byte)value).ToArray())));
        }

        return [.. frames];

        byte[] Make(PacketBuilder packet)
        {
            byte[] inner = SmallSwarm.ToBalancer(packet).Build();
            return attachPoint == AttachPoint.Underlay ? SmallSwarm.FromNode2.Wrap(inner) : inner;
        }

        byte[] Send(PacketBuilder packet) => balancer.Send(Make(packet)).Frame;

        string ServerOf(byte[] sent) =>
            Ipv4Address.Read(sent.AsSpan(attachPoint == AttachPoint.Underlay ? 80 : 30)).ToString();
    }

    private static long Run(BuiltLoadBalancer built, FrameBatch batch, ReadOnlySpan<byte[]> frames, int batches, long now)
    {
        for (int count = 0; count < batches; count++)
        {
            batch.Clear();
            for (int index = 0; index < frames.Length; index++)
            {
                now += 100;
                batch.TryAdd(frames[index], now, index);
            }

            built.Balancer.Process(batch);
            batch.Flush();
        }

        return now;
    }
}
