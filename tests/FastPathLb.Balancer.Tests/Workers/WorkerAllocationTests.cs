using FastPathLb.Balancer.Workers;
using FastPathLb.Pipeline;
using FastPathLb.TestKit;

namespace FastPathLb.Balancer.Tests.Workers;

/// <summary>Workers allocate nothing either: not for frames of their own, nor for another's, for which they ask all to rest.</summary>
[Collection(Alone.Name)]
public sealed class WorkerAllocationTests
{
    private const int Workers = 2;
    private const int FlowCount = 64;
    private const int AttemptsMax = 3;

#if DEBUG
    private const int Batches = 500;
#else
    private const int Batches = 4000;
#endif

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Frames_allocate_nothing(bool isMisdirected)
    {
        using TestWorkers group = new(new SmallSwarm(), Workers);
        List<byte[]>[] frames = [.. Enumerable.Range(0, Workers).Select(_ => new List<byte[]>())];
        for (int flow = 0; flow < FlowCount; flow++)
        {
            int port = 30_000 + flow;
            int worker = FrameSteering.WorkerOfPort((ushort)port, Workers);
            PacketBuilder request = PacketBuilder.Udp($"{SmallSwarm.Client}:{port}", SmallSwarm.Vip + ":53", new byte[64]);
            string server = group.Send(worker, request).Destination + ":53";
            frames[worker].Add(SmallSwarm.ToBalancer(request).Build());
            frames[worker].Add(SmallSwarm.ToBalancer(PacketBuilder.Udp(server, $"{SmallSwarm.Lb}:{port}", new byte[64])).Build());
        }

        FrameBatch batch = new();
        CountingSink sink = new();
        batch.ConnectSink(sink);
        Run(100);
        long allocated = -1;
        for (int attempt = 0; attempt < AttemptsMax && allocated != 0; attempt++)
        {
            long sent = sink.FrameCount;
            long before = GC.GetAllocatedBytesForCurrentThread();
            Run(Batches);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Equal((long)Batches * FlowCount * 2, sink.FrameCount - sent);
        }

        Assert.Equal(0, allocated);
        long shortWay = group.Built.Members.Sum(member => member.Balancer.EstablishedFrames);
        Assert.True(isMisdirected == (shortWay < Batches), $"{shortWay} frames took the short way");

        void Run(int batches)
        {
            for (int round = 0; round < batches; round++)
            {
                for (int worker = 0; worker < Workers; worker++)
                {
                    batch.Clear();
                    foreach (byte[] frame in frames[worker])
                    {
                        batch.TryAdd(frame, group.Now += 100);
                    }

                    // Each time to another one than the last time: every frame's connection is the other's.
                    group.Built.Group.Members[isMisdirected ? (worker + round) % Workers : worker].Process(batch);
                    batch.Flush();
                }
            }
        }
    }
}
